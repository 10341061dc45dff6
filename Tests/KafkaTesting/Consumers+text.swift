import Kafka

/// What consumers and readers have in common for a test.
public protocol Pollable: AnyObject {
  /// The next record or event.
  func poll(timeout: Duration) -> ConsumerEvent
}

/// A member of a group under test, with the thread of the test as its owner. It answers rebalances by assigning
/// every partition at ``start``, and remembers them.
public final class TestMember: RebalanceListener, Pollable {
  /// What a rebalance brought or took.
  public enum Rebalance: Equatable {
    /// Partitions came.
    case assigned([TopicPartition])
    /// Partitions went.
    case revoked([TopicPartition], lost: Bool)
  }

  /// The consumer.
  public let consumer: any GroupConsumer
  /// Where assigned partitions begin.
  public var start: Int64
  /// What happened so far.
  public private(set) var rebalances: [Rebalance] = []
  /// The partitions had.
  public private(set) var assigned: [TopicPartition] = []
  /// What an assign or unassign threw inside a callback.
  public private(set) var failures: [KafkaError] = []
  /// Called inside the revoke, before the unassign.
  public var beforeUnassign: ((GroupConsumer) throws -> Void)?
  /// Whether rebalances are answered at all.
  public var answers = true
  /// What came with the assignment.
  private var early: ConsumerEvent?

  /// A member that has subscribed.
  public init(
    _ cluster: any KafkaCluster, _ options: GroupConsumerOptions, topics: [String],
    start: Int64 = PartitionOffset.beginning
  ) throws {
    consumer = try cluster.makeGroupConsumer(options)
    self.start = start
    try consumer.subscribe(to: topics, listener: self)
  }

  /// Remembers the partitions and assigns them at ``start``.
  public func partitionsAssigned(_ partitions: [TopicPartition]) {
    rebalances.append(.assigned(partitions))
    guard answers else { return }
    do {
      try consumer.assign(partitions.map { PartitionOffset($0, offset: start) })
      assigned = partitions
    } catch {
      failures.append(error)
    }
  }

  /// Remembers the partitions, runs ``beforeUnassign`` and gives them back.
  public func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    rebalances.append(.revoked(partitions, lost: lost))
    guard answers else { return }
    do {
      try beforeUnassign?(consumer)
      try consumer.unassign()
      assigned = []
    } catch {
      failures.append((error as? KafkaError) ?? KafkaError(.wrongState, message: "\(error)"))
    }
  }

  /// The next record or event.
  public func poll(timeout: Duration) -> ConsumerEvent {
    if let event = early {
      early = nil
      return event
    }
    return consumer.poll(timeout: timeout)
  }

  /// Polls once, and says whether the member has partitions then. A poll that brings an assignment may bring the first
  /// record as well: that is what the next poll brings.
  public func pollForAssignment(timeout: Duration) -> Bool {
    let event = consumer.poll(timeout: timeout)
    guard !assigned.isEmpty else { return false }
    if case .none = event { return true }
    early = event
    return true
  }

  /// Polls until the member has partitions. What came with them is dropped: for tests that assign anew.
  public func awaitAssignment(within limit: Duration = .seconds(30)) throws {
    let deadline = Deadline(limit)
    while assigned.isEmpty {
      try deadline.check("partitions to be assigned")
      _ = poll(timeout: .milliseconds(50))
    }
  }
}

/// A log reader under test.
public final class TestReader: Pollable {
  /// The reader.
  public let reader: any LogReader

  /// A reader of whole topics with one partition each, or of explicit positions.
  public init(
    _ cluster: any KafkaCluster, topics: [String], isolation: IsolationLevel = .readCommitted,
    from positions: [PartitionOffset]? = nil
  ) throws {
    reader = try cluster.makeLogReader(LogReaderOptions(topics: topics, isolation: isolation))
    try reader.assign(
      try positions
        ?? topics.map { topic in
          // The watermark and not a logical offset, which a reader that has just been made resolves after half a second.
          let partition = TopicPartition(topic: topic, partition: 0)
          return PartitionOffset(
            partition, offset: try reader.watermarks(of: partition, timeout: .seconds(20)).low)
        })
  }

  /// The next record or event.
  public func poll(timeout: Duration) -> ConsumerEvent { reader.poll(timeout: timeout) }
}

extension Pollable {
  /// The next events that are something, until `isDone` says so of those so far.
  public func events(
    within limit: Duration = .seconds(20), until isDone: ([TestEvent]) -> Bool
  ) throws -> [TestEvent] {
    let deadline = Deadline(limit)
    var events: [TestEvent] = []
    while !isDone(events) {
      try deadline.check(
        "more than \(events.count) events, of which the last is \(String(describing: events.last))")
      switch poll(timeout: .milliseconds(50)) {
      case .none: continue
      case .record(let record): events.append(.record(TextRecord(record), offset: record.offset))
      case .endOfPartition(let topic, let partition, let offset):
        events.append(.end(topicIndex: topic, partition: partition, offset: offset))
      case .error(let error): events.append(.error(error))
      }
    }
    return events
  }

  /// The values of the next `count` records.
  public func values(_ count: Int, within limit: Duration = .seconds(20)) throws -> [String?] {
    var seen = 0
    var counted = 0
    return try events(within: limit) { events in
      // It is asked again after a poll that brought nothing, too.
      seen += events[counted...].count { $0.value != nil }
      counted = events.count
      return seen >= count
    }.compactMap(\.value)
  }

  /// The values of the records up to the first end of a partition, and its offset.
  public func valuesToEnd(within limit: Duration = .seconds(20)) throws -> (values: [String?], end: Int64) {
    let events = try events(within: limit) { $0.last?.end != nil }
    return (events.compactMap(\.value), events.last?.end ?? -1)
  }
}

/// A ``ConsumerEvent`` that owns what it brought.
public enum TestEvent: Sendable {
  /// A record.
  case record(TextRecord, offset: Int64)
  /// An end of a partition.
  case end(topicIndex: Int, partition: Int32, offset: Int64)
  /// An error.
  case error(KafkaError)

  /// The value, if this is a record.
  public var value: String?? {
    if case .record(let record, _) = self { record.value } else { nil }
  }

  /// The offset, if this is an end.
  public var end: Int64? {
    if case .end(_, _, let offset) = self { offset } else { nil }
  }

  /// The error, if this is one.
  public var error: KafkaError? {
    if case .error(let error) = self { error } else { nil }
  }
}
