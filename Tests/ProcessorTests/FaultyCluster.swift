import Contract
import Kafka
import Synchronization

/// A cluster whose clients fail where a test says so; all else is the cluster's behind it.
final class FaultyCluster: KafkaCluster {
  private let base: any KafkaCluster
  private let consumersToFail: Mutex<[Bool]>
  private let transactionsToAbort: Mutex<Int>
  private let isLogTruncated: Mutex<Bool>
  private let commitsToHide: Mutex<Int>
  private let unstable = Mutex<Set<Int32>>([])
  private let seeksToLose: Mutex<Int>
  private let seeks = Mutex<[PartitionOffset]>([])

  /// - Parameters:
  ///   - failingConsumers: for each member that is made, whether that fails; later ones do not.
  ///   - abortedTransactions: the number of transactions that meet an error that requires an abort.
  ///   - hiddenCommits: the number of producers whose commits never say their outcome, although they are in.
  ///   - truncatedLog: whether the first reader that reads finds the position gone that it was to begin at.
  ///   - lostSeeks: the number of seeks of members that do nothing.
  init(
    _ base: any KafkaCluster, failingConsumers: [Bool] = [], abortedTransactions: Int = 0,
    hiddenCommits: Int = 0, truncatedLog: Bool = false, lostSeeks: Int = 0
  ) {
    self.base = base
    consumersToFail = Mutex(failingConsumers)
    transactionsToAbort = Mutex(abortedTransactions)
    isLogTruncated = Mutex(truncatedLog)
    commitsToHide = Mutex(hiddenCommits)
    seeksToLose = Mutex(lostSeeks)
  }

  var isEmbedded: Bool { base.isEmbedded }
  var bootstrapServers: String { base.bootstrapServers }
  var admin: any ClusterAdmin { base.admin }

  func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer {
    let fails = consumersToFail.withLock { $0.isEmpty ? false : $0.removeFirst() }
    if fails { throw KafkaError(.invalidArgument, message: "this member fails") }
    return FaultyConsumer(try base.makeGroupConsumer(options), cluster: self)
  }

  func makeTransactionalProducer(
    _ options: TransactionalProducerOptions
  ) throws(KafkaError) -> any TransactionalProducer {
    let hides = commitsToHide.withLock { left in
      defer { left = max(0, left - 1) }
      return left > 0
    }
    return FaultyProducer(try base.makeTransactionalProducer(options), cluster: self, hidesCommits: hides)
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

  /// Partitions whose offsets an open transaction of somebody else holds.
  var unstablePartitions: Set<Int32> {
    get { unstable.withLock { $0 } }
    set { unstable.withLock { $0 = newValue } }
  }

  /// Where members were sent, in order, lost seeks left out.
  var soughtPositions: [PartitionOffset] { seeks.withLock { $0 } }

  /// Whether a seek is to do nothing.
  fileprivate func takeSeek(_ positions: [PartitionOffset]) -> Bool {
    let isLost = seeksToLose.withLock { left in
      defer { left = max(0, left - 1) }
      return left > 0
    }
    if !isLost { seeks.withLock { $0 += positions } }
    return isLost
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
  private let hidesCommits: Bool
  private var isIn = false

  init(_ base: any TransactionalProducer, cluster: FaultyCluster, hidesCommits: Bool) {
    self.base = base
    self.cluster = cluster
    self.hidesCommits = hidesCommits
  }

  var deliveryListener: (any DeliveryListener)? {
    get { base.deliveryListener }
    set { base.deliveryListener = newValue }
  }

  func initTransactions(timeout: Duration) throws(KafkaError) { try base.initTransactions(timeout: timeout) }
  func begin() throws(KafkaError) { try base.begin() }
  func keep(_ memory: consuming OutputBuffer) -> ByteView { base.keep(memory) }
  func produce(_ record: OutgoingRecord) throws(KafkaError) { try base.produce(record) }

  func sendOffsets(
    _ offsets: [PartitionOffset], group: any GroupMetadata, timeout: Duration
  ) throws(KafkaError) -> Bool {
    guard try base.sendOffsets(offsets, group: group, timeout: timeout) else { return false }
    if cluster.takeAbort() {
      throw KafkaError(.illegalGeneration, message: "this transaction fails", requiresAbort: true)
    }
    return true
  }

  func commit(timeout: Duration) throws(KafkaError) -> CommitProgress {
    guard hidesCommits else { return try base.commit(timeout: timeout) }
    if !isIn, case .committed = try base.commit(timeout: .seconds(5)) { isIn = true }
    return .pending
  }
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

private final class FaultyConsumer: GroupConsumer {
  private let base: any GroupConsumer
  private let cluster: FaultyCluster

  init(_ base: any GroupConsumer, cluster: FaultyCluster) {
    self.base = base
    self.cluster = cluster
  }

  func committed(_ partitions: [TopicPartition], timeout: Duration) throws(KafkaError) -> [PartitionOffset?] {
    if !cluster.unstablePartitions.isDisjoint(with: partitions.map(\.partition)) {
      throw KafkaError(.unstableOffsetCommit, message: "an open transaction holds them", isRetriable: true)
    }
    return try base.committed(partitions, timeout: timeout)
  }

  var assignmentLost: Bool { base.assignmentLost }

  func subscribe(to topics: [String], listener: any RebalanceListener) throws(KafkaError) {
    try base.subscribe(to: topics, listener: listener)
  }
  func poll(timeout: Duration) -> ConsumerEvent { base.poll(timeout: timeout) }
  func assign(_ positions: [PartitionOffset]) throws(KafkaError) { try base.assign(positions) }
  func unassign() throws(KafkaError) { try base.unassign() }
  func pause(_ partitions: [TopicPartition]) throws(KafkaError) { try base.pause(partitions) }
  func resume(_ partitions: [TopicPartition]) throws(KafkaError) { try base.resume(partitions) }
  func seek(_ positions: [PartitionOffset]) throws(KafkaError) {
    if !cluster.takeSeek(positions) { try base.seek(positions) }
  }
  func commit(_ offsets: [PartitionOffset]) throws(KafkaError) { try base.commit(offsets) }
  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    try base.watermarks(of: partition, timeout: timeout)
  }
  func cachedHighWatermark(of partition: TopicPartition) -> Int64? {
    base.cachedHighWatermark(of: partition)
  }
  func groupMetadata() throws(KafkaError) -> any GroupMetadata { try base.groupMetadata() }
  func close() throws(KafkaError) { try base.close() }
}
