import Contract
import Foundation
import SeededTesting
import Testing

@testable import Policy

@Suite("A schedule")
struct ScheduleTests {
  private func form(_ schedule: Schedule) -> [UInt8] {
    var output = OutputBuffer()
    schedule.encode(into: &output)
    return Array(output.view.buffer)
  }

  private func read(_ bytes: [UInt8]) -> Schedule? {
    bytes.withUnsafeBytes { Schedule(ByteView($0)) }
  }

  @Test("the order and repetition of its times change nothing")
  func canonical() throws {
    let times = try ["17:30", "09:00", "17:30"].map { try #require(LocalTime($0)) }
    let schedule = try #require(Schedule(weekdays: .mondayToFriday, at: times))
    #expect(schedule.times.map(\.description) == ["09:00", "17:30"])
    #expect(schedule == Schedule(weekdays: .mondayToFriday, at: times.reversed()))
    #expect(schedule.description == "mon, tue, wed, thu, fri at 09:00, 17:30")
    #expect(Schedule.hourly.description == "hourly" && Schedule.weekly.description == "mon at 09:00")
  }

  @Test("without days or times, or with too many times, there is none")
  func bounds() throws {
    let many = (0...Schedule.maxTimes).compactMap { LocalTime(minute: $0) }
    #expect(Schedule(weekdays: [], at: [.midnight]) == nil)
    #expect(Schedule(at: [LocalTime]()) == nil)
    #expect(Schedule(at: many) == nil)
    #expect(Schedule(at: many.dropLast())?.times.count == Schedule.maxTimes)
  }

  @Test("an instant at which it is due is not after itself, one a millisecond earlier is before it")
  func sharp() {
    let due: Int64 = 1_700_038_800_000
    #expect(Schedule.daily.next(after: due - 1, in: .utc) == due)
    #expect(Schedule.daily.next(after: due, in: .utc) == due + 86_400_000)
    #expect(Schedule.daily.next(after: due + 1, in: .utc) == due + 86_400_000)
  }

  @Test("instants before 1970 and at the edges of 64 bits have a defined result")
  func edges() throws {
    let berlin = try #require(ZoneDatabase.system.zone(named: "Europe/Berlin"))
    for zone in [ZoneOffsets.utc, berlin] {
      for schedule in [Schedule.hourly, .daily, .weekly] {
        #expect(schedule.next(after: .max, in: zone) == .max)
        #expect(schedule.next(after: .min, in: zone) < -900_000_000_000_000)
        let next = schedule.next(after: -1, in: zone)
        #expect(next > -1 && next <= 7 * 86_400_000)
      }
      #expect(QuietHours.none.end(at: .max, in: zone) == .max)
      #expect(QuietHours.none.end(at: .min, in: zone) == .min)
    }
  }

  @Test("the compact form is read back, and nothing else is")
  func compactForm() throws {
    var random = SeededGenerator.printed()
    for schedule in [Schedule.hourly, .daily, .weekly] { #expect(read(form(schedule)) == schedule) }
    for _ in 0..<2_000 {
      let times = (0..<Int.random(in: 1...16, using: &random)).compactMap { _ in
        LocalTime(minute: Int.random(in: 0..<1_440, using: &random))
      }
      let weekdays = Weekdays(rawValue: UInt8.random(in: 1...0x7F, using: &random))
      let schedule = try #require(Schedule(weekdays: weekdays, at: times))
      var bytes = form(schedule)
      #expect(read(bytes) == schedule, "\(random)")
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      if let other = read(bytes) { #expect(form(other) == bytes, "\(random)") }
      #expect(read(bytes.dropLast()) == nil, "\(random)")
    }
    #expect(read([]) == nil && read([0x7F]) == nil && read([0x01, 0]) == nil)
  }

  @Test("days are numbered as the calendar does")
  func weekdays() {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    for day in stride(from: -20_000, to: 60_000, by: 13) {
      let sundayFirst = calendar.component(.weekday, from: Date(timeIntervalSince1970: Double(day) * 86_400))
      #expect(Int(Weekday(ofDay: Int64(day)).rawValue) == (sundayFirst + 5) % 7)
    }
    #expect(Weekdays.everyDay.description == "every day")
    #expect(Weekdays([.friday, .monday]).description == "mon, fri")
  }

  @Test(
    "only times of two digits each are times",
    arguments: ["24:00", "9:00", "09:60", "0900", "09:00 ", "٠٩:٠٠", ""])
  func noTimes(text: String) {
    #expect(LocalTime(text) == nil)
  }

  @Test("the cadences of recipients are schedules, but for instant")
  func cadences() {
    #expect(Cadence.allCases.map(\.name) == ["instant", "hourly", "daily", "weekly"])
    #expect(Cadence.allCases.map(\.schedule) == [nil, .hourly, .daily, .weekly])
    for cadence in Cadence.allCases { #expect(Cadence(name: cadence.name) == cadence) }
    #expect(Cadence(name: "Daily") == nil)
  }

  @Test("schedules and quiet hours are plain values: copying them counts no references")
  func plainValues() {
    #expect(_isPOD(Schedule.self) && _isPOD(QuietHours.self))
  }
}
