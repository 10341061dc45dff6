import Kafka
import Synchronization

/// A cluster whose clients fail where a test says so; all else is the cluster's behind it.
final class FaultyCluster: KafkaCluster {
  private let base: any KafkaCluster
  private let consumersToFail: Mutex<[Bool]>
  private let transactionsToAbort: Mutex<Int>
  private let isLogTruncated: Mutex<Bool>

  /// - Parameters:
  ///   - failingConsumers: for each member that is made, whether that fails; later ones do not.
  ///   - abortedTransactions: the number of transactions that meet an error that requires an abort.
  ///   - truncatedLog: whether the first reader that reads finds the position gone that it was to begin at.
  init(
    _ base: any KafkaCluster, failingConsumers: [Bool] = [], abortedTransactions: Int = 0,
    truncatedLog: Bool = false
  ) {
    self.base = base
    consumersToFail = Mutex(failingConsumers)
    transactionsToAbort = Mutex(abortedTransactions)
    isLogTruncated = Mutex(truncatedLog)
  }

  var isEmbedded: Bool { base.isEmbedded }
  var bootstrapServers: String { base.bootstrapServers }
  var admin: any ClusterAdmin { base.admin }

  func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer {
    let fails = consumersToFail.withLock { $0.isEmpty ? false : $0.removeFirst() }
    if fails { throw KafkaError(.invalidArgument, message: "this member fails") }
    return try base.makeGroupConsumer(options)
  }

  func makeTransactionalProducer(
    _ options: TransactionalProducerOptions
  ) throws(KafkaError) -> any TransactionalProducer {
    FaultyProducer(try base.makeTransactionalProducer(options), cluster: self)
  }

  func makeIdempotentProducer(
    _ options: IdempotentProducerOptions
  ) throws(KafkaError) -> any IdempotentProducer { try base.makeIdempotentProducer(options) }

  func makeLogReader(_ options: LogReaderOptions) throws(KafkaError) -> any LogReader {
    FaultyReader(try base.makeLogReader(options), cluster: self)
  }

  /// Whether the log that is about to be read is to be truncated.
  fileprivate func takeTruncation() -> Bool {
    isLogTruncated.withLock { isTruncated in
      defer { isTruncated = false }
      return isTruncated
    }
  }

  /// Whether this transaction is to fail.
  fileprivate func takeAbort() -> Bool {
    transactionsToAbort.withLock { left in
      guard left > 0 else { return false }
      left -= 1
      return true
    }
  }
}

private final class FaultyProducer: TransactionalProducer {
  private let base: any TransactionalProducer
  private let cluster: FaultyCluster

  init(_ base: any TransactionalProducer, cluster: FaultyCluster) {
    self.base = base
    self.cluster = cluster
  }

  var deliveryListener: (any DeliveryListener)? {
    get { base.deliveryListener }
    set { base.deliveryListener = newValue }
  }

  func initTransactions(timeout: Duration) throws(KafkaError) { try base.initTransactions(timeout: timeout) }
  func begin() throws(KafkaError) { try base.begin() }
  func produce(_ record: OutgoingRecord) throws(KafkaError) { try base.produce(record) }

  func sendOffsets(
    _ offsets: [PartitionOffset], group: any GroupMetadata, timeout: Duration
  ) throws(KafkaError) {
    try base.sendOffsets(offsets, group: group, timeout: timeout)
    if cluster.takeAbort() {
      throw KafkaError(.illegalGeneration, message: "this transaction fails", requiresAbort: true)
    }
  }

  func commit(timeout: Duration) throws(KafkaError) -> CommitProgress { try base.commit(timeout: timeout) }
  func abort(timeout: Duration) throws(KafkaError) { try base.abort(timeout: timeout) }
  func poll() { base.poll() }
  func close() { base.close() }
}

/// Reads nothing more, as a client does whose position is gone, until it is assigned again.
private final class FaultyReader: LogReader {
  private let base: any LogReader
  private let cluster: FaultyCluster
  private var isStuck = false

  init(_ base: any LogReader, cluster: FaultyCluster) {
    self.base = base
    self.cluster = cluster
  }

  func assign(_ positions: [PartitionOffset]) throws(KafkaError) {
    isStuck = false
    try base.assign(positions)
  }

  func poll(timeout: Duration) -> ConsumerEvent {
    if isStuck { return .none }
    guard cluster.takeTruncation() else { return base.poll(timeout: timeout) }
    isStuck = true
    return .error(KafkaError(.noOffset, message: "the position is gone"))
  }

  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    try base.watermarks(of: partition, timeout: timeout)
  }

  func close() { base.close() }
}
