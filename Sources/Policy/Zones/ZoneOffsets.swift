import Contract

/// The offsets from UTC of one IANA time zone, for all times: what turns an instant into what a clock on the wall
/// shows there, and back.
///
/// Readings of the wall clock are counted in seconds, as if the wall were in UTC: 0 is 1970-01-01 00:00 on that wall.
/// The table is computed once and never changes; any thread may read it. A look-up is a binary search over at most
/// a few hundred changes and allocates nothing. After 2100 the last offset stays. Instants and readings have to be
/// within 10^15 seconds of the epoch, thirty million years; those of milliseconds in 64 bits nearly are, and
/// `Schedule` and `QuietHours` clamp them.
public final class ZoneOffsets: Sendable {
  /// The name that it was asked for by, such as `Europe/Berlin`.
  public let name: String

  /// Where each period of one offset begins, ascending, in seconds since the epoch. The first has no beginning.
  private let starts: [Int64]
  /// The offset of each period in seconds, positive east of Greenwich.
  private let offsets: [Int64]
  /// What the wall clock had reached, at most, before each period: no instant before it shows this reading or a
  /// later one, and each earlier reading was shown or jumped over. Never descending.
  private let peaks: [Int64]

  /// A change of the offset.
  struct Change: Equatable {
    /// Its instant in seconds since the epoch.
    let instant: Int64
    /// The offset from there on, in seconds.
    let offset: Int64
  }

  /// The last year whose changes are in a table; the year where Foundation's knowledge ends.
  static let lastYear: Int64 = 2_100
  /// The end of that year in UTC, in seconds since the epoch.
  static let end = CivilDate.day(year: lastYear + 1, month: 1, day: 1) * 86_400

  /// A zone from its changes, which are ascending by their instants; those that change nothing are left out.
  init(name: String, firstOffset: Int64, changes: [Change]) {
    self.name = name
    var (starts, offsets, peaks) = ([Int64.min], [firstOffset], [Int64.min])
    for change in changes {
      if starts.count > 1, starts.last == change.instant {
        // Of two changes at one instant only the later has any force.
        starts.removeLast()
        offsets.removeLast()
        peaks.removeLast()
      }
      guard let last = offsets.last, let peak = peaks.last, change.offset != last else { continue }
      starts.append(change.instant)
      offsets.append(change.offset)
      peaks.append(max(peak, change.instant + last))
    }
    self.starts = starts
    self.offsets = offsets
    self.peaks = peaks
  }

  /// UTC itself: what is left where no zone is known.
  public static let utc = ZoneOffsets(name: "UTC", firstOffset: 0, changes: [])

  /// The offset at an instant, in seconds, positive east of Greenwich.
  ///
  /// - Parameter instant: in seconds since the epoch.
  public func offset(at instant: Int64) -> Int64 {
    offsets[ZoneOffsets.lastIndex(in: starts, notAbove: instant)]
  }

  /// What the wall clock shows at an instant, both in seconds.
  public func reading(at instant: Int64) -> Int64 { instant + offset(at: instant) }

  /// The first instant at which the wall clock shows a reading or a later one, both in seconds.
  ///
  /// For a reading that a change jumps over (a gap) that is the instant of the change; for one that is shown twice
  /// (an overlap) it is the first of the two.
  public func firstInstant(showing reading: Int64) -> Int64 {
    let period = ZoneOffsets.lastIndex(in: peaks, notAbove: reading)
    return max(starts[period], reading - offsets[period])
  }

  /// The earliest reading, in whole seconds, that the wall clock has neither shown nor jumped over until an instant:
  /// the readings from it on are those whose `firstInstant` is later than the instant.
  public func firstUnreached(after instant: Int64) -> Int64 {
    let period = ZoneOffsets.lastIndex(in: starts, notAbove: instant)
    return max(instant + offsets[period] + 1, peaks[period])
  }

  /// The first instant later than another at which a multiple of `seconds` is shown, each showing counted, or was
  /// jumped over; all in seconds.
  func nextMultiple(of seconds: Int64, after instant: Int64) -> Int64 {
    var period = ZoneOffsets.lastIndex(in: starts, notAbove: instant)
    var reading = instant + 1 + offsets[period]
    while true {
      let candidate = ZoneOffsets.roundedUp(reading, to: seconds) - offsets[period]
      guard period + 1 < starts.count, candidate >= starts[period + 1] else { return candidate }
      let change = starts[period + 1]
      let expected = change + offsets[period]
      reading = change + offsets[period + 1]
      if reading > expected, ZoneOffsets.roundedUp(expected, to: seconds) <= reading { return change }
      period += 1
    }
  }

  /// The first instant later than another at which the offset changes, in seconds; nil where it never does.
  public func nextChange(after instant: Int64) -> Int64? {
    let period = ZoneOffsets.lastIndex(in: starts, notAbove: instant)
    return period + 1 < starts.count ? starts[period + 1] : nil
  }

  /// The changes of the table, ascending.
  var changes: [Change] {
    zip(starts, offsets).dropFirst().map { Change(instant: $0, offset: $1) }
  }

  /// The offset before the first change, in seconds.
  var firstOffset: Int64 { offsets[0] }

  private static func roundedUp(_ value: Int64, to step: Int64) -> Int64 {
    (value + step - 1).flooredQuotientAndRemainder(dividingBy: step).quotient * step
  }

  /// The index of the last of ascending values that is not above a bound; the first value is below every bound.
  private static func lastIndex(in values: [Int64], notAbove bound: Int64) -> Int {
    values.withUnsafeBufferPointer { values in
      var (low, high) = (0, values.count)
      while high - low > 1 {
        let middle = (low + high) / 2
        if values[middle] <= bound { low = middle } else { high = middle }
      }
      return low
    }
  }
}

extension ZoneOffsets {
  /// What calendar and clock on the wall show at an instant, with the offset: `Sun 2025-03-30 03:00:00 +02:00`.
  ///
  /// - Parameter milliseconds: since the epoch; what is below a second is cut off.
  public func text(at milliseconds: Int64) -> String {
    let instant = milliseconds.flooredQuotientAndRemainder(dividingBy: 1_000).quotient
    let offset = offset(at: instant)
    let (day, second) = (instant + offset).flooredQuotientAndRemainder(dividingBy: 86_400)
    let (year, month, dayOfMonth) = CivilDate.date(ofDay: day)
    func digits(_ number: Int64, _ width: Int = 2) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    func clock(_ seconds: Int64, always: Bool) -> String {
      let minutes = digits(seconds / 3_600) + ":" + digits(seconds / 60 % 60)
      return always || seconds % 60 != 0 ? minutes + ":" + digits(seconds % 60) : minutes
    }
    let date = "\(digits(year, 4))-\(digits(month))-\(digits(dayOfMonth))"
    let sign = offset < 0 ? "-" : "+"
    return "\(Weekday(ofDay: day).title) \(date) \(clock(second, always: true)) "
      + sign + clock(abs(offset), always: false)
  }
}
