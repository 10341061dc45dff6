import Contract
import Foundation

@testable import Policy

/// What the wall clock of a zone shows, minute by minute, asked of Foundation: what schedules and quiet hours are
/// compared with. It knows nothing of gaps and overlaps.
struct WallClock {
  /// The first minute, in seconds since the epoch.
  let start: Int64
  /// The reading at each minute from `start` on, in seconds.
  let readings: [Int64]

  /// A clock from one whole minute on. Between two instants five minutes apart with the same offset none is assumed
  /// to differ.
  init(_ zone: TimeZone, from start: Int64, minutes: Int) {
    func offset(_ minute: Int) -> Int64 {
      Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(start + Int64(minute) * 60))))
    }
    self.start = start
    var readings: [Int64] = []
    readings.reserveCapacity(minutes)
    var next = offset(0)
    for block in stride(from: 0, to: minutes, by: 5) {
      let first = next
      next = offset(block + 5)
      for minute in block..<min(block + 5, minutes) {
        readings.append(start + Int64(minute) * 60 + (first == next ? first : offset(minute)))
      }
    }
    self.readings = readings
  }

  /// The instant of a minute in milliseconds.
  func instant(_ minute: Int) -> Int64 { (start + Int64(minute) * 60) * 1_000 }

  /// The day and the minute of the day that a reading stands for.
  static func split(_ reading: Int64) -> (day: Int64, minute: Int) {
    let day = Int64((Double(reading) / 86_400).rounded(.down))
    return (day, Int(reading - day * 86_400) / 60)
  }

  /// When local times are due, as docs/schedules.md says it: at the first minute at which the clock shows one or a
  /// later time. Due are those after the first reading.
  func due(_ weekdays: Weekdays, _ times: [LocalTime]) -> [Int64] {
    var waiting: [Int64] = []
    for day in (WallClock.split(readings[0]).day - 1)...(WallClock.split(readings[0]).day + 6)
    where weekdays.contains(WallClock.weekday(day)) {
      waiting += times.map { day * 86_400 + Int64($0.minute) * 60 }
    }
    waiting = waiting.filter { $0 > readings[0] }.sorted()
    var (due, next) = ([Int64](), 0)
    for (minute, reading) in readings.enumerated() {
      guard next < waiting.count, waiting[next] <= reading else { continue }
      due.append(instant(minute))
      while next < waiting.count, waiting[next] <= reading { next += 1 }
    }
    return due
  }

  /// When full hours are due: at each minute that shows one, and at one before which the clock jumped over one.
  func fullHours() -> [Int64] {
    (1..<readings.count).filter { minute in
      let (before, reading) = (readings[minute - 1], readings[minute])
      if reading % 3_600 == 0 { return true }
      return reading > before + 60
        && stride(from: before + 60, to: reading, by: 60).contains { $0 % 3_600 == 0 }
    }.map(instant)
  }

  /// Whether each minute is quiet: whether it shows a time of an interval of its day, or of one of the day before.
  func quiet(_ intervals: [QuietInterval]) -> [Bool] {
    readings.map { reading in
      let (day, minute) = WallClock.split(reading)
      return intervals.contains { interval in
        let (from, until) = (Int(interval.from.minute), Int(interval.until.minute))
        let today = interval.weekdays.contains(WallClock.weekday(day))
        let yesterday = interval.weekdays.contains(WallClock.weekday(day - 1))
        if from < until { return today && from <= minute && minute < until }
        return today && minute >= from || yesterday && minute < until
      }
    }
  }

  /// The weekday of a day since 1970-01-01: 1969-12-29 was a Monday.
  static func weekday(_ day: Int64) -> Weekday {
    Weekday.allCases[Int(((day + 3) % 7 + 7) % 7)]
  }
}

/// Every zone that Foundation lists, with its changes from 2000 to 2037.
enum KnownZones {
  struct Zone: Sendable {
    let name: String
    let foundation: TimeZone
    let offsets: ZoneOffsets
    /// In seconds since the epoch.
    let changes: [Int64]
  }

  static let start: Int64 = 946_684_800
  static let end: Int64 = 2_145_916_800

  /// From Foundation's data, so that both sides of a comparison know the same.
  static let all: [Zone] = TimeZone.knownTimeZoneIdentifiers.compactMap { name in
    guard let zone = TimeZone(identifier: name), let offsets = ZoneOffsets(foundation: name) else {
      return nil
    }
    var changes: [Int64] = []
    var last = Date(timeIntervalSince1970: Double(start))
    while let next = zone.nextDaylightSavingTimeTransition(after: last), next > last,
      Int64(next.timeIntervalSince1970) < end
    {
      changes.append(Int64(next.timeIntervalSince1970))
      last = next
    }
    return Zone(name: name, foundation: zone, offsets: offsets, changes: changes)
  }
}
