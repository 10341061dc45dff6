import Contract

/// When what waits is sent: local times on days of the week, or every full hour.
///
/// A plain value without references. docs/schedules.md says what happens where the clocks change.
public struct Schedule: Hashable, Sendable {
  /// The local times that a schedule may have.
  public static let maxTimes = 16
  /// The time of `daily` and `weekly`.
  public static let standardTime = LocalTime(unchecked: 9 * 60)

  /// Every full hour that the wall clock shows.
  public static let hourly = Schedule(weekdays: .everyDay, times: SIMD16(), count: 0)
  /// Every day at 09:00.
  public static let daily = Schedule(weekdays: .everyDay, time: standardTime)
  /// Every Monday at 09:00.
  public static let weekly = Schedule(weekdays: Weekdays([.monday]), time: standardTime)

  /// The days on which it is due: those of its local times, also where a change of the clocks moves one into the
  /// next day.
  public let weekdays: Weekdays
  /// The minutes of the local times, ascending, then zeros.
  private let minutes: SIMD16<UInt16>
  /// The number of local times; 0 is every full hour.
  private let count: UInt8

  private init(weekdays: Weekdays, times: SIMD16<UInt16>, count: Int) {
    self.weekdays = weekdays
    minutes = times
    self.count = UInt8(count)
  }

  private init(weekdays: Weekdays, time: LocalTime) {
    var minutes = SIMD16<UInt16>()
    minutes[0] = time.minute
    self.init(weekdays: weekdays, times: minutes, count: 1)
  }

  /// A schedule of local times, in any order; a repeated one counts once.
  ///
  /// - Returns: nil without a day, without a time, or with more than `maxTimes` of them.
  public init?(weekdays: Weekdays = .everyDay, at times: some Sequence<LocalTime>) {
    let distinct = Set(times).sorted()
    guard !weekdays.isEmpty, (1...Schedule.maxTimes).contains(distinct.count) else { return nil }
    var minutes = SIMD16<UInt16>()
    for (index, time) in distinct.enumerated() { minutes[index] = time.minute }
    self.init(weekdays: weekdays, times: minutes, count: distinct.count)
  }

  /// Whether it is due at every full hour, rather than at local times.
  public var isHourly: Bool { count == 0 }

  /// The local times, ascending; none for `hourly`.
  public var times: [LocalTime] { (0..<Int(count)).map { LocalTime(unchecked: minutes[$0]) } }
}

extension Schedule {
  /// The first instant after another at which the schedule is due in a zone. Both in milliseconds since the epoch; the
  /// result is a whole second.
  ///
  /// A local time is due at the first instant at which the wall clock shows it or a later time: where the clocks go
  /// forward past it, that is the instant of the change, and several such times of one gap are due once, together;
  /// where they go back over it, that is the first time that they show it. Every full hour is due whenever the wall
  /// clock shows it, twice where the clocks go back over it; where they go forward past it, at the change.
  ///
  /// Times end thirty thousand years from the epoch: from there on nothing is due, which is the largest `Int64`.
  ///
  /// Deterministic, without allocation and without a call to Foundation: two or three binary searches.
  public func next(after instant: Int64, in zone: ZoneOffsets) -> Int64 {
    guard instant < Schedule.endOfTime else { return .max }
    let after = Schedule.seconds(of: instant)
    guard !isHourly else { return zone.nextMultiple(of: 3_600, after: after) * 1_000 }
    return zone.firstInstant(showing: due(notBefore: zone.firstUnreached(after: after))) * 1_000
  }

  /// The next instants at which the schedule is due, as `next` gives them, one after the other.
  public func next(_ count: Int, after instant: Int64, in zone: ZoneOffsets) -> [Int64] {
    var (instants, last) = ([Int64](), instant)
    for _ in 0..<max(0, count) {
      last = next(after: last, in: zone)
      instants.append(last)
    }
    return instants
  }

  /// The first due reading of the wall clock that is not before another; both in seconds.
  private func due(notBefore reading: Int64) -> Int64 {
    let (day, second) = reading.flooredQuotientAndRemainder(dividingBy: 86_400)
    if weekdays.contains(day: day) {
      for index in 0..<Int(count) where Int64(minutes[index]) * 60 >= second {
        return day * 86_400 + Int64(minutes[index]) * 60
      }
    }
    var later = day + 1
    while !weekdays.contains(day: later) { later += 1 }
    return later * 86_400 + Int64(minutes[0]) * 60
  }

  /// Where times end, in milliseconds since the epoch, and backwards as far: no calendar is meant beyond.
  static let endOfTime: Int64 = 1_000_000_000_000_000

  /// The whole seconds of an instant, kept within the times that are meant.
  static func seconds(of milliseconds: Int64) -> Int64 {
    let kept = min(max(milliseconds, -endOfTime), endOfTime)
    return kept.flooredQuotientAndRemainder(dividingBy: 1_000).quotient
  }
}

extension Schedule: CustomStringConvertible {
  /// `hourly`, or days and times: `mon, fri at 09:00, 17:30`.
  public var description: String {
    isHourly ? "hourly" : "\(weekdays) at \(times.map(\.description).joined(separator: ", "))"
  }
}

extension Schedule {
  /// Appends the compact form: the days, the number of times, each time as two bytes. Equal schedules have equal forms.
  public func encode(into output: inout OutputBuffer) {
    output.append(byte: weekdays.rawValue)
    output.append(byte: count)
    for index in 0..<Int(count) { output.append(littleEndian: minutes[index]) }
  }

  /// Reads a compact form; nil for bytes that `encode` does not write.
  public init?(_ bytes: ByteView) {
    guard bytes.count >= 2, bytes[0] & 0x80 == 0, bytes.count == 2 + 2 * Int(bytes[1]) else { return nil }
    let weekdays = Weekdays(rawValue: bytes[0])
    if bytes[1] == 0 {
      guard weekdays == .everyDay else { return nil }
      self = .hourly
      return
    }
    var times: [LocalTime] = []
    for index in 0..<Int(bytes[1]) {
      let minute = Int(bytes[2 + 2 * index]) | Int(bytes[3 + 2 * index]) << 8
      guard let time = LocalTime(minute: minute), times.last.map({ $0 < time }) ?? true else { return nil }
      times.append(time)
    }
    self.init(weekdays: weekdays, at: times)
  }
}
