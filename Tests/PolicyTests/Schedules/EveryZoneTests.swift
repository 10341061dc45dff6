import Contract
import Foundation
import Policy
import SeededTesting
import Testing

/// All zones and all changes of their clocks from 2000 to 2037, against Foundation.
@Suite("Where the clocks change")
struct EveryZoneTests {
  private let window = 2 * 24 * 60

  @Test("all zones are there, and thousands of changes")
  func extent() {
    #expect(KnownZones.all.count == TimeZone.knownTimeZoneIdentifiers.count)
    #expect(KnownZones.all.count > 400)
    #expect(KnownZones.all.reduce(0) { $0 + $1.changes.count } > 10_000)
  }

  @Test("a table has Foundation's offset around every change and at random instants")
  func offsets() {
    var random = SeededGenerator.printed()
    for zone in KnownZones.all {
      var instants = zone.changes.flatMap { change in
        [-86_400, -3_600, -60, -1, 0, 1, 60, 3_600, 86_400].map { change + $0 }
      }
      instants += (0..<200).map { _ in Int64.random(in: -2_000_000_000...4_100_000_000, using: &random) }
      let wrong = instants.filter {
        zone.offsets.offset(at: $0)
          != Int64(zone.foundation.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0))))
      }
      #expect(wrong.isEmpty, "\(zone.name) at \(wrong.prefix(3)), \(random)")
    }
  }

  @Test("local times are due when a clock that is read every minute says so, around every change")
  func schedules() throws {
    var random = SeededGenerator.printed()
    var (due, gaps) = (0, 0)
    for zone in KnownZones.all {
      for change in zone.changes {
        let clock = clock(of: zone, around: change)
        let times = times(near: change, zone.offsets, &random)
        let weekdays = Bool.random(using: &random) ? Weekdays.everyDay : randomWeekdays(&random)
        let schedule = try #require(Schedule(weekdays: weekdays, at: times))
        let expected = clock.due(weekdays, times)
        let found = instants(of: schedule, clock, zone.offsets)
        #expect(found == expected, "\(zone.name) at \(change), \(schedule), \(random)")
        due += expected.count
        gaps += expected.contains(change * 1_000) ? 1 : 0
      }
    }
    // Otherwise it would say nothing.
    #expect(due > 20_000 && gaps > 1_000)
  }

  @Test("every full hour is due when a clock that is read every minute says so, around every change")
  func fullHours() {
    for zone in KnownZones.all {
      for change in zone.changes {
        let clock = clock(of: zone, around: change)
        #expect(instants(of: .hourly, clock, zone.offsets) == clock.fullHours(), "\(zone.name) at \(change)")
      }
    }
  }

  @Test("a local time is due when Foundation's calendar finds it, on the day of every change")
  func calendar() throws {
    var random = SeededGenerator.printed()
    var calendar = Calendar(identifier: .gregorian)
    var compared = 0
    for zone in KnownZones.all {
      calendar.timeZone = zone.foundation
      for change in zone.changes {
        // Foundation's calendar leaves out a day or takes another hour where a gap or overlap is not the hour long that
        // most are, where a gap is about midnight, and where it does not begin at a full hour.
        let (before, after) = (zone.offsets.reading(at: change - 1) + 1, zone.offsets.reading(at: change))
        guard abs(after - before) == 3_600, before % 3_600 == 0, before % 86_400 != 0 || after < before,
          before / 86_400 == after / 86_400
        else { continue }
        let time = try #require(times(near: change, zone.offsets, &random).first)
        let schedule = try #require(Schedule(at: [time]))
        // From within an overlap on, it takes the second showing, having missed the first.
        let instant = change - Int64.random(in: 10_000...100_000, using: &random)
        let components = DateComponents(hour: Int(time.minute) / 60, minute: Int(time.minute) % 60, second: 0)
        let expected = calendar.nextDate(
          after: Date(timeIntervalSince1970: Double(instant)), matching: components,
          matchingPolicy: .nextTime, repeatedTimePolicy: .first)
        let found = schedule.next(after: instant * 1_000, in: zone.offsets)
        #expect(
          expected?.timeIntervalSince1970 == Double(found) / 1_000,
          "\(zone.name) at \(time) after \(zone.offsets.text(at: instant * 1_000)), \(random)")
        compared += 1
      }
    }
    #expect(compared > 10_000)
  }

  @Test("over 37 years each local time is due once on each of its days and on no other")
  func onceADay() throws {
    var random = SeededGenerator.printed()
    for zone in KnownZones.all {
      let weekdays = randomWeekdays(&random)
      let times = (0..<Int.random(in: 1...3, using: &random)).map { _ in randomTime(&random) }
      let schedule = try #require(Schedule(weekdays: weekdays, at: times))
      let minutes = Set(times.map { Int64($0.minute) })
      // The local times that are due, as readings of the wall clock; each is struck off when it comes.
      let first = zone.offsets.reading(at: KnownZones.start)
      let end = zone.offsets.reading(at: KnownZones.end - 1)
      var missing: Set<Int64> = []
      for day in (first / 86_400 - 1)...(end / 86_400 + 1) where weekdays.contains(WallClock.weekday(day)) {
        for minute in minutes { missing.insert(day * 86_400 + minute * 60) }
      }
      missing = missing.filter { first < $0 && $0 <= end }
      let changes = Set(zone.changes)
      var last = KnownZones.start
      while true {
        let next = schedule.next(after: last * 1_000, in: zone.offsets) / 1_000
        guard next > last else {
          Issue.record("\(zone.name): \(next) is not after \(last), \(schedule), \(random)")
          break
        }
        guard next < KnownZones.end else { break }
        last = next
        // With a change come all times that it jumps over, and the one that it leads to.
        let reading = zone.offsets.reading(at: next)
        let from = changes.contains(next) ? zone.offsets.reading(at: next - 1) + 1 : reading
        let struck = missing.count
        for shown in stride(from: from, through: reading, by: 60) { missing.remove(shown) }
        if missing.count == struck {
          Issue.record(
            "\(zone.name): \(zone.offsets.text(at: next * 1_000)) is not due, \(schedule), \(random)")
          break
        }
      }
      #expect(missing.isEmpty, "\(zone.name), \(schedule), \(random)")
    }
  }

  @Test("from one instant on it is never due before the instant, and never later for an earlier instant")
  func monotone() throws {
    var random = SeededGenerator.printed()
    for zone in KnownZones.all {
      let around = zone.changes.randomElement(using: &random) ?? KnownZones.start
      let schedule = try #require(Schedule(at: times(near: around, zone.offsets, &random)))
      var last: Int64 = .min
      var instant = (around - 100_000) * 1_000
      while instant < (around + 100_000) * 1_000 {
        let next = schedule.next(after: instant, in: zone.offsets)
        #expect(next > instant && next >= last, "\(zone.name) after \(instant), \(schedule), \(random)")
        last = next
        instant += Int64.random(in: 1...1_800_000, using: &random)
      }
    }
  }

  @Test("quiet is what a clock that is read every minute shows as quiet, around every change")
  func quietHours() throws {
    var random = SeededGenerator.printed()
    var (quiet, loud) = (0, 0)
    for zone in KnownZones.all {
      for change in zone.changes {
        let clock = clock(of: zone, around: change)
        let intervals = try randomIntervals(near: change, zone.offsets, &random)
        guard let hours = QuietHours(intervals) else { continue }
        let expected = clock.quiet(intervals)
        for _ in 0..<40 {
          let isNear = Bool.random(using: &random)
          let middle = expected.count / 2
          let minute = Int.random(
            in: isNear ? middle - 150...middle + 150 : 0...expected.count - 1, using: &random)
          let instant = clock.instant(minute) + Int64.random(in: 0..<60_000, using: &random)
          let end = hours.end(at: instant, in: zone.offsets)
          // Quiet beyond the window ends there or later.
          let over = expected[minute...].firstIndex(of: false).map(clock.instant)
          let isRight =
            expected[minute] ? over.map { end == $0 } ?? (end > clock.instant(window - 1)) : end == instant
          if hours.isQuiet(at: instant, in: zone.offsets) != expected[minute] || !isRight {
            Issue.record("\(zone.offsets.text(at: instant)) in \(zone.name), \(intervals), \(random)")
          }
          if expected[minute] { quiet += 1 } else { loud += 1 }
        }
      }
    }
    #expect(quiet > 50_000 && loud > 50_000)
  }

  private func clock(of zone: KnownZones.Zone, around change: Int64) -> WallClock {
    // A whole minute before the change, however the change lies.
    let start = change - Int64(window / 2) * 60
    return WallClock(zone.foundation, from: start - (start % 60 + 60) % 60, minutes: window)
  }

  private func instants(of schedule: Schedule, _ clock: WallClock, _ zone: ZoneOffsets) -> [Int64] {
    var (instants, last) = ([Int64](), clock.instant(0))
    while true {
      last = schedule.next(after: last, in: zone)
      guard last <= clock.instant(clock.readings.count - 1) else { return instants }
      instants.append(last)
    }
  }

  /// Times of a day, most of them about what the clock shows around a change.
  private func times(
    near change: Int64, _ zone: ZoneOffsets, _ random: inout SeededGenerator
  ) -> [LocalTime] {
    (0..<Int.random(in: 1...4, using: &random)).compactMap { _ in
      guard Int.random(in: 0..<4, using: &random) > 0 else { return randomTime(&random) }
      let reading = zone.reading(at: change - 1) + 1 + Int64.random(in: -90...90, using: &random) * 60
      let isEdge = Int.random(in: 0..<4, using: &random) == 0
      let shown = isEdge ? zone.reading(at: change - (Bool.random(using: &random) ? 1 : 0)) + 59 : reading
      return LocalTime(minute: WallClock.split(shown).minute)
    }
  }

  private func randomTime(_ random: inout SeededGenerator) -> LocalTime {
    LocalTime(minute: Int.random(in: 0..<LocalTime.minutesOfDay, using: &random)) ?? .midnight
  }

  private func randomWeekdays(_ random: inout SeededGenerator) -> Weekdays {
    Weekdays(rawValue: UInt8.random(in: 1...0x7F, using: &random))
  }

  private func randomIntervals(
    near change: Int64, _ zone: ZoneOffsets, _ random: inout SeededGenerator
  ) throws -> [QuietInterval] {
    try (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let (from, until) = (times(near: change, zone, &random), times(near: change, zone, &random))
      let isCommon = Int.random(in: 0..<4, using: &random) == 0
      return try #require(
        QuietInterval(
          weekdays: randomWeekdays(&random), from: isCommon ? randomTime(&random) : from[0],
          until: isCommon ? randomTime(&random) : until[0]))
    }
  }
}
