import ArgumentParser
import Foundation

/// The root of the command line.
struct Tidings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tidings",
    abstract:
      "Turns events on Kafka into notifications: each one once, on the right channel, bundled when many.",
    discussion: """
      See it work, without anything else installed:
        tidings demo

      Run it over a Kafka cluster (configured in tidings.yaml, by TIDINGS_… variables, or with --set):
        tidings topics apply
        tidings processor
        tidings sink email
        tidings inbox
        tidings publish events.ndjson

      Exit status: 0 done; 1 failed; 2 wrong usage or configuration, nothing was done; 75 the cluster cannot be \
      reached, try again later.
      """,
    subcommands: [
      DemoCommand.self, ProcessorCommand.self, SinkCommand.self, InboxCommand.self, PublishCommand.self,
      CatalogCommand.self, SimulateCommand.self, TopicsCommand.self, StateCommand.self, WhyCommand.self,
      AuditCommand.self,
      LagCommand.self, ConfigCommand.self, BenchCommand.self,
    ])
}

@main
enum Main {
  static func main() async {
    // A reader that went away, such as `head`, is an error of the write and not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    Allocator.returnMemoryInBackground()
    var status = ExitStatus.done
    do {
      try await run()
    } catch {
      status = ExitStatus.report(error)
    }
    // What was done is worth nothing to whoever has no result, such as on a full disk.
    if status == .done, let failure = Terminal.output.failure {
      status = ExitStatus.report(CommandEnd(.failed, "standard output cannot be written: \(failure)"))
    }
    exit(status.rawValue)
  }

  private static func run() async throws {
    var command = try Tidings.parseAsRoot()
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
  }
}
