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
    let starts = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: ranges.map(\.topicPartition), since: since, timeout: .seconds(10))
    }
    var number = 0
    for (index, (range, start)) in zip(ranges, starts).enumerated() {
      guard let start else { continue }
      let first = max(start, range.earliest)
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

  /// Brings the records from an offset to the end of the range.
  private func read(
    _ range: OffsetRange, from first: Int64, by reader: any LogReader, _ body: (ConsumedRecord) throws -> Void
  ) throws {
    guard first < range.latest else { return }
    try reader.assign([PartitionOffset(range.topicPartition, offset: first)])
    var deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
      switch reader.poll(timeout: .milliseconds(100)) {
      case .none: continue
      case .record(let record):
        guard record.offset < range.latest else { return }
        try body(record)
        if record.offset + 1 >= range.latest { return }
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
