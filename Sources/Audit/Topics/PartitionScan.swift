import Contract
import Kafka

/// A part of a partition.
struct PartitionSpan {
  /// The partition.
  var partition: Int32
  /// The first offset.
  var from: Int64
  /// The offset behind the last.
  var to: Int64
}

/// How far an audit is.
public struct AuditProgress: Sendable {
  /// What is being read.
  public var topic: String
  /// Records read so far, of all topics.
  public var records: Int
  /// The share of that topic that is behind, 0…1.
  public var share: Double
}

/// Reads parts of topics, read_committed. What lies before an end that was asked for read_uncommitted is surely in or
/// surely out by then: a scan waits for the transactions that are open before it.
final class PartitionScan {
  let cluster: any KafkaCluster
  let patience: Duration
  private let progress: (AuditProgress) -> Void
  private(set) var records = 0

  init(_ cluster: any KafkaCluster, patience: Duration, progress: @escaping (AuditProgress) -> Void) {
    self.cluster = cluster
    self.patience = patience
    self.progress = progress
  }

  /// What partitions hold, behind all that was written before this call, also by transactions that are open.
  func ranges(of topic: String, _ partitions: [Int32]) throws(KafkaError) -> [OffsetRange] {
    let places = partitions.map { TopicPartition(topic: topic, partition: $0) }
    return try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: places, isolation: .readUncommitted, timeout: .seconds(10))
    }
  }

  /// What one partition holds.
  func range(of topic: String, _ partition: Int32) throws -> OffsetRange {
    guard let range = try ranges(of: topic, [partition]).first else { throw AuditFault.noTopic(topic) }
    return range
  }

  /// Calls `body` with each committed record within the spans, in the order of each partition.
  ///
  /// - Throws: `AuditFault.held`, `AuditFault.cutMeanwhile`, `KafkaError`, and what `body` throws.
  func read(_ topic: String, _ spans: [PartitionSpan], _ body: (ConsumedRecord) throws -> Void) throws {
    var open: [Int32: PartitionSpan] = [:]
    for span in spans where span.from < span.to { open[span.partition] = span }
    guard !open.isEmpty else { return }
    let length = Double(open.values.reduce(0) { $0 + $1.to - $1.from })
    var left = length
    let reader = try cluster.makeLogReader(LogReaderOptions(topics: [topic], isolation: .readCommitted))
    defer { reader.close() }
    try reader.assign(
      open.values.map {
        PartitionOffset(TopicPartition(topic: topic, partition: $0.partition), offset: $0.from)
      })
    func advance(_ partition: Int32, to offset: Int64) {
      guard let span = open[partition], offset > span.from else { return }
      left -= Double(min(offset, span.to) - span.from)
      open[partition]?.from = offset
      if offset >= span.to { open[partition] = nil }
    }
    var lastMove = ContinuousClock.now
    while !open.isEmpty {
      let before = left
      reading: for _ in 0..<1024 {
        switch reader.poll(timeout: .milliseconds(100)) {
        case .none: break reading
        case .record(let record):
          guard let span = open[record.partition] else { continue }
          if record.offset < span.to {
            records += 1
            try body(record)
          }
          advance(record.partition, to: record.offset + 1)
          if open.isEmpty { break reading }
        case .endOfPartition(_, let partition, let offset): advance(partition, to: offset)
        case .error(let error):
          if error.code == .noOffset { throw AuditFault.cutMeanwhile(topic: topic) }
          guard error.disposition == .retry else { throw error.during("reading \(topic)") }
        }
      }
      if left < before { lastMove = .now }
      progress(AuditProgress(topic: topic, records: records, share: 1 - left / max(1, length)))
      guard ContinuousClock.now - lastMove < patience else {
        guard let span = open.values.min(by: { $0.partition < $1.partition }) else { return }
        throw AuditFault.held(
          TopicPartition(topic: topic, partition: span.partition), position: span.from, end: span.to)
      }
    }
  }

  /// Calls `body` with the first committed record within a span, if there is one.
  func first(_ topic: String, _ span: PartitionSpan, _ body: (ConsumedRecord) -> Void) throws {
    struct Found: Error {}
    do {
      try read(topic, [span]) { record in
        body(record)
        throw Found()
      }
    } catch is Found {}
  }
}
