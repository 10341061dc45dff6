import Contract
import Pipeline

/// What an audit found of one home partition.
public struct PartitionAudit: Sendable {
  /// The partition.
  public let partition: Int32
  /// Whether the partition has a state; without one there is nothing to compare.
  public internal(set) var hasState = true
  /// The number of the state record behind which the audit begins; nil where it begins at the very first one.
  public internal(set) var startSequence: UInt64?
  /// The number of the state record up to which everything is compared.
  public internal(set) var endSequence: UInt64 = 0
  /// The decisions that are compared; nil for none.
  public internal(set) var decisions: ClosedRange<UInt64>?
  /// The input offsets that are compared.
  public internal(set) var inputs: [InputTopic: Range<Int64>] = [:]
  /// What the topics add up to.
  public internal(set) var topics = Counters()
  /// What the state's counters gained meanwhile.
  public internal(set) var state = Counters()
  /// Recipients' records that compaction has taken, as far as the state counts them: they stand in `topics` as the
  /// state has them.
  public internal(set) var compacted: Int64 = 0
  /// Delivery records that were held against their decisions.
  public internal(set) var deliveries = 0
  /// Everything that contradicts, counted.
  public internal(set) var findingCount = 0
  /// The first of it.
  public internal(set) var findings: [Finding] = []
  /// What can no longer be proven, in sentences.
  public internal(set) var unproven: [String] = []

  init(_ partition: Int32) { self.partition = partition }

  /// The rows of the table: the name, what the topics give and what the state has.
  public var rows: [AuditRow] { AuditRow.rows(topics: topics, state: state) }

  /// How far topics and state differ, and how far the law itself does not hold in either: 0, or there is a fault.
  public var difference: Int64 {
    rows.reduce(0) { $0 + abs($1.difference) } + abs(topics.difference) + abs(state.difference)
  }

  /// Whether everything that can be proven holds.
  public var holds: Bool { difference == 0 && findingCount == 0 }
}

/// One line of the comparison.
public struct AuditRow: Sendable, Equatable {
  /// What is counted, such as `email delivered`.
  public let name: String
  /// What the topics add up to.
  public let topics: Int64
  /// What the state counted.
  public let state: Int64

  /// What the state has more than the topics.
  public var difference: Int64 { state - topics }

  static func rows(topics: Counters, state: Counters) -> [AuditRow] {
    var rows = [
      AuditRow(name: "consumed", topics: topics.consumed, state: state.consumed),
      AuditRow(name: "decided", topics: topics.decided, state: state.decided),
      AuditRow(name: "forwarded", topics: topics.forwarded, state: state.forwarded),
      AuditRow(name: "rejected", topics: topics.rejected, state: state.rejected),
      AuditRow(name: "tombstones", topics: topics.tombstones, state: state.tombstones),
    ]
    for channel in Channel.allCases {
      let (left, right) = (topics[channel], state[channel])
      func add(_ name: String, _ topics: Int64, _ state: Int64) {
        rows.append(AuditRow(name: "\(channel.name) \(name)", topics: topics, state: state))
      }
      add("accepted", left.accepted, right.accepted)
      add("delivered", left.delivered, right.delivered)
      for reason in SuppressionReason.allCases {
        add("suppressed (\(reason.literal))", left.suppressed[reason], right.suppressed[reason])
      }
      add("expired", left.expired, right.expired)
      add("retracted", left.retracted, right.retracted)
      add("collapsed", left.collapsed, right.collapsed)
      add("open", left.open, right.open)
      add("caught up", left.caughtUp, right.caughtUp)
    }
    return rows
  }
}

/// What an audit found of a deployment, or of the partitions that were asked for.
public struct AuditReport: Sendable {
  /// The partitions, in order.
  public let partitions: [PartitionAudit]
  /// Records read.
  public let records: Int

  /// A report of those partitions.
  public init(partitions: [PartitionAudit], records: Int) {
    self.partitions = partitions
    self.records = records
  }

  /// The sums over all partitions.
  public var rows: [AuditRow] {
    AuditRow.rows(
      topics: partitions.reduce(Counters()) { $0 + $1.topics },
      state: partitions.reduce(Counters()) { $0 + $1.state })
  }

  /// The sum of the partitions' differences: differences of two partitions never cancel each other out.
  public var difference: Int64 { partitions.reduce(0) { $0 + $1.difference } }
  /// Everything that contradicts, counted.
  public var findingCount: Int { partitions.reduce(0) { $0 + $1.findingCount } }
  /// Whether everything that can be proven holds.
  public var holds: Bool { partitions.allSatisfy(\.holds) }
}
