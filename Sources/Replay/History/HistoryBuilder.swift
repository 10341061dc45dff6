import Contract

/// Why there is no history, or none that can be replayed.
public enum ReplayFault: Error, Equatable, CustomStringConvertible {
  /// The events take more memory than allowed.
  case tooLarge(line: Int, limitBytes: Int)
  /// No event says when it was.
  case noTimes(events: Int)
  /// A partition does not go on: what is due at an instant stays due.
  case stuck(partition: Int32, due: Int64)
  /// A partition made a delivery that cannot be read.
  case unreadableDelivery(partition: Int32, detail: String)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .tooLarge(let line, let limitBytes):
      "the history is too large to be held in memory (\(limitBytes >> 20) MiB, reached at line \(line)): "
        + "replay it in parts, such as a year each"
    case .noTimes(let events):
      "none of the \(events) events has a \"time\", so that it is not known when they were: add the CloudEvents "
        + "attribute \"time\""
    case .stuck(let partition, let due):
      "partition \(partition) still has work due at \(Instant(due)) after that was done: this is a fault of tidings"
    case .unreadableDelivery(let partition, let detail):
      "partition \(partition) made a delivery that cannot be read: \(detail) This is a fault of tidings"
    }
  }
}

/// Reads lines of NDJSON, a CloudEvent each, into a history. Confined to its thread.
///
/// An event's `time` becomes the instant at which the broker has appended it. The lines may be in any order: they are
/// sorted by time, and those of the same instant keep their order. An event without `time` has that of the line
/// before it (at the beginning: of the first line that has one), and a time before 1970 counts as its beginning.
public struct HistoryBuilder: ~Copyable {
  private var reader: EventLineReader
  private let bytesLimit: Int
  private let bytes = ByteStore()
  private var events: [History.Event] = []
  /// Positions of events whose time is not known until a line has one.
  private var leadingWithoutTime = 0
  private var lastTime: Int64?
  private var highestTime = Int64.min
  private var known: Set<Hash128> = []
  private var recipientKeys: [ByteStore.Extent] = []
  private var key = OutputBuffer(capacity: 256)
  private var rejections = RejectionTally()
  private var summary = HistorySummary()

  /// A builder of a history without events.
  ///
  /// - Parameters:
  ///   - recordLimit: the largest event in bytes.
  ///   - bytesLimit: the largest history in bytes of its lines, which are held in memory.
  /// - Throws: `JSONError` when there is no memory.
  public init(
    recordLimit: Int = EventLimits().maxRecordBytes, bytesLimit: Int = 8 << 30
  ) throws(JSONError) {
    var limits = EventLimits()
    limits.maxRecordBytes = recordLimit
    reader = try EventLineReader(limits: limits)
    self.bytesLimit = bytesLimit
  }

  /// Events taken so far.
  public var eventCount: Int { events.count }

  /// Takes a line, or counts why it cannot be taken.
  ///
  /// - Parameters:
  ///   - line: without its line break.
  ///   - isCut: whether it was too long to be read whole.
  ///   - number: its number, from 1.
  /// - Throws: `ReplayFault.tooLarge`.
  public mutating func add(_ line: ByteView, isCut: Bool = false, number: Int) throws(ReplayFault) {
    summary.lines += 1
    do throws(Rejection) {
      if isCut { throw Rejection(.recordTooLarge, "The line has more than \(line.count) bytes.") }
      take(try reader.read(line), line, number)
    } catch {
      rejections.count(error, line: number)
    }
    guard bytes.count + events.count * MemoryLayout<History.Event>.stride <= bytesLimit else {
      throw .tooLarge(line: number, limitBytes: bytesLimit)
    }
  }

  private mutating func take(_ read: borrowing EventLineReader.Line, _ line: ByteView, _ number: Int) {
    let event = read.event
    let time = time(of: event)
    if time < highestTime { summary.outOfOrder += 1 }
    highestTime = max(highestTime, time)
    summary.arrivals += event.recipientCount
    for recipient in event.recipients {
      key.removeAll()
      RecipientKey.append(tenant: event.tenant, recipient: recipient, to: &key)
      if known.insert(Hash128(of: key.view)).inserted { recipientKeys.append(bytes.append(key.view)) }
    }
    events.append(
      History.Event(
        time: time, line: UInt32(clamping: number),
        keyHash: read.record.key.map { Murmur2.hash($0) & Int32.max }, json: bytes.append(line)))
  }

  private mutating func time(of event: EventView) -> Int64 {
    guard let stated = event.timeMilliseconds else {
      summary.withoutTime += 1
      if lastTime == nil { leadingWithoutTime += 1 }
      return lastTime ?? .min
    }
    let time = max(0, stated)
    lastTime = time
    return time
  }

  /// The history of the lines that were taken.
  ///
  /// - Throws: `ReplayFault.noTimes`.
  public consuming func finish() throws(ReplayFault) -> History {
    if !events.isEmpty, lastTime == nil { throw .noTimes(events: events.count) }
    if leadingWithoutTime > 0, leadingWithoutTime < events.count {
      for index in 0..<leadingWithoutTime { events[index].time = events[leadingWithoutTime].time }
    }
    // By line within an instant: the library's sort promises no order of what is equal.
    if summary.outOfOrder > 0 { events.sort { ($0.time, $0.line) < ($1.time, $1.line) } }
    summary.events = events.count
    summary.recipients = recipientKeys.count
    summary.first = events.first.map { Instant($0.time) }
    summary.last = events.last.map { Instant($0.time) }
    summary.rejected = rejections.sorted
    return History(summary: summary, events: events, bytes: bytes, recipientKeys: recipientKeys)
  }
}
