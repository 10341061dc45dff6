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

/// Reads lines of NDJSON, a CloudEvent each, or the records of a topic into a history. Confined to its thread.
///
/// An event's `time` becomes the instant at which the broker has appended it. The lines may be in any order: they are
/// sorted by time, and those of the same instant keep their order. An event without `time` has that of the line
/// before it (at the beginning: of the first line that has one), and a time before 1970 counts as its beginning.
public struct HistoryBuilder: ~Copyable {
  private var decoder: EventDecoder
  private let bytesLimit: Int
  private let bytes = ByteStore()
  private var events: [History.Event] = []
  private var headers: [History.Header] = []
  /// Positions of events whose time is not known until a line has one.
  private var leadingWithoutTime = 0
  private var lastTime: Int64?
  private var highestTime = Int64.min
  private var isSorted = true
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
    decoder = try EventDecoder(limits: limits)
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
    if isCut {
      rejections.count(
        Rejection(.recordTooLarge, "The line has more than \(line.count) bytes."), line: number)
    } else {
      take(decoder.decode(structured: line), number: number) { bytes, _ in (bytes.append(line), 0..<0) }
    }
    try checkSize(number)
  }

  /// Takes a record of a topic, or counts why it cannot be taken.
  ///
  /// - Parameters:
  ///   - record: in either content mode.
  ///   - appended: when the broker appended it, in milliseconds since the epoch: this counts in place of the `time` of
  ///     the event. It may be in any order.
  ///   - number: which one it is, from 1; of records of the same instant the lower one goes first.
  /// - Throws: `ReplayFault.tooLarge`.
  public mutating func add(
    _ record: InputRecord, appended: Int64, number: Int
  ) throws(ReplayFault) {
    summary.lines += 1
    let time = max(0, appended)
    lastTime = time
    take(decoder.decode(record), number: number, appended: time) { bytes, headers in
      let start = UInt32(clamping: headers.count)
      for header in record.headers {
        headers.append(
          History.Header(name: bytes.append(header.name), value: header.value.map { bytes.append($0) }))
      }
      return (bytes.append(record.value ?? .empty), start..<UInt32(clamping: headers.count))
    }
    try checkSize(number)
  }

  private func checkSize(_ number: Int) throws(ReplayFault) {
    let held =
      bytes.count + events.count * MemoryLayout<History.Event>.stride
      + headers.count * MemoryLayout<History.Header>.stride
    guard held <= bytesLimit else { throw .tooLarge(line: number, limitBytes: bytesLimit) }
  }

  /// - Parameters:
  ///   - appended: nil takes the event's own time.
  ///   - store: keeps the bytes of an event that is taken.
  private mutating func take(
    _ decoded: DecodedEvent, number: Int, appended: Int64? = nil,
    _ store: (ByteStore, inout [History.Header]) -> (value: ByteStore.Extent, headers: Range<UInt32>)
  ) {
    let event: EventView
    switch decoded {
    case .rejected(let rejection): return rejections.count(rejection, line: number)
    case .event(let accepted): event = accepted
    }
    let time = appended ?? time(of: event)
    if time < highestTime {
      isSorted = false
      if appended == nil { summary.outOfOrder += 1 }
    }
    highestTime = max(highestTime, time)
    summary.arrivals += event.recipientCount
    var keyHash: Int32?
    for recipient in event.recipients {
      key.removeAll()
      RecipientKey.append(tenant: event.tenant, recipient: recipient, to: &key)
      if known.insert(Hash128(of: key.view)).inserted { recipientKeys.append(bytes.append(key.view)) }
      keyHash = event.recipientCount == 1 ? Murmur2.hash(key.view) & Int32.max : nil
    }
    if !event.audience.isEmpty {
      key.removeAll()
      AudienceKey.append(tenant: event.tenant, audience: event.audience, to: &key)
      keyHash = Murmur2.hash(key.view) & Int32.max
    }
    let stored = store(bytes, &headers)
    events.append(
      History.Event(
        time: time, line: UInt32(clamping: number), keyHash: keyHash, value: stored.value,
        headers: stored.headers))
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
    if !isSorted { events.sort { ($0.time, $0.line) < ($1.time, $1.line) } }
    summary.events = events.count
    summary.recipients = recipientKeys.count
    summary.first = events.first.map { Instant($0.time) }
    summary.last = events.last.map { Instant($0.time) }
    summary.rejected = rejections.sorted
    return History(
      summary: summary, events: events, headers: headers, bytes: bytes, recipientKeys: recipientKeys)
  }
}
