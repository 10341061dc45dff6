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
  package var length: Int64 {
    let minutes = Int64(until.minute) - Int64(from.minute)
    return (minutes > 0 ? minutes : minutes + Int64(LocalTime.minutesOfDay)) * 60
  }

  /// Whether it is from midnight to midnight.
  public var isWholeDay: Bool { from == .midnight && until == .midnight }

  /// The days and times: `fri, sat 22:00 to 09:00`.
  public var description: String {
    isWholeDay ? "\(weekdays), all day" : "\(weekdays) \(from) to \(until)"
  }
}
