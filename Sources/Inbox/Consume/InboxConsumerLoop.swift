import Contract
import Foundation
import Kafka
import Logging
import Metrics

/// The consumer's thread: reads, collects a batch, stores it, tells the group.
///
/// Confined to that thread. No access to its state spans a poll, in which a rebalance may come and change it.
final class InboxConsumerLoop {
  let consumer: any GroupConsumer
  let producer: any IdempotentProducer
  let store: InboxStore
  let signals: InboxSignals
  let options: InboxConsumerOptions
  let progress: InboxProgress
  let logger: Logger
  let onHealth: @Sendable (String?) -> Void
  let metrics: InboxMetrics

  private var reader: InboxDeliveryReader
  /// What was read and is not stored.
  var batch: InboxBatch
  /// What was read and cannot be, to go to the dead letters before the batch is stored.
  var deadLetters: [ProducerRecord] = []
  private var batchDeadline: ContinuousClock.Instant?
  /// Where the broker said that a partition ends, behind the markers of transactions.
  var ends: [Int32: Int64] = [:]
  var assigned: Set<Int32> = []
  /// Per partition the position behind all that is stored.
  var positions: [Int32: Int64] = [:]
  /// The positions that the group knows.
  var committed: [Int32: Int64] = [:]
  private var nextCommit = ContinuousClock.now
  /// Why the listener could not take an assignment; thrown once the poll is over.
  var assignmentError: (any Error)?
  private var lastErrors: [String: ContinuousClock.Instant] = [:]
  private var isUnhealthy = false
  /// Whether the topic does not hold a position any more.
  var isPositionGone = false

  init(
    consumer: any GroupConsumer, producer: any IdempotentProducer, store: InboxStore, signals: InboxSignals,
    options: InboxConsumerOptions, progress: InboxProgress, logger: Logger,
    factory: any MetricsFactory, onHealth: @escaping @Sendable (String?) -> Void
  ) throws {
    self.consumer = consumer
    self.producer = producer
    self.store = store
    self.signals = signals
    self.options = options
    self.progress = progress
    self.logger = logger
    self.onHealth = onHealth
    batch = InboxBatch(topic: options.topic)
    reader = try InboxDeliveryReader(topic: options.topic, logger: logger)
    metrics = InboxMetrics(group: options.groupID, topic: options.topic, factory: factory)
  }

  func run() throws {
    try consumer.subscribe(to: [options.topic], listener: self)
    do {
      while !progress.isStopping {
        progress.pulse.beat()
        try handle(consumer.poll(timeout: pollTimeout))
        if isBatchDue { try storeBatch() }
        if isPositionGone { try beginAgain() }
        try commitPositions()
        metrics.updateLag(of: assigned, at: positions, atEnd: ends, from: consumer, isPaused: false)
      }
      try storeBatch()
    } catch {
      // Leaves the group at once instead of letting it wait for the session's end; the first error is the one
      // to tell.
      try? consumer.close()
      throw error
    }
    try consumer.close()
  }

  // MARK: Reading

  private var pollTimeout: Duration {
    guard let batchDeadline else { return .milliseconds(100) }
    return max(.zero, min(ContinuousClock.now.duration(to: batchDeadline), .milliseconds(100)))
  }

  private var isBatchDue: Bool {
    guard let batchDeadline else { return false }
    return batch.positions.isEmpty
      ? false
      : batchCount >= options.batchRecords || isAtEnd
        || batchDeadline <= .now
  }

  private var batchCount: Int { batch.records.count + deadLetters.count }

  /// Whether all partitions are read to their ends: nothing more can share the batch.
  var isAtEnd: Bool { !assigned.isEmpty && ends.count == assigned.count }

  private func handle(_ event: ConsumerEvent) throws {
    if let assignmentError { throw assignmentError }
    switch event {
    case .none: break
    case .record(let record): take(record)
    case .endOfPartition(_, let partition, let offset):
      guard assigned.contains(partition) else { break }
      ends[partition] = offset
      settleEnds()
    case .error(let error) where error.code == .noOffset: isPositionGone = true
    case .error(let error):
      guard !error.isFatal else { throw error.during("consuming \(options.topic)") }
      report(error)
    }
  }

  /// Reads all partitions on by an assignment: the client has stopped to read one of them, and mostly refuses a seek.
  private func beginAgain() throws {
    try storeBatch()
    guard !progress.isStopping else { return }
    isPositionGone = false
    ends.removeAll()
    try readOn(assigned.sorted().map(topicPartition))
  }

