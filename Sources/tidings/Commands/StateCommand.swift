import ArgumentParser
import Logging
import Processor
import Settings

/// `tidings state`
struct StateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state",
    abstract: "Look at the state of one home partition, and mend it when it and the consumer group disagree.",
    discussion: """
      What writes does so only with --execute; without it, it prints exactly what it would write. It refuses while \
      processors are members of the group, and is the only member itself while it writes: its one transaction holds a \
      state record and the group's offsets, and a processor that starts meanwhile makes the broker refuse it.

      docs/operations.md: symptom, command, and what it costs.

      Examples:
        tidings state inspect --partition 3
        tidings state adopt-group --partition 3
        tidings state adopt-group --partition 3 --execute

      Exit status: 0 done, or shown what would be done; 1 refused or failed, and for inspect: a processor would refuse \
      this state; 2 wrong usage or configuration; 75 the cluster cannot be reached, try again later.
      """,
    subcommands: [
      StateInspectCommand.self, StateExportCommand.self, StateAdoptGroupCommand.self,
      StateAdoptStateCommand.self, StateSetClockCommand.self, StateResetCommand.self,
    ])
}

/// The flags of every subcommand of `tidings state`.
struct StateOptions: ParsableArguments {
  @OptionGroup var settings: SettingsOptions

  @Option(help: ArgumentHelp("The home partition.", valueName: "n"))
  var partition: Int32

  /// The tool that the configuration and the flags describe.
  func makeTool() throws -> StateTool {
    let settings = try settings.loadWithLogging()
    let cluster = try settings.makeCluster(clientID: "tidings-state")
    do {
      return try StateTool(
        cluster: cluster, configuration: ProcessorConfiguration(settings), partition: partition)
    } catch {
      throw CommandEnd(.usage, "\(error)")
    }
  }
}
