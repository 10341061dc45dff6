import Kafka

/// What consumers and readers have in common: fetching partitions into a queue, and handing it out record by record.
///
/// One fetch of a partition is under way or buffered at a time. Pause, seek and a new assignment raise the partition's
/// version, so that nothing fetched before appears.
final class Fetcher {
  /// A partition that is read.
  final class Partition {
    let log: PartitionLog
    let topicIndex: Int
    fileprivate(set) var isPaused = false
    /// The offset that the application is to get next; logical until it is resolved.
    fileprivate(set) var position: Int64
    fileprivate var version = 0
    fileprivate var buffer: [(offset: Int64, timestamp: Int64, record: StoredRecord)] = []
    fileprivate var bufferIndex = 0
    fileprivate var behindBuffer: Int64 = 0
    /// The end that was said already.
    fileprivate var saidEnd: Int64 = -1
    fileprivate(set) var highWatermark: Int64?
    /// Whether its position was outside of the log: only an assignment lets it be read again.
    fileprivate var isStopped = false

    fileprivate init(_ log: PartitionLog, topicIndex: Int, position: Int64) {
      self.log = log
      self.topicIndex = topicIndex
      self.position = position
    }
  }

  private enum Item {
    case records(Partition, version: Int)
    case end(Partition, version: Int, offset: Int64)
    case failure(Partition, version: Int, KafkaError)
  }

  private(set) var partitions: [Partition] = []
  /// Whether nothing is to be handed out until a rebalance is answered.
  var isHeld = false
  private let process: SimulatedProcess
  private let isolation: IsolationLevel
  private let offsetReset: GroupConsumerOptions.OffsetReset
  /// How long a fetch at the end of a partition waits.
  private let wait: ClosedRange<Int64>
  private var errors: [KafkaError] = []
  private var queue: [Item] = []
  private var queueStart = 0
  /// Keeps the views of the last record valid.
  private var current: StoredRecord?

  private static let maxBytes = 1 << 20

  init(
    _ process: SimulatedProcess, _ isolation: IsolationLevel,
    offsetReset: GroupConsumerOptions.OffsetReset, wait: ClosedRange<Int64>
  ) {
    self.wait = wait
    self.process = process
    self.isolation = isolation
    self.offsetReset = offsetReset
  }

  private var world: SimulatedWorld { process.world }

  /// Whether a poll would bring something, as far as is known without looking.
  var hasEvents: Bool { queueStart < queue.count || !errors.isEmpty }

  // MARK: Assignment

  func assign(_ positions: [(log: PartitionLog, topicIndex: Int, offset: Int64)]) {
    stop()
    partitions = positions.map { Partition($0.log, topicIndex: $0.topicIndex, position: $0.offset) }
    for partition in partitions { start(partition) }
  }

  /// Reads nothing any more.
  func stop() {
    for partition in partitions { partition.version += 1 }
    partitions = []
    queue.removeAll(keepingCapacity: true)
    queueStart = 0
    current = nil
  }

  func partition(_ topicPartition: TopicPartition) -> Partition? {
    partitions.first { $0.log.topicPartition == topicPartition }
  }

  func pause(_ partition: Partition) {
    guard !partition.isPaused else { return }
    partition.isPaused = true
    forget(partition)
  }

  func resume(_ partition: Partition) {
    guard partition.isPaused else { return }
    partition.isPaused = false
    if !partition.isStopped { startLater(partition) }
  }

  func seek(_ partition: Partition, to offset: Int64) {
    guard !partition.isStopped else { return }
    forget(partition)
    partition.position = offset
    if !partition.isPaused { startLater(partition) }
  }

  /// Drops what was fetched and is not handed out.
  private func forget(_ partition: Partition) {
    partition.version += 1
    partition.buffer.removeAll(keepingCapacity: true)
    partition.bufferIndex = 0
    partition.saidEnd = -1
  }

  func releaseRecord() { current = nil }

  // MARK: Fetching

  private func start(_ partition: Partition) {
    if partition.position < 0 { resolve(partition) } else { fetch(partition, from: partition.position) }
  }

  /// A partition that is resumed or sought in is fetched when the fetch under way is answered.
  private func startLater(_ partition: Partition) {
    let version = partition.version
    process.later(world.random(wait)) { [weak self] in
      guard let self, version == partition.version, !partition.isPaused else { return }
      start(partition)
    }
  }

  /// Asks where a logical position is.
  private func resolve(_ partition: Partition) {
    let version = partition.version
    let log = partition.log
    let isolation = isolation
    let isBeginning = partition.position == PartitionOffset.beginning
    process.request(.partition(log)) { answer in
      answer(isBeginning ? log.startOffset : log.end(isolation))
    } _: { [weak self] (reply: Reply<Int64>) in
      guard let self, version == partition.version else { return }
      guard case .answer(let offset) = reply else { return resolve(partition) }
      partition.position = offset
      fetch(partition, from: offset)
    }
  }

