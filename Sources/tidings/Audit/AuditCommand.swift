import ArgumentParser
import Audit
import Kafka
import Settings

/// `tidings audit`
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract:
      "Recompute the conservation law from the topics, and print how far the processors' counters differ.",
    discussion: """
      Every record that was consumed has to be decided, forwarded or rejected, once; every decision that delivers has to \
      name a delivery that is there once; what waits in windows has to come out of them. Then the sums have to be those \
      that the state holds. It reads everything that is kept, up to the last commit of each partition, so that \
      processors may run meanwhile; it writes nothing and joins no group. docs/operations.md says what it can prove.

      Examples:
        tidings audit
        tidings audit --partition 3 --json | jq '.findings[]'

      Exit status: 0 everything that is kept agrees; 1 it does not, and the output names where; 2 wrong usage or \
      configuration; 75 the cluster cannot be reached, or retention or a transaction was in the way: try again later.
      """)

  @OptionGroup var options: SettingsOptions

  @Option(help: ArgumentHelp("Only this home partition.", valueName: "n"))
  var partition: Int32?

  @Flag(
    help:
      "Begin with the oldest commit that the state topic still holds, such as after `tidings state reset`.")
  var recent = false

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let settings = try options.loadWithLogging()
    let cluster = try settings.makeCluster(clientID: "tidings-audit")
    var progress = ProgressBar(delay: .seconds(1))
    let audit = ConservationAudit(cluster: cluster, topics: AuditTopics(settings)) { progress.show($0) }
    defer { progress.clear() }
    let report = try audit.run(partitions: partition.map { [$0] }, isRecent: recent)
    progress.clear()
    Terminal.output.write(json ? try report.json() : report.text)
    if !report.holds { throw CommandEnd(.failed) }
  }
}

extension AuditTopics {
  /// The topics that the settings name.
  init(_ settings: TidingsSettings) {
    self.init(
      prefix: settings.topics.prefix, partitionCount: Int32(clamping: settings.topics.partitions),
      recordLimit: settings.processor.recordLimit)
  }
}

extension ProgressBar {
  /// Shows how far the reading of topics is.
  mutating func show(_ progress: ScanProgress) {
    guard isDue else { return }
    show(
      share: progress.share, text: "\(progress.topic), \(progress.records.counted("record")) in all",
      count: progress.records)
  }
}
