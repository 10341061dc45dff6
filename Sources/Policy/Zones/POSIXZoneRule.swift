import Contract

/// The rule by which a zone changes its offset every year from some time on: the TZ string of POSIX with the
/// extensions of RFC 9636, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
struct POSIXZoneRule: Equatable {
  /// The offset outside of daylight time in seconds, positive east of Greenwich.
  let standardOffset: Int64
  /// Daylight time, where the zone has it.
  let daylight: Daylight?

  struct Daylight: Equatable {
    let offset: Int64
    let begin: YearlyMoment
    let end: YearlyMoment
  }

  /// A moment of every year by the wall clock that is in force before it.
  struct YearlyMoment: Equatable {
    enum Date: Equatable {
      /// `Mm.w.d`: the w-th weekday d (0 is Sunday) of the month m; the fifth is the last.
      case weekday(month: Int64, week: Int64, weekday: Int64)
      /// `Jn`: the n-th day from 1, February 29 never counted.
      case dayWithoutLeapDay(Int64)
      /// `n`: the n-th day from 0, February 29 counted.
      case day(Int64)
    }
    let date: Date
    /// Seconds since midnight, from -167 to 167 hours.
    let seconds: Int64
  }

  /// Reads a rule; nil for a text that is none.
  init?(_ text: String) {
    var reader = RuleReader(rest: Array(text.utf8)[...])
    guard reader.name(), let standard = reader.time(maxHours: 24) else { return nil }
    standardOffset = -standard
    guard !reader.rest.isEmpty else {
      daylight = nil
      return
    }
    guard reader.name() else { return nil }
    var offset = standardOffset + 3_600
    if reader.rest.first != UInt8(ascii: ",") {
      guard let time = reader.time(maxHours: 24) else { return nil }
      offset = -time
    }
    guard let begin = reader.moment(), let end = reader.moment(), reader.rest.isEmpty else { return nil }
    daylight = Daylight(offset: offset, begin: begin, end: end)
  }

  /// Whether an offset can be in force at the time from which on the rule says what is.
  func agrees(withOffset offset: Int64) -> Bool {
    offset == standardOffset || offset == daylight?.offset
  }

  /// The changes after an instant before `ZoneOffsets.end`.
  func changes(after start: Int64) -> [ZoneOffsets.Change] {
    guard let daylight else { return [] }
    let firstDay = start.flooredQuotientAndRemainder(dividingBy: 86_400).quotient
    let firstYear = CivilDate.date(ofDay: firstDay).year - 1
    guard firstYear <= ZoneOffsets.lastYear else { return [] }
    var changes: [ZoneOffsets.Change] = []
    for year in max(1_900, firstYear)...ZoneOffsets.lastYear {
      let begin = daylight.begin.reading(inYear: year) - standardOffset
      let end = daylight.end.reading(inYear: year) - daylight.offset
      changes.append(ZoneOffsets.Change(instant: begin, offset: daylight.offset))
      changes.append(ZoneOffsets.Change(instant: end, offset: standardOffset))
    }
    // Daylight time all year ends at the instant at which it begins again.
    changes.sort {
      ($0.instant, $0.offset == daylight.offset ? 1 : 0) < ($1.instant, $1.offset == daylight.offset ? 1 : 0)
    }
    return changes.filter { $0.instant > start && $0.instant < ZoneOffsets.end }
  }
}

extension POSIXZoneRule.YearlyMoment {
  /// What the wall clock shows then, in seconds as if the wall were in UTC.
  fileprivate func reading(inYear year: Int64) -> Int64 {
    let newYear = CivilDate.day(year: year, month: 1, day: 1)
    let day: Int64
    switch date {
    case .weekday(let month, let week, let weekday):
      let first = CivilDate.day(year: year, month: month, day: 1)
      // 1970-01-01 was a Thursday.
      let firstWeekday = (first + 4).flooredQuotientAndRemainder(dividingBy: 7).remainder
      let offset = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
      day = first + (offset < CivilDate.days(inMonth: month, ofYear: year) ? offset : offset - 7)
    case .dayWithoutLeapDay(let number):
      let isLeap = CivilDate.days(inMonth: 2, ofYear: year) == 29
      day = newYear + number - 1 + (isLeap && number >= 60 ? 1 : 0)
    case .day(let number):
      day = newYear + number
    }
    return day * 86_400 + seconds
  }
}

/// Reads the parts of a rule in their order.
private struct RuleReader {
  var rest: ArraySlice<UInt8>

  /// An abbreviation: three letters or more, or anything in angle brackets.
  mutating func name() -> Bool {
    if rest.first == UInt8(ascii: "<") {
      guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
      rest = rest[(end + 1)...]
      return true
    }
    let letters = rest.prefix {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
    }
    rest = rest.dropFirst(letters.count)
    return letters.count >= 3
  }

  /// `[+-]hh[:mm[:ss]]` in seconds.
  mutating func time(maxHours: Int64) -> Int64? {
    var sign: Int64 = 1
    if let first = rest.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
      sign = first == UInt8(ascii: "-") ? -1 : 1
      rest = rest.dropFirst()
    }
    guard let hours = number(in: 0...maxHours) else { return nil }
    var seconds = hours * 3_600
    for unit: Int64 in [60, 1] where take(":") {
      guard let part = number(in: 0...59) else { return nil }
      seconds += part * unit
    }
    return sign * seconds
  }

  /// `,date[/time]`
  mutating func moment() -> POSIXZoneRule.YearlyMoment? {
    guard take(","), let date = date() else { return nil }
    guard take("/") else { return POSIXZoneRule.YearlyMoment(date: date, seconds: 7_200) }
    return time(maxHours: 167).map { POSIXZoneRule.YearlyMoment(date: date, seconds: $0) }
  }

  private mutating func date() -> POSIXZoneRule.YearlyMoment.Date? {
    if take("M") {
      guard let month = number(in: 1...12), take("."), let week = number(in: 1...5), take("."),
        let weekday = number(in: 0...6)
      else { return nil }
      return .weekday(month: month, week: week, weekday: weekday)
    }
    if take("J") { return number(in: 1...365).map { .dayWithoutLeapDay($0) } }
    return number(in: 0...365).map { .day($0) }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func number(in bounds: ClosedRange<Int64>) -> Int64? {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard (1...3).contains(digits.count) else { return nil }
    rest = rest.dropFirst(digits.count)
    let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    return bounds.contains(value) ? value : nil
  }
}
