import ArgumentParser
import Processor

/// `tidings state adopt-group`
struct StateAdoptGroupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt-group",
    abstract: "Let the state go on at the group's offsets.",
    discussion: """
      For a state that stands at another offset than the group, where the group is right: its offsets were set on \
      purpose. Also where retention deleted what was not read, or a topic was created again, be it that the group's \
      offsets have expired since: an offset that the topic does not hold becomes the topic's beginning.

      Writes a state record with the group's offsets (the state's, where the group has none), and the offsets, in one \
      transaction. Ids and open windows stay.

      Examples:
        tidings state adopt-group --partition 3
        tidings state adopt-group --partition 3 --execute
      """)

  @OptionGroup var options: StateRepairOptions

  func run() throws { try options.run(.adoptGroup) }
}

/// `tidings state adopt-state`
struct StateAdoptStateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt-state",
    abstract: "Let the group go on at the state's offsets.",
    discussion: """
      For a group that stands at another offset than the state, where the state is right: somebody reset the group's \
      offsets by mistake. Nothing that this state has decided is decided again.

      Writes a state record and the state's offsets as the group's in one transaction.

      Examples:
        tidings state adopt-state --partition 3
        tidings state adopt-state --partition 3 --execute
      """)

  @OptionGroup var options: StateRepairOptions

  func run() throws { try options.run(.adoptState) }
}
