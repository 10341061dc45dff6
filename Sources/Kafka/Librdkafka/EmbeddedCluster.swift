import CLibrdkafka
import Logging

/// A Kafka cluster inside of this process: librdkafka's mock cluster, on real sockets, so that `kcat` and other
/// processes of this machine reach it at ``bootstrapServers``. It is gone when the last reference is.
///
/// It is for demonstrations and tests, and it is not all of Kafka: it keeps 5 MiB of each partition and drops older
/// records, forgets the offsets that transactions commit, fences nobody, shows aborted records, deletes no records, and
/// knows no settings of topics. The first join of a group takes 3 s.
public final class EmbeddedCluster: KafkaCluster {
  private let mock: MockHandle
  let cluster: LibrdkafkaCluster

  /// Starts a cluster on free ports of 127.0.0.1.
  ///
  /// - Parameters:
  ///   - brokerCount: the number of brokers, 1 or more.
  ///   - properties: properties of librdkafka for its clients, as in ``ClientConfiguration``.
  /// - Throws: what librdkafka refuses, or that no port could be had.
  public init(
    brokerCount: Int = 1, properties: [String: String] = [:], logger: Logger
  ) throws(KafkaError) {
    let mock = try MockHandle(brokerCount: brokerCount, logger: logger)
    let configuration = ClientConfiguration(
      bootstrapServers: mock.bootstrapServers, properties: properties, logger: logger)
    cluster = try LibrdkafkaCluster(configuration)
    self.mock = mock
  }

  deinit { cluster.clients.log.clusterEnds() }

  /// Always true.
  public var isEmbedded: Bool { true }
  /// `127.0.0.1:port,…`.
  public var bootstrapServers: String { cluster.bootstrapServers }
  /// Lists and creates topics and reads offsets; the rest is ``KafkaError/Code/unsupported`` by the mock cluster.
  public var admin: any ClusterAdmin { EmbeddedAdmin(self, cluster.librdkafkaAdmin) }

  /// Creates a topic.
  ///
  /// - Throws: ``KafkaError/Code/topicAlreadyExists``; ``KafkaError/Code/invalidArgument`` for a partition count
  ///   below 1.
  public func createTopic(_ name: String, partitionCount: Int) throws(KafkaError) {
    guard partitionCount > 0 else {
      throw KafkaError(.invalidArgument, message: "topic \(name): \(partitionCount) partitions are too few")
    }
    let code = rd_kafka_mock_topic_create(mock.pointer, name, Int32(clamping: partitionCount), 1)
    try KafkaError.check(code, "creating topic \(name)")
  }

  /// Makes the next requests of a kind fail, one error each, on whatever broker they arrive; for tests.
  ///
  /// - Parameter apiKey: the number of the request in the protocol (0 Produce, 26 EndTxn, 28 TxnOffsetCommit, …).
  public func failRequests(apiKey: Int16, with errors: [KafkaError.Code]) {
    let codes = errors.map { rd_kafka_resp_err_t($0.rawValue) }
    rd_kafka_mock_push_request_errors_array(mock.pointer, apiKey, codes.count, codes)
  }

  /// Lets another broker lead a partition, or none; for tests.
  ///
  /// - Parameter broker: its number, from 1 on; nil for none.
  public func setLeader(of partition: TopicPartition, to broker: Int32?) throws(KafkaError) {
    let code = rd_kafka_mock_partition_set_leader(
      mock.pointer, partition.topic, partition.partition, broker ?? -1)
    try KafkaError.check(code, "setting the leader of \(partition)")
  }

  /// Delays every answer of all brokers; for tests.
  public func setRoundTripTime(_ time: Duration) {
    rd_kafka_mock_broker_set_rtt(mock.pointer, -1, time.wholeMilliseconds)
  }

  /// A member of a group.
  public func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer {
    try cluster.makeGroupConsumer(options)
  }

