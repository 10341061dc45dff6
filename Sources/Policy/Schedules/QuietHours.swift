import Contract

/// Hours of a day in which a recipient wants to be left alone, with the days on which they begin.
public struct QuietInterval: Hashable, Sendable, CustomStringConvertible {
  /// The days on which it begins, at least one.
  public let weekdays: Weekdays
  /// Its first minute.
  public let from: LocalTime
  /// The minute with which it is over: of the same day if it is after `from`, else of the next one. A day lies between
  /// two equal times.
  public let until: LocalTime

  /// An interval; nil without a day.
  public init?(weekdays: Weekdays = .everyDay, from: LocalTime, until: LocalTime) {
    guard !weekdays.isEmpty else { return nil }
    self.weekdays = weekdays
    self.from = from
    self.until = until
  }

  /// Days that are quiet from midnight to midnight; nil without a day.
  public init?(wholeDays weekdays: Weekdays) {
    self.init(weekdays: weekdays, from: .midnight, until: .midnight)
  }

  /// The length by the wall clock in seconds, more than 0 and at most a day.
  var length: Int64 {
    let minutes = Int64(until.minute) - Int64(from.minute)
    return (minutes > 0 ? minutes : minutes + Int64(LocalTime.minutesOfDay)) * 60
  }

  /// The days and times: `fri, sat 22:00 to 09:00`.
  public var description: String {
    from == .midnight && until == .midnight ? "\(weekdays), all day" : "\(weekdays) \(from) to \(until)"
  }
}

/// When a recipient wants to be left alone: intervals, which may overlap and then add up.
///
/// An instant is quiet exactly if the wall clock shows a time of an interval then: where the clocks go forward, quiet
/// hours are shorter, or missing that day; where they go back, what is shown again is quiet again.
///
/// A plain value without references.
public struct QuietHours: Hashable, Sendable {
  /// The intervals that there may be.
  public static let maxIntervals = 8
  /// No quiet hours.
  public static let none = QuietHours()

  /// Each interval as `packed` gives it, then zeros.
  private let packed: SIMD8<UInt32>
  private let count: UInt8

  private init() {
    packed = SIMD8()
    count = 0
  }

  /// Quiet hours of intervals, in any order.
  ///
  /// - Returns: nil for more than `maxIntervals`, and for those that leave no minute of the week.
  public init?(_ intervals: [QuietInterval]) {
    guard intervals.count <= QuietHours.maxIntervals else { return nil }
    let sorted = intervals.map(QuietHours.packed).sorted()
    var packed = SIMD8<UInt32>()
    for (index, interval) in sorted.enumerated() { packed[index] = interval }
    self.packed = packed
    count = UInt8(sorted.count)
    guard !coversWeek else { return nil }
  }

  /// Whether there are none.
  public var isEmpty: Bool { count == 0 }

  /// The intervals in a fixed order, whatever the order they were given in.
  public var intervals: [QuietInterval] { (0..<Int(count)).compactMap { QuietHours.interval(packed[$0]) } }

  /// Whether an instant, in milliseconds since the epoch, is quiet in a zone.
  public func isQuiet(at instant: Int64, in zone: ZoneOffsets) -> Bool {
    end(covering: zone.reading(at: Schedule.seconds(of: instant))) != nil
  }

  /// The first instant that is not before another and not quiet in a zone, both in milliseconds since the epoch: when
  /// to send what comes at `instant`. That is `instant` itself where it is not quiet.
  ///
  /// Deterministic, without allocation and without a call to Foundation.
  public func end(at instant: Int64, in zone: ZoneOffsets) -> Int64 {
    var second = Schedule.seconds(of: instant)
    var isQuiet = false
    // Ends, since no quiet hours cover a week, and no zone changes for ever.
    while true {
      let reading = zone.reading(at: second)
      guard let end = end(covering: reading) else { return isQuiet ? second * 1_000 : instant }
      isQuiet = true
      let candidate = second + end - reading
      second = min(candidate, zone.nextChange(after: second) ?? candidate)
    }
  }

  /// The latest end of the intervals that cover a reading of the wall clock, both in seconds; nil where none does.
  private func end(covering reading: Int64) -> Int64? {
    let today = reading.flooredQuotientAndRemainder(dividingBy: 86_400).quotient
    var latest: Int64?
    for index in 0..<Int(count) {
      guard let interval = QuietHours.interval(packed[index]) else { continue }
      for day in [today - 1, today] where interval.weekdays.contains(day: day) {
        let begin = day * 86_400 + Int64(interval.from.minute) * 60
        let end = begin + interval.length
        if begin <= reading, reading < end, end > latest ?? .min { latest = end }
      }
    }
    return latest
  }

  private var coversWeek: Bool {
    // The week from Monday, 1970-01-05.
    let week = (4 * 86_400 as Int64)..<(11 * 86_400)
    var reading = week.lowerBound
    while let end = end(covering: reading) {
      if end >= week.upperBound { return true }
      reading = end
    }
    return false
  }

  /// The days in the lowest seven bits, then 11 bits for each of the times.
  private static func packed(_ interval: QuietInterval) -> UInt32 {
    UInt32(interval.weekdays.rawValue) | UInt32(interval.from.minute) << 7
      | UInt32(interval.until.minute) << 18
  }

  private static func interval(_ packed: UInt32) -> QuietInterval? {
    guard packed >> 29 == 0, let from = LocalTime(minute: Int(packed >> 7 & 0x7FF)),
      let until = LocalTime(minute: Int(packed >> 18))
    else { return nil }
    return QuietInterval(weekdays: Weekdays(rawValue: UInt8(packed & 0x7F)), from: from, until: until)
  }
}

extension QuietHours {
  /// Appends the compact form: the number of intervals, and four bytes for each. Equal quiet hours have equal forms.
  public func encode(into output: inout OutputBuffer) {
    output.append(byte: count)
    for index in 0..<Int(count) { output.append(littleEndian: packed[index]) }
  }

  /// Reads a compact form; nil for bytes that `encode` does not write.
  public init?(_ bytes: ByteView) {
    guard let count = bytes.isEmpty ? nil : Int(bytes[0]), count <= QuietHours.maxIntervals,
      bytes.count == 1 + 4 * count
    else { return nil }
    var intervals: [QuietInterval] = []
    for index in 0..<count {
      let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[1 + 4 * index + $1]) << UInt32(8 * $1) }
      guard let interval = QuietHours.interval(word) else { return nil }
      intervals.append(interval)
    }
    self.init(intervals)
  }
}
