import Kafka
import Logging
import Synchronization

@testable import Benchmarks

/// An embedded cluster of which a test says what it refuses, and learns what was to be deleted.
final class LastingTestCluster: LastingCluster {
  struct State {
    /// Topics that cannot be created, with the error.
    var refusedTopics: [String: KafkaError.Code] = [:]
    /// How often groups still have members when they are to be deleted.
    var busyGroups = 0
    var deletedTopics: Set<String> = []
    var deletedGroups: Set<String> = []
  }

  let state = Mutex(State())
  private let embedded: EmbeddedCluster

  init(logger: Logger) throws { embedded = try EmbeddedCluster(logger: logger) }

  var isEmbedded: Bool { true }
  var bootstrapServers: String { embedded.bootstrapServers }
  var admin: any ClusterAdmin { Admin(cluster: self, embedded: embedded.admin) }

  func deleteTopics(_ names: [String], timeout: Duration) throws(KafkaError) {
    state.withLock { $0.deletedTopics.formUnion(names) }
  }

  func deleteGroups(_ names: [String], timeout: Duration) throws(KafkaError) {
    let isBusy = state.withLock { state in
      defer { state.busyGroups -= 1 }
      if state.busyGroups <= 0 { state.deletedGroups.formUnion(names) }
      return state.busyGroups > 0
    }
    if isBusy { throw KafkaError(.nonEmptyGroup, message: "deleting groups") }
  }

  func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer {
    try embedded.makeGroupConsumer(options)
  }

  func makeTransactionalProducer(
    _ options: TransactionalProducerOptions
  ) throws(KafkaError) -> any TransactionalProducer {
    try embedded.makeTransactionalProducer(options)
  }

  func makeIdempotentProducer(
    _ options: IdempotentProducerOptions
  ) throws(KafkaError) -> any IdempotentProducer {
    try embedded.makeIdempotentProducer(options)
  }

  func makeLogReader(_ options: LogReaderOptions) throws(KafkaError) -> any LogReader {
    try embedded.makeLogReader(options)
  }

  private final class Admin: ClusterAdmin {
    private let cluster: LastingTestCluster
    private let embedded: any ClusterAdmin

    init(cluster: LastingTestCluster, embedded: any ClusterAdmin) {
      self.cluster = cluster
      self.embedded = embedded
    }

    func create(_ topics: [NewTopic], timeout: Duration) throws(KafkaError) {
      for topic in topics {
        if let code = cluster.state.withLock({ $0.refusedTopics[topic.name] }) {
          throw KafkaError(code, message: "creating \(topic.name)")
        }
        try embedded.create([topic], timeout: timeout)
      }
    }

    func topics(timeout: Duration) throws(KafkaError) -> [TopicDescription] {
      try embedded.topics(timeout: timeout)
    }

    func configuration(ofTopic topic: String, timeout: Duration) throws(KafkaError) -> [String: String] {
      try embedded.configuration(ofTopic: topic, timeout: timeout)
    }

    func deleteRecords(
      before offsets: [PartitionOffset], timeout: Duration
    ) throws(KafkaError) -> [PartitionOffset] {
      try embedded.deleteRecords(before: offsets, timeout: timeout)
    }

    func offsets(
      of partitions: [TopicPartition], isolation: IsolationLevel, timeout: Duration
    ) throws(KafkaError) -> [OffsetRange] {
      try embedded.offsets(of: partitions, isolation: isolation, timeout: timeout)
    }

    func offsets(
      of partitions: [TopicPartition], since milliseconds: Int64, timeout: Duration
    ) throws(KafkaError) -> [Int64?] {
      try embedded.offsets(of: partitions, since: milliseconds, timeout: timeout)
    }

    func committedOffsets(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [PartitionOffset] {
      try embedded.committedOffsets(ofGroup: group, timeout: timeout)
    }

    func members(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [GroupMember] {
      try embedded.members(ofGroup: group, timeout: timeout)
    }
  }
}
