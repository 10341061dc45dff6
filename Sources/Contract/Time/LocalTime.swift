/// A time of day by the recipient's wall clock, to the minute: 00:00 to 23:59.
public struct LocalTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The minutes since midnight as a clock counts them, 0 to 1,439.
  public let minute: UInt16

  /// The minutes of a day.
  public static let minutesOfDay = 1_440

  /// Midnight, with which a day begins.
  public static let midnight = LocalTime(unchecked: 0)

  /// A time by hour and minute; nil where a clock shows no such time.
  public init?(hour: Int, minute: Int) {
    guard (0...23).contains(hour), (0...59).contains(minute) else { return nil }
    self.init(unchecked: UInt16(hour * 60 + minute))
  }

  /// A time by the minutes since midnight; nil from 1,440 on.
  public init?(minute: Int) {
    guard (0..<LocalTime.minutesOfDay).contains(minute) else { return nil }
    self.init(unchecked: UInt16(minute))
  }

  /// Reads `HH:MM`, with two digits each, in ASCII; nil for every other text.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
    let digits = [bytes[0], bytes[1], bytes[3], bytes[4]].map { Int($0) - Int(UInt8(ascii: "0")) }
    guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
    self.init(hour: digits[0] * 10 + digits[1], minute: digits[2] * 10 + digits[3])
  }

  /// A time by its minutes since midnight, which have to be below 1,440.
  package init(unchecked minute: UInt16) {
    self.minute = minute
  }

  /// Orders from midnight to midnight.
  public static func < (left: LocalTime, right: LocalTime) -> Bool { left.minute < right.minute }

  /// `HH:MM`.
  public var description: String {
    let (hour, minute) = (Int(minute) / 60, Int(minute) % 60)
    return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
  }
}