  private func fetch(_ partition: Partition, from offset: Int64) {
    let version = partition.version
    let log = partition.log
    let isolation = isolation
    let (process, wait) = (process, wait)
    let knowsEnd = partition.saidEnd == offset
    let maxRecords = world.latencies.fetchRecords
    process.request(.partition(log)) { answer in
      let batch = log.fetch(from: offset, isolation, maxRecords: maxRecords, maxBytes: Self.maxBytes)
      guard batch.records.isEmpty, batch.nextOffset == offset, !batch.isOutOfRange else {
        return answer(batch)
      }
      // The broker keeps the fetch until there is something, or its wait is over.
      var isAnswered = false
      log.whenReadable(from: offset, isolation) {
        guard !isAnswered else { return }
        isAnswered = true
        answer(log.fetch(from: offset, isolation, maxRecords: maxRecords, maxBytes: Self.maxBytes))
      }
      guard !knowsEnd else { return }
      process.world.schedule(after: process.world.random(wait)) {
        guard !isAnswered else { return }
        isAnswered = true
        answer(log.fetch(from: offset, isolation, maxRecords: maxRecords, maxBytes: Self.maxBytes))
      }
    } _: { [weak self] (reply: Reply<FetchedBatch>) in
      guard let self, version == partition.version else { return }
      guard case .answer(let batch) = reply else { return fetch(partition, from: offset) }
      take(batch, partition, fetchedFrom: offset)
    }
  }

  private func take(_ batch: FetchedBatch, _ partition: Partition, fetchedFrom offset: Int64) {
    if batch.isOutOfRange { return takeOutOfRange(partition, offset) }
    partition.highWatermark = batch.end
    if !batch.records.isEmpty {
      partition.buffer = batch.records
      partition.bufferIndex = 0
      partition.behindBuffer = batch.nextOffset
      add(.records(partition, version: partition.version))
      return
    }
    if batch.nextOffset == offset, batch.end == offset, partition.saidEnd != offset {
      partition.saidEnd = offset
      add(.end(partition, version: partition.version, offset: offset))
    }
    fetch(partition, from: batch.nextOffset)
  }

  private func takeOutOfRange(_ partition: Partition, _ offset: Int64) {
    switch offsetReset {
    case .error:
      // The client stops reading the partition until it is assigned again: a seek is mostly refused.
      partition.isStopped = true
      add(
        .failure(
          partition, version: partition.version,
          KafkaError(
            .noOffset,
            message:
              "\(partition.log.topicPartition): fetch position \(offset) is out of range, and no reset is allowed"
          )))
    case .earliest, .latest:
      partition.position = offsetReset == .earliest ? PartitionOffset.beginning : PartitionOffset.end
      resolve(partition)
    }
  }

  private func add(_ item: Item) {
    queue.append(item)
    process.arrived()
  }

  /// Adds an error of the client itself: it outlives assignments.
  func add(_ error: KafkaError) {
    errors.append(error)
    process.arrived()
  }

  /// The next error of the client itself.
  func nextError() -> KafkaError? { errors.isEmpty ? nil : errors.removeFirst() }

  // MARK: Handing out

  /// The next thing that is at hand.
  func next() -> ConsumerEvent? {
    current = nil
    while queueStart < queue.count {
      let item = queue[queueStart]
      switch item {
      case .records(let partition, let version):
        guard version == partition.version else {
          removeFirst()
          continue
        }
        return nextRecord(partition)
      case .end(let partition, let version, let offset):
        removeFirst()
        guard version == partition.version else { continue }
        partition.position = max(partition.position, offset)
        return .endOfPartition(
          topicIndex: partition.topicIndex, partition: partition.log.topicPartition.partition, offset: offset)
      case .failure(let partition, let version, let error):
        removeFirst()
        guard version == partition.version else { continue }
        return .error(error)
      }
    }
    return nil
  }

  private func nextRecord(_ partition: Partition) -> ConsumerEvent {
    let (offset, timestamp, record) = partition.buffer[partition.bufferIndex]
    partition.bufferIndex += 1
    partition.position = offset + 1
    if partition.bufferIndex == partition.buffer.count {
      removeFirst()
      partition.buffer.removeAll(keepingCapacity: true)
      fetch(partition, from: partition.behindBuffer)
    }
    current = record
    return .record(
      ConsumedRecord(
        topicIndex: partition.topicIndex, partition: partition.log.topicPartition.partition, offset: offset,
        timestampMilliseconds: timestamp, isLogAppendTime: partition.log.isLogAppendTime, key: record.key,
        value: record.value, headers: record.headers))
  }

  private func removeFirst() {
    queueStart += 1
    guard queueStart == queue.count else { return }
    queue.removeAll(keepingCapacity: true)
    queueStart = 0
  }
}
