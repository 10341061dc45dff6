import Contract
import Kafka

/// What both producers do with records: queues per partition, batches, one of them under way per partition, each sent
/// again until it is answered. Sending a batch twice appends it once (KIP-98's sequence numbers).
final class RecordSender {
  struct Queued {
    var record: StoredRecord
    var timestamp: Int64
    /// When its time is over, by the true time.
    var deadline: Int64
    var tag: UInt64
    var onDelivery: (@Sendable (Result<RecordMetadata, KafkaError>) -> Void)?
  }

  /// A producer as the broker sees it.
  struct Identity {
    var producerID: Int64
    var epoch: Int16
    /// nil outside of transactions.
    var transactionalID: String?
  }

  /// The records of one request to one partition.
  final class Batch {
    let records: [Queued]
    let identity: Identity
    /// Where the first of them was put, once they were.
    var firstOffset: Int64?
    var appendTime: Int64 = 0
    /// Whether its records were given up: it may still arrive.
    var isGivenUp = false

    init(_ records: [Queued], _ identity: Identity) {
      self.records = records
      self.identity = identity
    }
  }

  final class Queue {
    let topic: SimulatedTopic
    let log: PartitionLog
    var waiting: [Queued] = []
    var batch: Batch?
    /// Whether the transaction holds the partition.
    var isRegistered = false
    var isRegistering = false

    init(_ topic: SimulatedTopic, _ log: PartitionLog) {
      self.topic = topic
      self.log = log
    }
  }

  let process: SimulatedProcess
  private let topics: [String]
  private let messageMaxBytes: Int
  private var resolved: [SimulatedTopic?]
  private(set) var queues: [Queue] = []
  private var queuesByTopic: [[Int]]
  /// When the broker is done with the requests that were sent.
  private var connectionFree: Int64 = 0
  /// The records that have no report yet.
  private(set) var unreported = 0

  /// Hears of every record's end.
  var onReport: ((Queued, Queue, Result<RecordMetadata, KafkaError>) -> Void)?
  /// Hears of a batch that was refused for good.
  var onRefusal: ((TransactionRefusal, Queue) -> Void)?
  /// Hears that records were given up, some of which may have arrived or still arrive.
  var onExpiry: (() -> Void)?
  /// Without one, nothing is sent.
  var identity: Identity?
  private let messageTimeout: Int64?
  private var isWatching = false

  /// - Parameter messageTimeout: how long a record may take to be delivered (`message.timeout.ms`), in milliseconds.
  init(
    _ process: SimulatedProcess, topics: [String], messageMaxBytes: Int, messageTimeout: Int64? = nil
  ) {
    self.process = process
    self.messageTimeout = messageTimeout
    self.topics = topics
    self.messageMaxBytes = messageMaxBytes
    resolved = Array(repeating: nil, count: topics.count)
    queuesByTopic = Array(repeating: [], count: topics.count)
  }

  private var world: SimulatedWorld { process.world }

  /// Puts a copy of a record into its partition's queue.
  func add(
    _ record: OutgoingRecord, _ onDelivery: (@Sendable (Result<RecordMetadata, KafkaError>) -> Void)? = nil
  ) throws(KafkaError) -> Queue {
    let stored = StoredRecord(record)
    guard topics.indices.contains(record.topicIndex) else {
      throw KafkaError(
        .invalidArgument, message: "the producer has no topic of index \(record.topicIndex)")
    }
    let name = topics[record.topicIndex]
    guard stored.byteCount <= messageMaxBytes else {
      throw KafkaError(
        .messageTooLarge, message: "producing to \(name): \(stored.byteCount) bytes are too many")
    }
    if resolved[record.topicIndex] == nil { resolved[record.topicIndex] = world.broker.topic(name) }
    guard let topic = resolved[record.topicIndex] else {
      throw KafkaError(
        .unknownTopicLocally, message: "producing to \(name): there is no such topic")
    }
    let count = topic.partitions.count
    let partition: Int
    if let chosen = record.partition {
      partition = Int(chosen)
    } else if let key = record.key {
      partition = Int(Murmur2.partition(ofKey: key, count: Int32(count)))
    } else {
      partition = Int(world.random(0...Int64(count - 1)))
    }
    guard topic.partitions.indices.contains(partition) else {
      throw KafkaError(
        .unknownPartitionLocally, message: "producing to \(name) [\(partition)]: there is no such partition")
    }
    let queue = queue(record.topicIndex, topic, partition)
    queue.waiting.append(
      Queued(
        record: stored, timestamp: process.wallMilliseconds,
        deadline: messageTimeout.map { world.now + $0 } ?? .max, tag: record.tag, onDelivery: onDelivery))
    unreported += 1
    watchDeadlines()
    return queue
  }

  private func queue(_ topicIndex: Int, _ topic: SimulatedTopic, _ partition: Int) -> Queue {
    let log = topic.partitions[partition]
    if let known = queuesByTopic[topicIndex].first(where: { queues[$0].log === log }) { return queues[known] }
    queuesByTopic[topicIndex].append(queues.count)
    let queue = Queue(topic, log)
    queues.append(queue)
    return queue
  }

