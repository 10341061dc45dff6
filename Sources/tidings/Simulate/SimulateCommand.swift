import ArgumentParser
import Foundation
import MarkedYAML
import Policy
import Replay

/// `tidings simulate`
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Say what a catalog would send, by replaying a history of events in virtual time.",
    discussion: """
      Sends the events through the processor's own state machine, as fast as it goes, each at the instant of its
      "time", and says what would be sent by channel, category and day, who would get much, and what another catalog
      would change. No Kafka is needed, no configuration is read, and nothing is sent.

      Without --recipients, each recipient of the history is taken to have an address and to want everything.

      Examples:
        tidings simulate --catalog catalog.yaml --input events.ndjson.gz
        tidings simulate --catalog new.yaml --against catalog.yaml --input events.ndjson.gz --html report.html
        tidings simulate --catalog new.yaml --input events.ndjson --recipients people.ndjson --above 5
        tidings simulate --catalog new.yaml --input events.ndjson --json | jq '.catalog.channels'
      """)

  @Option(help: ArgumentHelp("The catalog to try.", valueName: "file"))
  var catalog: String

  @Option(help: ArgumentHelp("Another catalog, to say what changes from it.", valueName: "file"))
  var against: String?

  @Option(
    help: ArgumentHelp(
      "The history: CloudEvents, one JSON object a line, perhaps compressed with gzip; - for standard input.",
      valueName: "file"))
  var input: String

  @Option(
    help: ArgumentHelp(
      "Records of the recipients, as `tidings publish recipients` takes them.", valueName: "file"))
  var recipients: String?

  @Option(help: ArgumentHelp("Name the recipients who get more messages than this on a day.", valueName: "n"))
  var above = ReplayOptions().above

  @Option(help: ArgumentHelp("Home partitions. What is sent does not depend on it.", valueName: "n"))
  var partitions = ReplayOptions().partitionCount

  @Option(
    help: ArgumentHelp(
      "How long an id is remembered, such as 24h (processor.dedupHorizon).", valueName: "duration"))
  var dedupHorizon = "24h"

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    help: ArgumentHelp("Also write a report with plots: one HTML file for any browser.", valueName: "file"))
  var html: String?

  private static let horizons = Duration.seconds(60)...Duration.seconds(31 * 86_400)

  func validate() throws {
    guard above >= 0 else { throw ValidationError("--above has to be 0 or more") }
    guard (1...1024).contains(partitions) else {
      throw ValidationError("--partitions has to be from 1 to 1,024")
    }
    guard input != "-" || recipients != "-" else {
      throw ValidationError("--input and --recipients cannot both be standard input")
    }
    _ = try options()
  }

  func run() throws {
    let options = try options()
    // Mistakes in what is small are told before what is large is read.
    let catalogs = try [catalog, against].compactMap { $0 }.map {
      (file: $0, catalog: try Catalog.load(file: $0))
    }
    var progress = ProgressBar()
    let report = try SimulationRun(options).report(
      input: input, recipients: recipients, catalogs: catalogs, progress: &progress)
    progress.clear()
    if let html { try write(HTMLReport(report).text, to: html) }
    Terminal.output.write(json ? try report.json() : report.text)
    guard report.isConserved else {
      throw CommandEnd(.failed, "the conservation law does not hold: this is a fault of tidings")
    }
  }

  private func options() throws -> ReplayOptions {
    var options = ReplayOptions()
    options.above = above
    options.partitionCount = partitions
    do {
      let horizon = try DurationText.parse(dedupHorizon)
      guard Self.horizons.contains(horizon) else {
        throw ValidationError("--dedup-horizon has to be from 1m to 31d")
      }
      options.dedupHorizon =
        horizon.components.seconds * 1000 + horizon.components.attoseconds / 1_000_000_000_000_000
    } catch let error as QuantityError {
      throw ValidationError("--dedup-horizon: \(error)")
    }
    return options
  }

  private func write(_ text: String, to file: String) throws {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    } catch {
      throw CommandEnd(.failed, "cannot write \(file): \(error.localizedDescription)")
    }
  }
}
