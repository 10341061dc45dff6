import Contract

/// Events that were read and keep the contract, in the order of virtual time. It does not change any more, so that
/// several catalogs may be replayed on it. Confined to its thread.
public final class History {
  struct Event {
    /// The instant of the broker's append, as the replay has it: milliseconds since the epoch.
    var time: Int64
    /// The line, or the number of the record, from 1.
    var line: UInt32
    /// What Kafka's partitioner makes of the recipient's key; nil for an event without a key, which has several
    /// recipients.
    var keyHash: Int32?
    /// The value of its record: the event as JSON, or in binary mode its data.
    var value: ByteStore.Extent
    /// Where its headers are among those of the history; empty for the event of a line.
    var headers: Range<UInt32>
  }

  /// A header of a record.
  struct Header {
    var name: ByteStore.Extent
    var value: ByteStore.Extent?
  }

  /// What was read.
  public let summary: HistorySummary

  let events: [Event]
  let headers: [Header]
  let bytes: ByteStore
  /// The key of each recipient once, in the order of their first line.
  let recipientKeys: [ByteStore.Extent]

  init(
    summary: HistorySummary, events: [Event], headers: [Header], bytes: ByteStore,
    recipientKeys: [ByteStore.Extent]
  ) {
    self.summary = summary
    self.events = events
    self.headers = headers
    self.bytes = bytes
    self.recipientKeys = recipientKeys
  }

  /// The number of events, which is what a replay counts its progress in.
  public var eventCount: Int { events.count }
}

/// What was read of a history.
public struct HistorySummary: Equatable, Encodable, Sendable {
  /// Lines that are not blank, or records.
  public var lines = 0
  /// Lines that hold an event which keeps the contract; repeated events count again.
  public var events = 0
  /// Recipients of these events, each event's counted: what arrives.
  public var arrivals = 0
  /// Different recipients.
  public var recipients = 0
  /// Events without `time`, which were given that of the line before them.
  public var withoutTime = 0
  /// Events that were put earlier, since their time is before that of an earlier line.
  public var outOfOrder = 0
  /// The first instant, in milliseconds since the epoch; nil without events.
  public var first: Instant?
  /// The last instant; nil without events.
  public var last: Instant?
  /// Lines that break the contract, by reason; the most frequent first.
  public var rejected: [RejectedLines] = []

  /// Lines that break the contract.
  public var rejectedCount: Int { rejected.reduce(0) { $0 + $1.count } }
}

/// Lines that were left out for one reason.
public struct RejectedLines: Equatable, Encodable, Sendable {
  /// The code, as in `tidings.rejected`.
  public var reason: String
  /// How many there are.
  public var count: Int
  /// The number of the first one, from 1; nil where no line is to be named.
  public var firstLine: Int?
  /// What is wrong with the first one, and what to do.
  public var detail: String
}

/// Counts rejections by reason, and keeps the first of each.
struct RejectionTally {
  private var counts = [RejectedLines?](repeating: nil, count: RejectionReason.allCases.count)

  mutating func count(_ rejection: Rejection, line: Int?) {
    if counts[rejection.reason.index] != nil {
      counts[rejection.reason.index]?.count += 1
    } else {
      counts[rejection.reason.index] = RejectedLines(
        reason: rejection.reason.rawValue, count: 1, firstLine: line, detail: rejection.detail)
    }
  }

  /// The most frequent first, and by their codes where that is equal.
  var sorted: [RejectedLines] {
    counts.compactMap { $0 }.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
  }
}