  /// A producer of transactions.
  public func makeTransactionalProducer(
    _ options: TransactionalProducerOptions
  ) throws(KafkaError) -> any TransactionalProducer {
    try cluster.makeTransactionalProducer(options)
  }

  /// A producer outside of transactions.
  public func makeIdempotentProducer(
    _ options: IdempotentProducerOptions
  ) throws(KafkaError) -> any IdempotentProducer {
    try cluster.makeIdempotentProducer(options)
  }

  /// A reader of explicit partitions.
  public func makeLogReader(_ options: LogReaderOptions) throws(KafkaError) -> any LogReader {
    try cluster.makeLogReader(options)
  }
}

/// Owns a mock cluster and the client that it lives in.
private struct MockHandle: ~Copyable, @unchecked Sendable {
  // Sendable: the mock cluster serialises its calls itself.
  let pointer: OpaquePointer
  private let client: ClientHandle

  init(brokerCount: Int, logger: Logger) throws(KafkaError) {
    // The host of the mock cluster connects to nothing, and would warn that it cannot.
    var logger = logger
    logger.logLevel = max(logger.logLevel, .error)
    let host = ClientConfiguration(bootstrapServers: "", clientID: "embedded-cluster", logger: logger)
    let log = ConnectionLog(logger: logger, bootstrapServers: "the embedded cluster")
    let client = try ClientHandle(RD_KAFKA_PRODUCER, ClientProperties(host), log: log)
    guard let pointer = rd_kafka_mock_cluster_new(client.pointer, Int32(clamping: brokerCount)) else {
      throw KafkaError(
        .invalidArgument,
        message: "no embedded cluster of \(brokerCount) brokers could be started on 127.0.0.1")
    }
    self.client = client
    self.pointer = pointer
  }

  deinit { rd_kafka_mock_cluster_destroy(pointer) }

  var bootstrapServers: String { String(cString: rd_kafka_mock_cluster_bootstraps(pointer)) }
}

/// The admin of an embedded cluster: creates topics in the mock cluster, which knows no admin requests.
private final class EmbeddedAdmin: ClusterAdmin {
  private let cluster: EmbeddedCluster
  private let requests: LibrdkafkaAdmin

  init(_ cluster: EmbeddedCluster, _ requests: LibrdkafkaAdmin) {
    self.cluster = cluster
    self.requests = requests
  }

  func topics(timeout: Duration) throws(KafkaError) -> [TopicDescription] {
    try requests.topics(timeout: timeout)
  }

  func configuration(ofTopic topic: String, timeout: Duration) throws(KafkaError) -> [String: String] {
    throw KafkaError(.unsupported, message: "the embedded cluster keeps no settings of \(topic)")
  }

  func create(_ topics: [NewTopic], timeout: Duration) throws(KafkaError) {
    for topic in topics { try cluster.createTopic(topic.name, partitionCount: topic.partitionCount) }
  }

  func deleteRecords(
    before offsets: [PartitionOffset], timeout: Duration
  ) throws(KafkaError) -> [PartitionOffset] {
    throw KafkaError(.unsupported, message: "the embedded cluster deletes no records")
  }

  func offsets(
    of partitions: [TopicPartition], isolation: IsolationLevel, timeout: Duration
  ) throws(KafkaError) -> [OffsetRange] {
    try requests.offsets(of: partitions, isolation: isolation, timeout: timeout)
  }

  func offsets(
    of partitions: [TopicPartition], since milliseconds: Int64, timeout: Duration
  ) throws(KafkaError) -> [Int64?] {
    try requests.offsets(of: partitions, isolation: .readUncommitted, timeout: timeout).map(\.earliest)
  }

  func committedOffsets(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [PartitionOffset] {
    try requests.committedOffsets(ofGroup: group, timeout: timeout)
  }

  func members(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [GroupMember] {
    throw KafkaError(.unsupported, message: "the embedded cluster does not describe the group \(group)")
  }
}