  // MARK: Sending

  /// Sends what waits in a queue, unless a batch of it is under way.
  func send(_ queue: Queue) {
    guard queue.batch == nil, !queue.waiting.isEmpty, let identity else { return }
    var bytes = 0
    var count = 0
    for record in queue.waiting {
      guard count == 0 || bytes + record.record.byteCount <= messageMaxBytes else { break }
      bytes += record.record.byteCount
      count += 1
    }
    let batch: Batch
    if count == queue.waiting.count {
      batch = Batch(queue.waiting, identity)
      queue.waiting = []
    } else {
      batch = Batch(Array(queue.waiting[..<count]), identity)
      queue.waiting.removeFirst(count)
    }
    queue.batch = batch
    send(batch, queue)
  }

  private func send(_ batch: Batch, _ queue: Queue) {
    let log = queue.log
    let broker = world.broker
    connectionFree = max(connectionFree, world.now) + world.latencies.append
    process.request(.partition(log), after: connectionFree - world.now) { answer in
      answer(broker.append(batch, queue.topic, log))
    } _: { [self] (reply: Reply<TransactionRefusal?>) in
      switch reply {
      case .connectionLost, .notAvailable: if !batch.isGivenUp { send(batch, queue) }
      case .answer(let refusal):
        guard !batch.isGivenUp else { return }
        queue.batch = nil
        if let refusal {
          let error = KafkaError(
            refusal.code, message: "delivery to \(log.topicPartition): \(refusal)")
          onRefusal?(refusal, queue)
          for record in batch.records { report(record, queue, .failure(error)) }
        } else if let first = batch.firstOffset {
          for (index, record) in batch.records.enumerated() {
            report(
              record, queue,
              .success(
                RecordMetadata(
                  partition: log.topicPartition.partition, offset: first + Int64(index),
                  appendedMilliseconds: log.isLogAppendTime ? batch.appendTime : nil)))
          }
        }
        send(queue)
      }
    }
  }

  private func report(_ record: Queued, _ queue: Queue, _ result: Result<RecordMetadata, KafkaError>) {
    unreported -= 1
    onReport?(record, queue, result)
  }

  // MARK: message.timeout.ms

  /// Looks after the records' time, as long as there are any.
  private func watchDeadlines() {
    guard let messageTimeout, !isWatching, unreported > 0 else { return }
    isWatching = true
    let oldest = queues.reduce(Int64.max) { oldest, queue in
      min(oldest, queue.batch?.records.first?.deadline ?? .max, queue.waiting.first?.deadline ?? .max)
    }
    process.later(min(messageTimeout, max(1, oldest - world.now))) { [weak self] in
      guard let self else { return }
      isWatching = false
      expire()
      watchDeadlines()
    }
  }

  private func expire() {
    let error = KafkaError(KafkaError.Code(rawValue: -192), message: "not delivered in time")
    var expired: [(Queued, Queue)] = []
    for queue in queues {
      if let batch = queue.batch, let first = batch.records.first, first.deadline <= world.now {
        batch.isGivenUp = true
        queue.batch = nil
        expired += batch.records.map { ($0, queue) }
      }
      while let first = queue.waiting.first, first.deadline <= world.now {
        expired.append((queue.waiting.removeFirst(), queue))
      }
    }
    guard !expired.isEmpty else { return }
    world.note("\(process.name): \(expired.count) records were not delivered in time")
    onExpiry?()
    for (record, queue) in expired { report(record, queue, .failure(error)) }
  }

  /// Drops what waits and is not on its way.
  func purge() {
    let error = KafkaError(.purgedFromQueue, message: "dropped from the queue")
    for queue in queues where !queue.waiting.isEmpty {
      let dropped = queue.waiting
      queue.waiting = []
      for record in dropped { report(record, queue, .failure(error)) }
    }
  }
}

extension SimulatedBroker {
  /// Produce: appends a batch once, however often it comes.
  func append(_ batch: RecordSender.Batch, _ topic: SimulatedTopic, _ log: PartitionLog)
    -> TransactionRefusal?
  {
    guard batch.firstOffset == nil else { return nil }
    let identity = batch.identity
    if log.isFenced(producerID: identity.producerID, epoch: identity.epoch) { return .invalidProducerEpoch }
    if batch.records.contains(where: { $0.record.byteCount > topic.maxMessageBytes }) {
      return .messageTooLarge
    }
    var producer: (id: Int64, epoch: Int16)?
    if let transactionalID = identity.transactionalID {
      guard
        transactions.verify(
          log, producerID: identity.producerID, epoch: identity.epoch, transactionalID)
      else {
        return transactions.isFenced(transactionalID, epoch: identity.epoch)
          ? .invalidProducerEpoch : .invalidTransactionState
      }
      producer = (identity.producerID, identity.epoch)
    }
    batch.appendTime = appendTime(log)
    for record in batch.records {
      let offset = log.append(
        record.record, producer: producer,
        timestamp: log.isLogAppendTime ? batch.appendTime : record.timestamp)
      if batch.firstOffset == nil { batch.firstOffset = offset }
    }
    log.wakeWaiters()
    return nil
  }
}
