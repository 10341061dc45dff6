import Kafka

/// The part of a transaction that lies in one partition.
public final class LogTransaction {
  /// What became of it, as far as the marker in this partition says.
  public enum Outcome: Sendable { case open, committed, aborted }

  /// The producer.
  public let producerID: Int64
  /// The producer's epoch.
  public let epoch: Int16
  /// Where it begins in the partition.
  public let firstOffset: Int64
  /// What became of it.
  public internal(set) var outcome = Outcome.open

  init(producerID: Int64, epoch: Int16, firstOffset: Int64) {
    self.producerID = producerID
    self.epoch = epoch
    self.firstOffset = firstOffset
  }
}

/// One thing in a log.
public struct LogEntry {
  /// Its offset.
  public let offset: Int64
  /// Milliseconds since the epoch.
  public let timestamp: Int64
  /// The record; nil for a marker.
  public let record: StoredRecord?
  /// The transaction that it belongs to or ends; nil outside of transactions, and where a marker found none.
  public let transaction: LogTransaction?

  /// Whether a reader of committed records is shown it, once it lies before the last stable offset.
  public var isVisible: Bool { record != nil && transaction?.outcome != .aborted }
}

/// What a fetch brings.
struct FetchedBatch {
  /// Offset, timestamp, record.
  var records: [(offset: Int64, timestamp: Int64, record: StoredRecord)] = []
  /// Where to fetch next: behind markers, and behind what the isolation level hides.
  var nextOffset: Int64
  /// The last stable offset or the high watermark, by isolation.
  var end: Int64
  var isOutOfRange = false
}

/// The log of a partition: records, markers of transactions, the last stable offset, the state of producers.
public final class PartitionLog {
  /// Which partition.
  public let topicPartition: TopicPartition
  /// Whether the broker stamps records when it appends them.
  public let isLogAppendTime: Bool
  /// The first offset that is still there.
  public private(set) var startOffset: Int64 = 0
  /// The high watermark: the offset behind the last entry.
  public private(set) var endOffset: Int64 = 0
  /// The entries from ``startOffset``; compaction leaves gaps in their offsets.
  public var entries: ArraySlice<LogEntry> { storage[head...] }
  /// The transactions that have begun here and have no marker yet, the oldest first.
  public private(set) var openTransactions: [LogTransaction] = []
  /// No request to this partition is answered before this instant.
  public var stuckUntil: Int64 = 0
  /// How much longer every request to this partition takes, in milliseconds.
  public var delay: Int64 = 0
  /// How far the clock of this partition's broker is ahead of the true time, in milliseconds.
  public var clockOffset: Int64 = 0

  private var storage: [LogEntry] = []
  private var head = 0
  private var isCompacted = false
  private var producerEpochs: [Int64: Int16] = [:]
  private var waiters: [Waiter] = []

  private struct Waiter {
    var offset: Int64
    var isolation: IsolationLevel
    var wake: () -> Void
  }

  init(_ topicPartition: TopicPartition, isLogAppendTime: Bool) {
    self.topicPartition = topicPartition
    self.isLogAppendTime = isLogAppendTime
  }

  /// The offset before which every transaction is decided.
  public var lastStableOffset: Int64 { openTransactions.first?.firstOffset ?? endOffset }

  /// The end for a reader.
  public func end(_ isolation: IsolationLevel) -> Int64 {
    isolation == .readCommitted ? lastStableOffset : endOffset
  }

  /// How much later than others a request to this partition is served.
  func extraDelay(_ now: Int64) -> Int64 { delay + max(0, stuckUntil - now) }

  // MARK: Append

  /// Appends a record; with a producer, as a part of its transaction.
  func append(_ record: StoredRecord, producer: (id: Int64, epoch: Int16)?, timestamp: Int64) -> Int64 {
    var transaction: LogTransaction?
    if let producer {
      if let open = openTransactions.first(where: { $0.producerID == producer.id }) {
        transaction = open
      } else {
        let begun = LogTransaction(producerID: producer.id, epoch: producer.epoch, firstOffset: endOffset)
        openTransactions.append(begun)
        transaction = begun
      }
      producerEpochs[producer.id] = producer.epoch
    }
    return append(record, transaction, timestamp)
  }

