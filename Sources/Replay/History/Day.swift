import Contract

/// A day of the calendar, by UTC.
public struct Day: Hashable, Comparable, Encodable, Sendable, CustomStringConvertible {
  /// Days since 1970-01-01.
  public let number: Int64

  /// The day of that number.
  public init(number: Int64) { self.number = number }

  /// The year.
  public var year: Int64 { CivilDate.date(ofDay: number).year }

  /// The month, from 1.
  public var month: Int64 { CivilDate.date(ofDay: number).month }

  /// Such as `2024-10-25`.
  public var description: String { String(Instant(number * 86_400_000).description.prefix(10)) }

  /// Earlier is less.
  public static func < (left: Day, right: Day) -> Bool { left.number < right.number }

  /// As a string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Instant {
  /// The day that it is in, by UTC.
  public var day: Day {
    Day(number: milliseconds.flooredQuotientAndRemainder(dividingBy: 86_400_000).quotient)
  }
}
