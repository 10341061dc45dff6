import ArgumentParser
import Contract
import Processor

/// `tidings state set-clock`
struct StateSetClockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-clock",
    abstract: "Set the persisted clock by which windows close.",
    discussion: """
      For a state whose clock is far ahead of the broker: a machine with a wrong clock decided in it. Windows that were \
      opened by the wrong clock wait from the new time on, as long as they were to wait; those that slide close at once. \
      Counts of throttles and budgets whose period is not over at the new time begin anew.

      The broker's time is that at which it appends the first of the two records that are written.

      Examples:
        tidings state set-clock --partition 3
        tidings state set-clock --partition 3 --execute
        tidings state set-clock --partition 3 --to 2026-03-01T08:30:00Z --execute
      """)

  @OptionGroup var options: StateRepairOptions

  @Option(help: ArgumentHelp("The time to set, as RFC 3339; else the broker's.", valueName: "time"))
  var to: String?

  @Flag(
    help:
      "Set the input clock, too: it says how long ids are remembered, and follows the broker's append times.")
  var inputClock = false

  func run() throws {
    var instant: Int64?
    if let to {
      instant = to.withByteView { RFC3339.milliseconds(of: $0) }
      guard instant != nil else {
        throw CommandEnd(.usage, "--to \(to): not a time as RFC 3339 writes it, such as 2026-03-01T08:30:00Z")
      }
    }
    try options.run(.setClock(to: instant, includesInput: inputClock))
  }
}
