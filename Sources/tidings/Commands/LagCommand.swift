import ArgumentParser
import Kafka
import Logging
import Operations
import Pipeline
import Settings

/// `tidings lag`
struct LagCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lag",
    abstract: "Print how far each consumer group of the deployment is behind, from its committed offsets.",
    discussion: """
      The same numbers as Kafka's own tools; an idle deployment shows 0 everywhere.

      Examples:
        tidings lag
        tidings lag --json | jq .totalRecords
      """)

  @OptionGroup var options: SettingsOptions

  @Flag(help: "Print JSON.")
  var json = false

  @Option(help: ArgumentHelp("How long to wait for a broker, in seconds.", valueName: "seconds"))
  var wait = 10

  func run() throws {
    let settings = try options.loadWithLogging()
    let cluster = try settings.makeCluster(clientID: "tidings-lag")
    let prefix = settings.topics.prefix
    let inputs = InputTopic.allCases.map { "\(prefix).\($0.name)" }
    let subjects = [
      LagReport.Subject(group: "\(prefix)-processor", topics: inputs),
      LagReport.Subject(group: "\(prefix)-email", topics: ["\(prefix).delivery.email"]),
      LagReport.Subject(group: "\(prefix)-inbox", topics: ["\(prefix).delivery.inapp"]),
    ]
    let report = try ClusterWait.retry(
      patience: .seconds(max(0, wait)), logger: Logger(label: "tidings.lag")
    ) { () throws(KafkaError) in try LagReport.gather(subjects, from: cluster) }
    Terminal.output.write(json ? try report.json() : report.table)
  }
}
