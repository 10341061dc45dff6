import Contract
import Kafka
import Replay

/// Reads a history from the events topic of a cluster: what was appended from an instant on, up to the end that the
/// topic has when the reading begins.
struct TopicHistory {
  private let cluster: any KafkaCluster
  private let topic: String
  private let recordLimit: Int
  private let patience: Duration

  init(cluster: any KafkaCluster, topic: String, recordLimit: Int, patience: Duration = .seconds(30)) {
    self.cluster = cluster
    self.topic = topic
    self.recordLimit = recordLimit
    self.patience = patience
  }

  /// The history since an instant in milliseconds since the epoch. Partition by partition, so that the same records
  /// give the same history.
  ///
  /// - Parameter onProgress: takes the share that is read, and the number of records.
  /// - Throws: `KafkaError`, `ReplayFault`, or `CommandEnd` when there is no such topic.
  func read(since: Int64, onProgress: (Double, Int) -> Void) throws -> History {
    var builder = try HistoryBuilder(recordLimit: recordLimit)
    // Before there is a reader: a broker may create a topic that somebody asks for.
    let ranges = try ranges()
    let reader = try cluster.makeLogReader(LogReaderOptions(topics: [topic], isolation: .readCommitted))
    defer { reader.close() }
    var number = 0
    for (index, range) in ranges.enumerated() {
      let first = try Self.firstOffset(in: range.earliest..<max(range.earliest, range.latest)) {
        offset throws in
        try next(at: offset, of: range, by: reader).map { ($0.offset, $0.time >= since) }
      }
      try read(range, from: first, by: reader) { record throws in
        let time = record.timestampMilliseconds
        guard time >= since else { return }
        number += 1
        try builder.add(
          InputRecord(key: record.key, value: record.value, headers: record.headers), appended: time,
          number: number)
        let done = Double(record.offset - first) / Double(max(1, range.latest - first))
        onProgress((Double(index) + done) / Double(ranges.count), number)
      }
    }
    return try builder.finish()
  }

  /// The first offset from which on records belong to the history.
  ///
  /// - Parameter probe: the first record at or behind an offset: its own, and whether it belongs; nil for none.
  static func firstOffset(
    in range: Range<Int64>, probe: (Int64) throws -> (offset: Int64, belongs: Bool)?
  ) rethrows -> Int64 {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = low + (high - low) / 2
      if let found = try probe(middle), !found.belongs, found.offset < high {
        low = found.offset + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func ranges() throws -> [OffsetRange] {
    let topics = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.topics(timeout: .seconds(10))
    }
    guard let description = topics.first(where: { $0.name == topic }) else {
      throw CommandEnd(
        .failed,
        "the topic \(topic) does not exist at \(cluster.bootstrapServers): run `tidings topics apply`")
    }
    let places = (0..<Int32(clamping: description.partitionCount)).map {
      TopicPartition(topic: topic, partition: $0)
    }
    return try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: places, isolation: .readCommitted, timeout: .seconds(10))
    }
  }

  /// Offset and time of the first record at or behind an offset; nil where the partition ends.
  private func next(
    at offset: Int64, of range: OffsetRange, by reader: any LogReader
  ) throws -> (offset: Int64, time: Int64)? {
    var found: (offset: Int64, time: Int64)?
    try read(range, from: offset, by: reader, limit: 1) { found = ($0.offset, $0.timestampMilliseconds) }
    return found
  }

  /// Brings the records from an offset to the end of the range, at most so many.
  private func read(
    _ range: OffsetRange, from first: Int64, by reader: any LogReader, limit: Int = .max,
    _ body: (ConsumedRecord) throws -> Void
  ) throws {
    guard first < range.latest else { return }
    try reader.assign([PartitionOffset(range.topicPartition, offset: first)])
    var count = 0
    var deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      switch reader.poll(timeout: .milliseconds(100)) {
      case .none: continue
      case .record(let record):
        guard record.offset < range.latest else { return }
        try body(record)
        count += 1
        if count == limit || record.offset + 1 >= range.latest { return }
        deadline = ContinuousClock.now + patience
      case .endOfPartition(_, _, let offset): if offset >= range.latest { return }
      case .error(let error):
        guard error.disposition == .retry else { throw error.during("reading \(range.topicPartition)") }
      }
    }
    throw KafkaError(
      .timedOut,
      message: "\(range.topicPartition) brought nothing for \(patience), before offset \(range.latest)")
  }
}
