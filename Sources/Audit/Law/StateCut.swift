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

  /// How far the clocks of brokers and processors may be apart, in milliseconds: beyond it a processor is not ready.
  static let clockTolerance: Int64 = 60_000

  var start: Start
  /// When the commit behind which it begins was appended, in milliseconds since the epoch; nil at the very first.
  var startAppended: Int64?
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

  /// Whether a forward or a rejection, which have no number, belongs to the cut: by the input record that it names, and
  /// by when it was appended.
  ///
  /// After a repair that set positions back, the same input record has an earlier one, too: of a reading before the
  /// cut. But a record that is forwarded in parts is read only with the last of them.
  func holds(outcomeOf topic: InputTopic, at offset: Int64, appended instant: Int64) -> Bool {
    guard positions(topic).contains(offset) else { return false }
    guard case .header(let header) = start, let startAppended else { return true }
    if let fanOut = header.fanOut, fanOut.topic == topic, fanOut.offset == offset { return true }
    return instant >= startAppended - Self.clockTolerance
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
    var start: (header: StateHeader, appended: Int64)?
    var last: (header: StateHeader, appended: Int64)?
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
      if let last, last.header.epoch != header.epoch { isReset = true }
      if isFirst, header.counters == Counters(), header.decisions > 0 { isReset = true }
      let commit = (header, record.timestampMilliseconds)
      if start == nil || last?.header.epoch != header.epoch {
        start = kept.holdsAll(after: header) ? commit : nil
      }
      isFirst = false
      last = commit
    }
    guard let last else { return nil }
    if kept.isWhole, !isRecent, !isReset { return StateCut(start: .beginning, end: last.header) }
    let first = start ?? last
    return StateCut(start: .header(first.header), startAppended: first.appended, end: last.header)
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