  private func append(_ record: StoredRecord?, _ transaction: LogTransaction?, _ timestamp: Int64) -> Int64 {
    let offset = endOffset
    storage.append(
      LogEntry(offset: offset, timestamp: timestamp, record: record, transaction: transaction))
    endOffset += 1
    return offset
  }

  /// Whether a batch of this producer is refused because a marker or batch of a later epoch is there.
  func isFenced(producerID: Int64, epoch: Int16) -> Bool { epoch < producerEpochs[producerID] ?? epoch }

  /// Ends the producer's transaction in this partition.
  func appendMarker(producerID: Int64, epoch: Int16, commits: Bool, timestamp: Int64) {
    let index = openTransactions.firstIndex { $0.producerID == producerID }
    let transaction = index.map { openTransactions.remove(at: $0) }
    transaction?.outcome = commits ? .committed : .aborted
    producerEpochs[producerID] = max(epoch, producerEpochs[producerID] ?? epoch)
    _ = append(nil, transaction, timestamp)
    wakeWaiters()
  }

  // MARK: Fetch

  func fetch(from offset: Int64, _ isolation: IsolationLevel, maxRecords: Int, maxBytes: Int) -> FetchedBatch
  {
    let end = end(isolation)
    var batch = FetchedBatch(nextOffset: offset, end: end)
    guard offset >= startOffset, offset <= endOffset else {
      batch.isOutOfRange = true
      return batch
    }
    guard offset < end else { return batch }
    var index = index(of: offset)
    var bytes = 0
    while index < storage.count, storage[index].offset < end {
      let entry = storage[index]
      if let record = entry.record, isolation == .readUncommitted || entry.isVisible {
        guard batch.records.count < maxRecords, bytes < maxBytes else { return batch }
        batch.records.append((entry.offset, entry.timestamp, record))
        bytes += record.byteCount
      }
      batch.nextOffset = entry.offset + 1
      index += 1
    }
    // Compaction may have taken the last ones.
    batch.nextOffset = max(batch.nextOffset, end)
    return batch
  }

  /// Calls once when there is something to read behind `offset`, or the log has moved away from it.
  func whenReadable(from offset: Int64, _ isolation: IsolationLevel, _ wake: @escaping () -> Void) {
    waiters.append(Waiter(offset: offset, isolation: isolation, wake: wake))
  }

  /// Forgets who waits: waiting fetches hold the log.
  func dropWaiters() { waiters = [] }

  func wakeWaiters() {
    guard !waiters.isEmpty else { return }
    let committed = lastStableOffset
    var index = 0
    var woken: [() -> Void] = []
    while index < waiters.count {
      let waiter = waiters[index]
      let end = waiter.isolation == .readCommitted ? committed : endOffset
      if waiter.offset < end || waiter.offset < startOffset {
        woken.append(waiter.wake)
        waiters.remove(at: index)
      } else {
        index += 1
      }
    }
    for wake in woken { wake() }
  }

  /// The place of the first entry at or behind an offset.
  private func index(of offset: Int64) -> Int {
    guard isCompacted else { return head + Int(offset - startOffset) }
    var low = head
    var high = storage.count
    while low < high {
      let middle = (low + high) / 2
      if storage[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Clean

  /// Lets everything before an offset go, by DeleteRecords or retention.
  func deleteRecords(before offset: Int64) {
    guard offset > startOffset else { return }
    let offset = min(offset, endOffset)
    head = index(of: offset)
    startOffset = offset
    if head > 1024, head > storage.count / 2 {
      storage.removeFirst(head)
      head = 0
    }
    wakeWaiters()
  }

  /// Keeps of each key only the last record, as the log cleaner does before the last stable offset: what was aborted
  /// goes, and so do markers and the tombstones of before the horizon.
  func compact(tombstonesBefore horizon: Int64) {
    let bound = lastStableOffset
    var last: [[UInt8]: Int64] = [:]
    for entry in entries where entry.offset < bound && entry.isVisible {
      if let key = entry.record?.key { last[Array(key.buffer)] = entry.offset }
    }
    storage = entries.filter { entry in
      guard entry.offset < bound else { return true }
      guard let record = entry.record else { return false }
      guard entry.isVisible, let key = record.key, last[Array(key.buffer)] == entry.offset else {
        return false
      }
      return record.value != nil || entry.timestamp >= horizon
    }
    head = 0
    isCompacted = true
  }
}
