import Foundation

/// When a schedule is due, worked out a second time: from docs/schedules.md alone, with nothing of the product, and with
/// Foundation's time zones, offset by offset.
struct NaiveSchedule {
  /// Days since Monday; empty for every day.
  var weekdays: Set<Int> = []
  /// Minutes since midnight; empty for every full hour.
  var times: [Int] = []

  /// A stretch of time with one offset, in seconds.
  private struct Period {
    var start: Int64
    var end: Int64
    var offset: Int64
    /// What the clock would show at the start, had it not been changed.
    var expected: Int64
  }

  /// A zone by its name; of those without an area, such as the abbreviations that Foundation takes, UTC alone.
  static func zone(_ name: String) -> TimeZone? {
    name.contains("/") || name == "UTC" ? TimeZone(identifier: name) : nil
  }

  /// The first instant at which it is due after another, both in milliseconds.
  func next(after instant: Int64, in zone: TimeZone) -> Int64 {
    let after = Int64((Double(instant) / 1000).rounded(.down))
    let periods = Self.periods(of: zone, from: after - 3 * 86_400, to: after + 12 * 86_400)
    let due = times.isEmpty ? hours(periods) : localTimes(periods, around: after)
    return (due.filter { $0 > after }.min() ?? 0) * 1000
  }

  private static func periods(of zone: TimeZone, from start: Int64, to end: Int64) -> [Period] {
    func offset(_ second: Int64) -> Int64 {
      Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
    }
    var periods = [Period(start: start, end: end, offset: offset(start), expected: start + offset(start))]
    var last = start
    while let change = zone.nextDaylightSavingTimeTransition(
      after: Date(timeIntervalSince1970: Double(last)))
    {
      let second = Int64(change.timeIntervalSince1970)
      guard second > last, second < end else { break }
      let before = periods[periods.count - 1].offset
      periods[periods.count - 1].end = second
      periods.append(Period(start: second, end: end, offset: offset(second), expected: second + before))
      last = second
    }
    return periods
  }

  /// "Each time that the clock shows a full hour, in an overlap both times, and at the end of a gap that swallowed one."
  private func hours(_ periods: [Period]) -> [Int64] {
    periods.flatMap { period in
      var due: [Int64] = []
      let shown = period.start + period.offset
      if (period.expected..<max(period.expected, shown)).contains(where: { $0 % 3600 == 0 }) {
        due.append(period.start)
      }
      var second = period.start
      while (second + period.offset) % 3600 != 0 { second += 1 }
      while second < period.end {
        due.append(second)
        second += 3600
      }
      return due
    }
  }

  /// "A local time is due at the first instant at which the clock on the wall shows it or a later time."
  private func localTimes(_ periods: [Period], around after: Int64) -> [Int64] {
    let today = after / 86_400
    var due: [Int64] = []
    for day in (today - 2)...(today + 9) {
      // 1 January 1970 was a Thursday.
      guard weekdays.isEmpty || weekdays.contains(Int((day + 3) % 7)) else { continue }
      for time in times {
        let reading = day * 86_400 + Int64(time) * 60
        let first = periods.lazy.map { (max($0.start, reading - $0.offset), $0.end) }.first { $0 < $1 }
        if let first { due.append(first.0) }
      }
    }
    return due
  }
}
