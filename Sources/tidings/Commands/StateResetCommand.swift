import ArgumentParser
import Processor

/// `tidings state reset`
struct StateResetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Forget the state for good, and begin a new one.",
    discussion: """
      The last way out: for a state log that was deleted or damaged and of which there is no copy. It shows first what \
      is forgotten: ids (repeats are delivered again), open windows and fan-outs under way (they are never delivered), and \
      facts about recipients: who unsubscribed, complained, or has an address that bounced gets mail again. Of those \
      --to-beginning brings back what the engagement topic still holds.

      Writes the first record of a new state and the group's offsets in one transaction, then deletes the log before it. \
      Interrupted in between, it is run again.

      Examples:
        tidings state reset --partition 3
        tidings state reset --partition 3 --execute
        tidings state reset --partition 3 --to-end --execute
      """)

  @OptionGroup var options: StateRepairOptions

  @Flag(help: "Read all that the input topics still hold; else the group's offsets stay.")
  var toBeginning = false

  @Flag(help: "Skip all that the input topics hold; else the group's offsets stay.")
  var toEnd = false

  func validate() throws {
    if toBeginning, toEnd { throw ValidationError("--to-beginning and --to-end exclude each other") }
  }

  func run() throws { try options.run(.reset(toBeginning ? .beginning : toEnd ? .end : .group)) }
}
