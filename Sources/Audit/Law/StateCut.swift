import Contract
import Kafka
import Pipeline

/// Between which two commits of a partition the law is recomputed: the consistent cut.
///
/// A state record is written in the transaction of all that it counts. Its header says how many decisions there are up
/// to it, how far each input was read, and the counters; so what belongs to it is known exactly by numbers and offsets,
/// also while processors go on.
struct StateCut {
  /// Where it begins: at zero, or behind a commit whose header is still in the log.
  enum Start {
    case beginning
    case header(StateHeader)
  }

  var start: Start
  var end: StateHeader

  var decisions: ClosedRange<UInt64>? {
    firstDecision <= end.decisions ? firstDecision...end.decisions : nil
  }

  var firstDecision: UInt64 {
    switch start {
    case .beginning: 1
    case .header(let header): header.decisions + 1
    }
  }

  /// The counters that the state gained.
  var gained: Counters {
    switch start {
    case .beginning: end.counters
    case .header(let header): end.counters - header.counters
    }
  }

  func positions(_ topic: InputTopic) -> Range<Int64> {
    let to = max(0, end.positions[topic])
    let from =
      switch start {
      case .beginning: Int64(0)
      case .header(let header): max(0, header.positions[topic])
      }
    return min(from, to)..<to
  }
}

/// What the topics of a partition still hold: it decides where a cut can begin.
struct KeptHistory {
  /// The number of the first decision that is kept.
  var firstDecision: UInt64
  /// The offset at which their topic began when that was read.
  var decisionsFrom: Int64
  /// The first offsets of the inputs. Compaction makes holes in tables, and is reckoned with elsewhere.
  var lows: [InputTopic: Int64]

  var isWhole: Bool { firstDecision <= 1 && lows.allSatisfy { $0.key.isTable || $0.value == 0 } }

  /// Whether everything behind that commit is kept.
  func holdsAll(after header: StateHeader) -> Bool {
    firstDecision <= header.decisions + 1
      && lows.allSatisfy { $0.key.isTable || $0.value <= max(0, header.positions[$0.key]) }
  }
}

extension StateCut {
  /// Reads the headers of a partition's state log.
  ///
  /// - Parameter isRecent: whether to begin with the first record that the state log holds, whatever else is kept.
  /// - Returns: nil where the partition has no state yet.
  /// - Throws: `AuditFault.state`.
  static func read(
    _ partition: Int32, _ topics: AuditTopics, _ scan: PartitionScan, kept: KeptHistory, isRecent: Bool
  ) throws -> StateCut? {
    let place = TopicPartition(topic: topics.state, partition: partition)
    let range = try scan.range(of: topics.state, partition)
    var start: StateHeader?
    var last: StateHeader?
    var isFirst = true
    var isReset = false
    try scan.read(
      topics.state, [PartitionSpan(range)]
    ) { record in
      let header: StateHeader
      do throws(StateFault) {
        header = try StateHeader(record: record.value ?? .empty)
      } catch {
        throw AuditFault.state(error, place, offset: record.offset)
      }
      // A reset begins its counters at zero, and numbers its decisions on.
      if let last, last.epoch != header.epoch { isReset = true }
      if isFirst, header.counters == Counters(), header.decisions > 0 { isReset = true }
      if start == nil || last?.epoch != header.epoch {
        start = kept.holdsAll(after: header) ? header : nil
      }
      isFirst = false
      last = header
    }
    guard let last else { return nil }
    if kept.isWhole, !isRecent, !isReset { return StateCut(start: .beginning, end: last) }
    return StateCut(start: .header(start ?? last), end: last)
  }
}

extension Counters {
  /// What was gained from one commit to a later one.
  static func - (later: Counters, earlier: Counters) -> Counters {
    var gained = Counters()
    gained.consumed = later.consumed - earlier.consumed
    gained.decided = later.decided - earlier.decided
    gained.forwarded = later.forwarded - earlier.forwarded
    gained.rejected = later.rejected - earlier.rejected
    gained.tombstones = later.tombstones - earlier.tombstones
    gained.forwards = later.forwards - earlier.forwards
    for channel in Channel.allCases { gained[channel] = later[channel] - earlier[channel] }
    return gained
  }
}

extension ChannelCounters {
  fileprivate static func - (later: ChannelCounters, earlier: ChannelCounters) -> ChannelCounters {
    var gained = ChannelCounters()
    gained.accepted = later.accepted - earlier.accepted
    gained.delivered = later.delivered - earlier.delivered
    for reason in SuppressionReason.allCases {
      gained.suppressed[reason] = later.suppressed[reason] - earlier.suppressed[reason]
    }
    gained.expired = later.expired - earlier.expired
    gained.retracted = later.retracted - earlier.retracted
    gained.collapsed = later.collapsed - earlier.collapsed
    gained.open = later.open - earlier.open
    gained.caughtUp = later.caughtUp - earlier.caughtUp
    return gained
  }
}
