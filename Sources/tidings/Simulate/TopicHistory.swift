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
  /// - Throws: `KafkaError`, `ScanFault`, `ReplayFault`, or `CommandEnd` when there is no such topic.
  func read(since: Int64, onProgress: (Double, Int) -> Void) throws -> History {
    var builder = try HistoryBuilder(recordLimit: recordLimit)
    let scan = PartitionScan(cluster, patience: patience)
    // Before anything is read: a broker may create a topic that somebody asks for.
    let ranges = try ranges(by: scan)
    let starts = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: ranges.map(\.topicPartition), since: since, timeout: .seconds(10))
    }
    var number = 0
    for (index, (range, start)) in zip(ranges, starts).enumerated() {
      guard let start else { continue }
      var span = PartitionSpan(range)
      span.from = max(start, range.earliest)
      let length = Double(max(1, span.to - span.from))
      try scan.read(topic, [span]) { record in
        let time = record.timestampMilliseconds
        guard time >= since else { return }
        number += 1
        try builder.add(
          InputRecord(key: record.key, value: record.value, headers: record.headers), appended: time,
          number: number)
        let done = Double(record.offset - span.from) / length
        onProgress((Double(index) + done) / Double(ranges.count), number)
      }
    }
    return try builder.finish()
  }

  private func ranges(by scan: PartitionScan) throws -> [OffsetRange] {
    let topics = try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.topics(timeout: .seconds(10))
    }
    guard let description = topics.first(where: { $0.name == topic }) else {
      throw CommandEnd(
        .failed,
        "the topic \(topic) does not exist at \(cluster.bootstrapServers): run `tidings topics apply`")
    }
    return try scan.ranges(
      of: topic, Array(0..<Int32(clamping: description.partitionCount)), isolation: .readCommitted)
  }
}