  private func take(_ record: ConsumedRecord) {
    // Fetched before a rebalance took the partition away: its next owner reads it.
    guard assigned.contains(record.partition) else { return }
    ends[record.partition] = nil
    metrics.seen(record)
    if batchDeadline == nil { batchDeadline = .now + options.batchTime }
    switch reader.read(record) {
    case .entry(let entry, let acceptedAt):
      metrics.accepted(at: acceptedAt)
      batch.append(entry, partition: record.partition, offset: record.offset)
    case .deadLetter(let letter):
      deadLetters.append(letter)
      batch.advance(partition: record.partition, to: record.offset + 1)
    }
    progress.counters.withLock { $0.isIdle = false }
  }

  /// A message of librdkafka that repeats is logged twice a minute.
  private func report(_ error: KafkaError) {
    let now = ContinuousClock.now
    if let last = lastErrors[error.name], last.duration(to: now) < .seconds(30) { return }
    lastErrors[error.name] = now
    logger.warning("consuming \(options.topic): \(error)")
  }

  // MARK: Storing

  /// Stores what was read, however often that has to be tried, unless the process stops.
  private func storeBatch() throws {
    var delay = Duration.milliseconds(100)
    while !batch.isEmpty {
      do {
        try storeOnce()
        break
      } catch let error as InboxStoreError where error.isTransient {
        try waitToRetry("\(error)", delay)
      } catch let error as KafkaError where !error.isFatal {
        try waitToRetry("cannot write to \(options.deadLetterTopic): \(error)", delay)
      }
      if progress.isStopping { return }
      delay = min(delay * 2, .seconds(10))
    }
    batchDeadline = nil
    guard isUnhealthy else { return }
    isUnhealthy = false
    try consumer.resume(assigned.map(topicPartition))
    logger.notice("the inbox stores deliveries again")
    onHealth(nil)
  }

  /// One attempt to store what was read: dead letters first, then rows and offsets.
  func storeOnce() throws {
    guard !batch.isEmpty else { return }
    if !deadLetters.isEmpty {
      try InboxDeadLetters.send(deadLetters, by: producer)
      metrics.deadLettered(deadLetters.count)
      progress.counters.withLock { $0.deadLettered += deadLetters.count }
      deadLetters.removeAll()
    }
    let started = ContinuousClock.now
    let applied = try store.apply(batch)
    metrics.stored(applied, in: started.duration(to: .now))
    positions.merge(batch.positions) { max($0, $1) }
    batch.removeAll()
    settleEnds()
    progress.counters.withLock { counters in
      counters.rows += applied.inserted
      counters.skipped += applied.skipped
      counters.positions = positions
    }
    signals.notify(applied.recipients)
  }

  private func waitToRetry(_ problem: String, _ delay: Duration) throws {
    metrics.failed()
    progress.counters.withLock { $0.failedAttempts += 1 }
    if !isUnhealthy {
      logger.error("\(problem) Reading is paused; trying again.")
      onHealth(problem)
      isUnhealthy = true
    }
    let end = ContinuousClock.now + delay
    while ContinuousClock.now < end, !progress.isStopping {
      progress.pulse.beat()
      // Polling keeps the membership; what an assignment brings meanwhile is paused, too.
      try consumer.pause(assigned.map(topicPartition))
      try handle(consumer.poll(timeout: min(.milliseconds(100), ContinuousClock.now.duration(to: end))))
      metrics.updateLag(of: assigned, at: positions, atEnd: ends, from: consumer, isPaused: true)
    }
  }

  /// A partition's end is a position of ours once all that was read of it is stored.
  private func settleEnds() {
    for (partition, end) in ends where batch.positions[partition] == nil {
      positions[partition] = max(end, positions[partition] ?? 0)
    }
  }

  // MARK: The group's offsets

  func topicPartition(_ partition: Int32) -> TopicPartition {
    TopicPartition(topic: options.topic, partition: partition)
  }

  /// Tells the group the positions: the truth is in the database, and this is what lag is computed from.
  func commitPositions(isForced: Bool = false) throws {
    let changed = positions.filter { assigned.contains($0.key) && committed[$0.key] != $0.value }
    if !changed.isEmpty {
      guard isForced || nextCommit <= .now else { return }
      nextCommit = .now + options.commitInterval
      do {
        try consumer.commit(changed.map { PartitionOffset(topicPartition($0.key), offset: $0.value) })
        committed.merge(changed) { $1 }
      } catch {
        // A rebalance or a broker's restart: the next turn commits again, by then perhaps for other
        // partitions.
        guard !error.isFatal else { throw error.during("committing offsets of group \(options.groupID)") }
        report(error)
        return
      }
    }
    let isIdle = isAtEnd && batch.isEmpty
    progress.counters.withLock { counters in
      counters.isIdle = isIdle
      counters.positions = positions
    }
  }
}
