/// A part of a partition.
public struct PartitionSpan: Sendable {
  /// The partition.
  public var partition: Int32
  /// The first offset.
  public var from: Int64
  /// The offset behind the last.
  public var to: Int64

  /// The part from an offset to the one behind the last.
  public init(partition: Int32, from: Int64, to: Int64) {
    self.partition = partition
    self.from = from
    self.to = to
  }

  /// All that is there to read.
  public init(_ range: OffsetRange) {
    self.init(partition: range.topicPartition.partition, from: range.earliest, to: range.latest)
  }
}

/// How far a scan is.
public struct ScanProgress: Sendable {
  /// What is being read.
  public var topic: String
  /// Records read so far, of all topics.
  public var records: Int
  /// The share of that topic that is behind, 0…1.
  public var share: Double
}

/// Why a scan came to no end. Each says what to do.
public enum ScanFault: Error, Equatable, CustomStringConvertible {
  /// A transaction that is open holds the topic.
  case held(TopicPartition, position: Int64, end: Int64)
  /// Retention deleted what was about to be read.
  case cutMeanwhile(topic: String)

  /// What happened and what to do.
  public var description: String {
    switch self {
    case .held(let place, let position, let end):
      "\(place): a transaction that is open holds the log between offset \(position) and \(end). The broker ends it "
        + "within 20 s of its owner's death: try again then"
    case .cutMeanwhile(let topic):
      "\(topic): retention deleted records while they were read: run it again"
    }
  }
}

/// Reads parts of topics, read_committed, for commands: it joins no group, and every call waits.
///
/// What lies before an end that was asked for read_uncommitted is surely in or surely out by then: a scan waits for the
/// transactions that are open before it. Confined to the thread that calls it.
public final class PartitionScan {
  /// The brokers that are asked.
  public let cluster: any KafkaCluster
  /// How long to wait where a transaction holds a topic.
  public let patience: Duration
  private let progress: (ScanProgress) -> Void
  /// Records read so far.
  public private(set) var records = 0

  /// A scan of a cluster's topics.
  ///
  /// - Parameter progress: called after every thousand records, about.
  public init(
    _ cluster: any KafkaCluster, patience: Duration, progress: @escaping (ScanProgress) -> Void = { _ in }
  ) {
    self.cluster = cluster
    self.patience = patience
    self.progress = progress
  }

  /// What partitions hold. Unless asked for read_committed, the ends lie behind all that was written before this call,
  /// also by transactions that are open.
  public func ranges(
    of topic: String, _ partitions: [Int32], isolation: IsolationLevel = .readUncommitted
  ) throws(KafkaError) -> [OffsetRange] {
    let places = partitions.map { TopicPartition(topic: topic, partition: $0) }
    return try Patience.retry(patience) { () throws(KafkaError) in
      try cluster.admin.offsets(of: places, isolation: isolation, timeout: .seconds(10))
    }
  }

  /// What one partition holds, behind all that was written before this call.
  public func range(of topic: String, _ partition: Int32) throws(KafkaError) -> OffsetRange {
    guard let range = try ranges(of: topic, [partition]).first else {
      throw KafkaError(
        .unknownTopicOrPartition, message: "the brokers know no offsets of \(topic) [\(partition)]")
    }
    return range
  }

  /// Calls `body` with each committed record within the spans, in the order of each partition.
  ///
  /// - Throws: `ScanFault.held`, `ScanFault.cutMeanwhile`, `KafkaError`, and what `body` throws.
  public func read(_ topic: String, _ spans: [PartitionSpan], _ body: (ConsumedRecord) throws -> Void) throws
  {
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
    var lastError: KafkaError?
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
          if error.code == .noOffset { throw ScanFault.cutMeanwhile(topic: topic) }
          guard error.disposition == .retry else { throw error.during("reading \(topic)") }
          lastError = error
        }
      }
      if left < before { (lastMove, lastError) = (.now, nil) }
      progress(ScanProgress(topic: topic, records: records, share: 1 - left / max(1, length)))
      guard ContinuousClock.now - lastMove < patience else {
        guard let span = open.values.min(by: { $0.partition < $1.partition }) else { return }
        try explain(span, of: topic, by: reader, lastError)
      }
    }
  }

  /// Says why nothing comes any more: a transaction holds the partition only if the brokers say so.
  private func explain(
    _ span: PartitionSpan, of topic: String, by reader: any LogReader, _ lastError: KafkaError?
  ) throws -> Never {
    let place = TopicPartition(topic: topic, partition: span.partition)
    let stable: Int64
    do throws(KafkaError) {
      stable = try reader.watermarks(of: place, timeout: .seconds(10)).high
    } catch {
      // Whatever it is, such as a partition without a leader: the partition was there before, and may be again.
      throw error.asRetriable.during("reading \(topic)")
    }
    guard stable >= span.to else { throw ScanFault.held(place, position: span.from, end: span.to) }
    let error =
      lastError
      ?? KafkaError(
        .timedOut, message: "nothing of \(place) came from offset \(span.from) on", isRetriable: true)
    throw error.during("reading \(topic)")
  }

  /// Calls `body` with the first committed record within a span, if there is one.
  public func first(_ topic: String, _ span: PartitionSpan, _ body: (ConsumedRecord) -> Void) throws {
    struct Found: Error {}
    do {
      try read(topic, [span]) { record in
        body(record)
        throw Found()
      }
    } catch is Found {}
  }
}
