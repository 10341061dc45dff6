import ArgumentParser
import Kafka
import Logging
import Processor
import Settings

/// `tidings topics`
struct TopicsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics", abstract: "Arrange the topics of a deployment.", subcommands: [Apply.self])

  /// `tidings topics apply`
  struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "apply",
      abstract: "Create the topics that are missing, with the partitions and settings that they need.",
      discussion: """
        Topics that are there are compared and never changed: where one contradicts what is needed, nothing is \
        created, and the exit status is 1. Running it again does no harm.

        Examples:
          tidings topics apply --dry-run
          tidings topics apply --set topics.partitions=64 --set topics.replicationFactor=3
        """)

    @OptionGroup var settings: SettingsOptions

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    @Option(help: ArgumentHelp("How long to wait for a broker, in seconds.", valueName: "seconds"))
    var wait = 30

    func run() throws {
      let settings = try settings.loadWithLogging()
      let admin = try settings.makeCluster(clientID: "tidings-topics").admin
      let patience = Duration.seconds(max(0, wait))
      let logger = Logger(label: "tidings.topics")
      let found = try ClusterWait.retry(patience: patience, logger: logger) { () throws(KafkaError) in
        try admin.topics(timeout: .seconds(5))
      }
      let comparison = try TopicComparison(plan: plan(settings.topics), found: found) {
        topic throws(KafkaError) in
        try admin.configuration(ofTopic: topic, timeout: .seconds(10))
      }
      for difference in comparison.differences { Terminal.output.writeLine("note: \(difference)") }
      guard comparison.contradictions.isEmpty else {
        let list = comparison.contradictions.map { "  \($0)" }.joined(separator: "\n")
        throw CommandEnd(.failed, "these topics contradict what is needed; nothing was created:\n\(list)")
      }
      try create(comparison, admin)
    }

    private func plan(_ settings: TopicSettings) -> [NewTopic] {
      // Without a factor the broker's default decides, also about min.insync.replicas.
      TopicPlan.topics(
        prefix: settings.prefix, partitionCount: settings.partitions,
        replicationFactor: settings.replicationFactor ?? 1
      ).map { topic in
        var topic = topic
        topic.replicationFactor = settings.replicationFactor
        return topic
      }
    }

    private func create(_ comparison: TopicComparison, _ admin: any ClusterAdmin) throws {
      guard !comparison.missing.isEmpty else {
        return Terminal.output.writeLine(
          "nothing to do: all \(comparison.presentCount) topics are there and as they have to be")
      }
      for topic in comparison.missing {
        let settings = topic.configuration.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let verb = dryRun ? "would create" : "creating"
        Terminal.output.writeLine(
          "\(verb) \(topic.name), \(topic.partitionCount.counted("partition")), \(settings.joined(separator: " "))"
        )
      }
      guard !dryRun else { return }
      try admin.create(comparison.missing, timeout: .seconds(60))
      Terminal.output.writeLine(
        "created \(comparison.missing.count.counted("topic")); \(comparison.presentCount) were there before")
    }
  }
}
