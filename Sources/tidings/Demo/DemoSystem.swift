import Contract
import Delivery
import EmailSink
import Inbox
import Kafka
import Logging
import Operations
import Pipeline
import Policy
import Processor
import ServiceLifecycle
import Synchronization

/// All of Tidings in one process, over an embedded cluster.
final class DemoSystem: Sendable {
  /// The number of home partitions: the embedded cluster keeps 5 MiB of each, so that more of them hold more.
  static let partitionCount = 64
  static let prefix = "tidings"

  let cluster: EmbeddedCluster
  let configuration: ProcessorConfiguration
  let status = ProcessorStatus()
  let email: SinkRunner
  let store: InboxStore
  let inbox: InboxConsumer

  private let processor: ProcessorService
  private let signals: InboxSignals
  private let engagement: InboxEngagement
  private let logger = Logger(label: "tidings.demo")

  /// Prepares everything and creates the topics.
  init(_ folder: DemoFolder) throws {
    cluster = try EmbeddedCluster(logger: Logger(label: "tidings.kafka"))
    try cluster.admin.create(
      TopicPlan.topics(prefix: Self.prefix, partitionCount: Self.partitionCount, replicationFactor: 1),
      timeout: .seconds(10))
    configuration = ProcessorConfiguration(
      prefix: Self.prefix, partitionCount: Int32(Self.partitionCount))
    processor = ProcessorService(
      cluster: cluster, configuration: configuration, catalog: try Catalog.demo(), status: status,
      logger: Logger(label: "tidings.processor"))
    let emailLogger = Logger(label: "tidings.email")
    // Mail for show need not survive a loss of power.
    let maildir = try MaildirTransport(directory: folder.mail, flushesToDisk: false)
    email = SinkRunner(
      cluster: cluster,
      sink: try EmailSink(
        sender: try EmailMailbox(name: "Tidings", address: EmailAddress("tidings@example.org")),
        transport: maildir, logger: emailLogger),
      options: SinkOptions(
        channel: .email, topic: configuration.topic("delivery.email"), group: "\(Self.prefix)-email"),
      logger: emailLogger)
    store = try InboxStore(path: folder.inboxDatabase)
    signals = InboxSignals()
    inbox = InboxConsumer(
      cluster: cluster, store: store, signals: signals, options: InboxConsumerOptions(prefix: Self.prefix),
      logger: Logger(label: "tidings.inbox"))
    engagement = InboxEngagement(
      store: store, publisher: EngagementPublisher(cluster: cluster, prefix: Self.prefix),
      logger: Logger(label: "tidings.inbox"))
  }

  /// The services, in the order in which they are started; they are stopped in the reverse one.
  ///
  /// - Parameters:
  ///   - port: where the inbox listens, or behind it when it is taken.
  ///   - publish: takes the events of the page's form.
  ///   - onListening: told the inbox's port.
  func services(
    port: Int, publish: @escaping InboxPublish, onListening: @escaping @Sendable (Int) -> Void
  ) -> [any Service] {
    let server = InboxServer(
      store: store, signals: signals, ports: Array(port..<(port + 10)) + [0], publish: publish,
      logger: Logger(label: "tidings.inbox"), onListening: onListening)
    return [engagement, server, inbox, email, processor]
  }

  /// Whether every member of a group has its partitions. The embedded cluster gives a member that joins later no
  /// records of transactions that ended before.
  var isAssigned: Bool {
    let count = Self.partitionCount
    return status.isReady && status.runningPartitions == count && inbox.counters.positions.count == count
      && email.status.positions.count == count
  }

  /// How far processor and sinks are.
  func fill(_ snapshot: inout DemoSnapshot) {
    snapshot.counters = status.counters
    snapshot.openWindows = status.workers.values.reduce(0) { sum, worker in
      sum + worker.partitions.reduce(0) { $0 + $1.openWindows }
    }
    snapshot.mails = email.counters.delivered
    snapshot.inboxRows = inbox.counters.rows
    snapshot.deadLetters = email.counters.deadLettered + inbox.counters.deadLettered
  }

  /// Whether both sinks have dealt with all that is in their delivery topics at this moment. Asks the cluster.
  func areSinksDone() throws(KafkaError) -> Bool {
    let ends = try deliveryEnds()
    let email = email.status.positions
    let inbox = inbox.counters.positions
    return ends.allSatisfy { range in
      let position = range.topicPartition.topic == emailTopic ? email : inbox
      return position[range.topicPartition.partition] ?? 0 >= range.latest
    }
  }

  /// A delivery that the embedded cluster dropped before its sink had read it, as a sentence; nil as long as there is
  /// none.
  func lostDelivery() throws(KafkaError) -> String? {
    let email = email.status.positions
    let inbox = inbox.counters.positions
    for range in try deliveryEnds() {
      let position = range.topicPartition.topic == emailTopic ? email : inbox
      guard let position = position[range.topicPartition.partition], position < range.earliest else {
        continue
      }
      return
        "the embedded cluster keeps 5 MiB of a partition and dropped records of \(range.topicPartition) before "
        + "they were read: the input is too large for it. Use less (--max), or a real cluster"
    }
    return nil
  }

  private var emailTopic: String { configuration.topic("delivery.email") }

  /// Records in the engagement topic: what people have done on the inbox's page. Asks the cluster.
  func engagementCount() throws(KafkaError) -> Int {
    // Of no transaction, so that every offset is a record's.
    try ends(of: ["engagement"]).reduce(0) { $0 + Int($1.latest) }
  }

  private func deliveryEnds() throws(KafkaError) -> [OffsetRange] {
    try ends(of: ["delivery.email", "delivery.inapp"])
  }

  private func ends(of topics: [String]) throws(KafkaError) -> [OffsetRange] {
    let partitions = topics.flatMap { topic in
      (0..<Int32(Self.partitionCount)).map {
        TopicPartition(topic: configuration.topic(topic), partition: $0)
      }
    }
    return try cluster.admin.offsets(of: partitions, isolation: .readUncommitted, timeout: .seconds(10))
  }
}
