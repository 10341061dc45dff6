import Contract
import Policy
import SeededTesting
import Testing

@Suite("Quiet hours")
struct QuietHoursTests {
  private func interval(_ weekdays: Weekdays, _ from: String, _ until: String) throws -> QuietInterval {
    let (from, until) = (try #require(LocalTime(from)), try #require(LocalTime(until)))
    return try #require(QuietInterval(weekdays: weekdays, from: from, until: until))
  }

  @Test("without an interval nothing is quiet")
  func none() {
    #expect(QuietHours([]) == QuietHours.none && QuietHours.none.isEmpty)
    #expect(!QuietHours.none.isQuiet(at: 0, in: .utc))
  }

  @Test("intervals that leave no minute of the week are refused, those that leave one are not")
  func wholeWeek() throws {
    let days = try #require(QuietInterval(wholeDays: .everyDay))
    #expect(QuietHours([days]) == nil)
    let halves = [try interval(.everyDay, "00:00", "12:00"), try interval(.everyDay, "12:00", "00:00")]
    #expect(QuietHours(halves) == nil)
    let most = [try interval(.everyDay, "00:00", "12:00"), try interval(.everyDay, "12:01", "00:00")]
    let hours = try #require(QuietHours(most))
    #expect(hours.end(at: 0, in: .utc) == 12 * 3_600_000)
    #expect(hours.end(at: 12 * 3_600_000 + 60_000, in: .utc) == 36 * 3_600_000)
  }

  @Test("one minute of the week that a gap swallows is awaited a week later")
  func swallowed() throws {
    // Berlin's clocks go forward from Sunday 02:00 to 03:00.
    let zone = try #require(ZoneDatabase.system.zone(named: "Europe/Berlin"))
    let sunday = Weekdays([.sunday])
    let others = try #require(QuietInterval(wholeDays: .everyDay.subtracting(sunday)))
    let hours = try #require(
      QuietHours([others, interval(sunday, "00:00", "02:30"), interval(sunday, "02:31", "00:00")]))
    // Saturday, 2025-03-29 12:00.
    #expect(zone.text(at: hours.end(at: 1_743_246_000_000, in: zone)) == "Sun 2025-04-06 02:30:00 +02:00")
  }

  @Test("more intervals than there may be are refused, and one without days is none")
  func bounds() throws {
    let one = try interval(Weekdays([.monday]), "01:00", "02:00")
    #expect(QuietHours(Array(repeating: one, count: QuietHours.maxIntervals)) != nil)
    #expect(QuietHours(Array(repeating: one, count: QuietHours.maxIntervals + 1)) == nil)
    #expect(QuietInterval(wholeDays: []) == nil)
  }

  @Test("the compact form is read back, the order of the intervals changes nothing, and nothing else is read")
  func compactForm() throws {
    var random = SeededGenerator.printed()
    func form(_ hours: QuietHours) -> [UInt8] {
      var output = OutputBuffer()
      hours.encode(into: &output)
      return Array(output.view.buffer)
    }
    func read(_ bytes: [UInt8]) -> QuietHours? { bytes.withUnsafeBytes { QuietHours(ByteView($0)) } }
    #expect(read([]) == nil && read([0]) == QuietHours.none && read([9]) == nil)
    for _ in 0..<2_000 {
      let intervals = (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in
        QuietInterval(
          weekdays: Weekdays(rawValue: UInt8.random(in: 1...0x7F, using: &random)),
          from: LocalTime(minute: Int.random(in: 0..<1_440, using: &random)) ?? .midnight,
          until: LocalTime(minute: Int.random(in: 0..<1_440, using: &random)) ?? .midnight)
      }
      guard let hours = QuietHours(intervals) else { continue }
      #expect(hours.intervals.count == intervals.count && Set(hours.intervals) == Set(intervals), "\(random)")
      #expect(QuietHours(intervals.shuffled(using: &random)) == hours, "\(random)")
      var bytes = form(hours)
      #expect(read(bytes) == hours, "\(random)")
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      _ = read(bytes)
      #expect(read(bytes + [0]) == nil, "\(random)")
    }
  }
}
