import ArgumentParser
import Processor

/// `tidings state inspect`
struct StateInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Print what the state holds, and how it stands to the group's offsets and to the clocks.",
    discussion: """
      It reads the partition's state log as a processor does when it takes the partition over. It changes nothing, and \
      processors may run meanwhile. A log that no processor would accept is read as far as it can be.

      Examples:
        tidings state inspect --partition 3
        tidings state inspect --partition 3 --json | jq '.inputs[] | {topic, state, group, verdict}'

      Exit status: 0 a processor would go on from this state; 1 it would not, and the output says what to do.
      """)

  @OptionGroup var options: StateOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let tool = try options.makeTool()
    var progress = StateProgress()
    let inspection = try tool.inspect { progress.show($0) }
    progress.clear()
    Terminal.output.write(json ? try inspection.json() : inspection.report)
    if !inspection.problems.isEmpty { throw CommandEnd(.failed) }
  }
}
