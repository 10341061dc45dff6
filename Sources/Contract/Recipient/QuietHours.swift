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

  /// The latest end of the intervals that cover a reading of the wall clock, both in seconds; nil where none does.
  package func end(covering reading: Int64) -> Int64? {
    let today = reading.flooredQuotientAndRemainder(dividingBy: 86_400).quotient
    var latest: Int64?
    for index in 0..<Int(count) {
      guard let interval = QuietHours.interval(packed[index]) else { continue }
      for day in (today - 1)...today where interval.weekdays.contains(day: day) {
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

  /// Reads a compact form, without allocation; nil for bytes that `encode` does not write.
  public init?(_ bytes: ByteView) {
    guard let count = bytes.isEmpty ? nil : Int(bytes[0]), count <= QuietHours.maxIntervals,
      bytes.count == 1 + 4 * count
    else { return nil }
    var packed = SIMD8<UInt32>()
    for index in 0..<count {
      let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[1 + 4 * index + $1]) << UInt32(8 * $1) }
      guard QuietHours.interval(word) != nil, index == 0 || packed[index - 1] <= word else { return nil }
      packed[index] = word
    }
    self.packed = packed
    self.count = UInt8(count)
    guard !coversWeek else { return nil }
  }
}
