import ArgumentParser
import Contract
import Foundation
import Kafka
import MarkedYAML
import Policy
import Replay
import Settings

/// `tidings simulate`
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Say what a catalog would send, by replaying a history of events in virtual time.",
    discussion: """
      Sends the events through the processor's own state machine, as fast as it goes, each at the instant of its \
      "time", and says what would be sent by channel, category and day, who would get much, and what another catalog \
      would change. Nothing is sent. With --input no Kafka is needed, and no configuration is read. With --topic, what \
      the configuration says of processor.recordLimit, timeZone and dedupHorizon holds for the replay, too.

      Without --recipients, each recipient of the history is taken to have an address and to want everything.

      Examples:
        tidings simulate --catalog catalog.yaml --input events.ndjson.gz
        tidings simulate --catalog new.yaml --against catalog.yaml --input events.ndjson.gz --html report.html
        tidings simulate --catalog new.yaml --input events.ndjson --recipients people.ndjson --above 5
        tidings simulate --catalog new.yaml --input events.ndjson --json | jq '.catalog.channels'
        tidings simulate --catalog new.yaml --against catalog.yaml --topic --since 7d
        tidings simulate --catalog daily.yaml --input events.ndjson.gz --zone Europe/Berlin

      Exit status: 0 done; 1 there is no history, or it cannot be read; 2 wrong usage, catalog or configuration; 75 with \
      --topic: the cluster cannot be reached, try again later.
      """)

  @Option(help: ArgumentHelp("The catalog to try, a file or a folder.", valueName: "path"))
  var catalog: String

  @Option(help: ArgumentHelp("Another catalog, to say what changes from it.", valueName: "path"))
  var against: String?

  @Option(
    help: ArgumentHelp(
      "The history: CloudEvents, one JSON object a line, perhaps compressed with gzip; - for standard input.",
      valueName: "file"))
  var input: String?

  @Flag(help: "Read the history from the events topic of the cluster that the configuration names.")
  var topic = false

  @Option(
    help: ArgumentHelp(
      "With --topic: only what was appended since then, such as 7d, or 2026-03-01T00:00:00Z.",
      valueName: "time"))
  var since: LookBack?

  @OptionGroup var settings: SettingsOptions

  @Option(
    help: ArgumentHelp(
      "Records of the recipients, as `tidings publish recipients` takes them.", valueName: "file"))
  var recipients: String?

  @Option(
    help: ArgumentHelp(
      "Who follows which audience, as `tidings publish subscriptions` takes it.", valueName: "file"))
  var subscriptions: String?

  @Option(help: ArgumentHelp("Name the recipients who get more messages than this on a day.", valueName: "n"))
  var above = ReplayOptions().above

  @Option(help: ArgumentHelp("Home partitions. What is sent does not depend on it.", valueName: "n"))
  var partitions = ReplayOptions().partitionCount

  @Option(
    help: ArgumentHelp(
      """
      How long an id is remembered, such as 12h (processor.dedupHorizon). Without: that of the configuration with \
      --topic, else 24h.
      """, valueName: "duration"))
  var dedupHorizon: String?

  @Option(
    help: ArgumentHelp(
      """
      The zone of recipients whose record names none, by its IANA name (processor.timeZone). Without: that of the \
      configuration with --topic, else UTC.
      """, valueName: "zone"))
  var zone: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Option(
    help: ArgumentHelp("Also write a report with plots: one HTML file for any browser.", valueName: "file"))
  var html: String?

  private static let noHistory = ValidationError("give either --input FILE or --topic")
  private static let horizons = Duration.seconds(60)...Duration.seconds(30 * 86_400)

  func validate() throws {
    guard above >= 0 else { throw ValidationError("--above has to be 0 or more") }
    guard (1...1024).contains(partitions) else {
      throw ValidationError("--partitions has to be from 1 to 1,024")
    }
    guard (input != nil) != topic else { throw Self.noHistory }
    guard since == nil || topic else { throw ValidationError("--since has a meaning only with --topic") }
    guard [input, recipients, subscriptions].count(where: { $0 == "-" }) <= 1 else {
      throw ValidationError(
        "standard input can be read once: give files for all but one of --input, --recipients, --subscriptions"
      )
    }
    _ = try replayOptions()
  }

  func run() throws {
    let settings = topic ? try settings.loadWithLogging() : nil
    let options = try replayOptions(settings)
    // Mistakes in what is small are told before what is large is read.
    let catalogs = try [catalog, against].compactMap { $0 }.map {
      (file: $0, catalog: try Catalog.load(path: $0))
    }
    var progress = ProgressBar()
    let run = SimulationRun(options)
    let source = try source(settings, &progress, run, recordLimit: options.recordLimit)
    let report = try run.report(
      source.history, from: source.name, recipients: recipients, subscriptions: subscriptions,
      catalogs: catalogs,
      progress: &progress)
    progress.clear()
    if let html { try write(HTMLReport(report).text, to: html) }
    Terminal.output.write(json ? try report.json() : report.text)
    guard report.isConserved else {
      throw CommandEnd(.failed, "the conservation law does not hold: this is a fault of tidings")
    }
  }

  /// - Parameter settings: of the cluster whose topic is read; nil for a file.
  private func source(
    _ settings: TidingsSettings?, _ progress: inout ProgressBar, _ run: SimulationRun, recordLimit: Int
  ) throws -> (name: String, history: History) {
    if let settings {
      let name = "\(settings.topics.prefix).events"
      let cluster = try settings.makeCluster(clientID: "tidings-simulate")
      let topic = TopicHistory(cluster: cluster, topic: name, recordLimit: recordLimit)
      let start = since?.milliseconds(now: Int64(Date().timeIntervalSince1970 * 1000)) ?? 0
      let history = try run.read(topic, since: start, &progress)
      return (name + (since.map { " since \($0.defaultValueDescription)" } ?? ""), history)
    }
    guard let input else { throw Self.noHistory }
    return (input == "-" ? "standard input" : input, try run.read(input, &progress))
  }

  /// What the flags say, and where they say nothing, the configuration that is read with `--topic`: a history is
  /// replayed as the processor of its cluster decided it.
  ///
  /// - Parameter settings: of the cluster whose topic is read; nil for a file.
  func replayOptions(_ settings: TidingsSettings? = nil) throws -> ReplayOptions {
    var options = ReplayOptions()
    options.above = above
    options.partitionCount = partitions
    if let processor = settings?.processor {
      options.recordLimit = processor.recordLimit
      options.timeZone = processor.timeZone
      options.dedupHorizon = processor.dedupHorizon.wholeMilliseconds
    }
    options.timeZone = zone ?? options.timeZone
    if let problem = ZoneDatabase.system.problem(with: options.timeZone) {
      if zone != nil { throw ValidationError("--zone: \(problem)") }
      throw CommandEnd(.usage, "processor.timeZone: \(problem)")
    }
    if let dedupHorizon {
      do {
        let horizon = try DurationText.parse(dedupHorizon)
        guard Self.horizons.contains(horizon) else {
          throw ValidationError("--dedup-horizon has to be from 1m to 30d")
        }
        options.dedupHorizon = horizon.wholeMilliseconds
      } catch let error as QuantityError {
        throw ValidationError("--dedup-horizon: \(error)")
      }
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
