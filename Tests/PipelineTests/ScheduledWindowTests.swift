import Contract
import Policy
import Testing

@testable import Pipeline

@Suite struct ScheduledWindowTests {
  private static let catalog = """
    unknownTypes: reject
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          email: { policy: schedule, cadence: daily, items: 3 }
    """

  private func fixture(timeZone: String = "") throws -> Fixture {
    let fixture = try Fixture(catalog: Self.catalog)
    fixture.codecs = try Codecs(prefix: "tidings", recordLimit: 256 << 10, timeZone: timeZone)
    return fixture
  }

  private func instant(_ text: String) throws -> Int64 {
    try #require(text.withByteView { RFC3339.milliseconds(of: $0) })
  }

  private func record(zone: String?) -> TestRecord {
    let field = zone.map { ",\"timeZone\":\"\($0)\"" } ?? ""
    return .recipient("ann", "{\"email\":\"ann@example.org\"\(field)}")
  }

  @Test(
    "a window closes at the schedule's next time in the recipient's zone, else the deployment's, else in UTC",
    arguments: [
      ("Asia/Tokyo", "Europe/Berlin", "2025-06-03T09:00:00+09:00"),
      (nil, "Europe/Berlin", "2025-06-03T09:00:00+02:00"),
      ("Mars/Phobos", "Europe/Berlin", "2025-06-03T09:00:00+02:00"),
      ("PST", "Nowhere/Else", "2025-06-02T09:00:00Z"),
      (nil, "", "2025-06-02T09:00:00Z"),
    ] as [(String?, String, String)])
  func zones(recipient: String?, deployment: String, due: String) throws {
    let fixture = try fixture(timeZone: deployment)
    try fixture.apply(record(zone: recipient))
    let opened = try instant("2025-06-02T08:30:00Z")
    for number in 1...5 { try fixture.apply(.event(id: "\(number)"), now: opened + Int64(number)) }
    let due = try instant(due)
    #expect(fixture.nextDue() == due)
    fixture.commit()
    fixture.pipeline.tick(now: due - 1)
    #expect(fixture.output().isEmpty)
    fixture.pipeline.tick(now: due)
    let output = fixture.output()
    #expect(output.count == 2)
    #expect(output[0].contains("\"totals\":{\"events\":5,\"actors\":1}"))
    #expect(output[0].components(separatedBy: "\"acceptedAt\"").count - 1 == 3)
    #expect(fixture.counters.email.delivered == 5 && fixture.counters.difference == 0)
  }

  @Test("what comes at the very time of the schedule, after the window closed, waits for the next one")
  func sharp() throws {
    let fixture = try fixture()
    try fixture.apply(record(zone: "Europe/Berlin"))
    let nine = try instant("2025-03-29T09:00:00+01:00")
    try fixture.apply(.event(id: "1"), now: nine - 1)
    #expect(fixture.nextDue() == nine)
    fixture.pipeline.tick(now: nine)
    try fixture.apply(.event(id: "2"), now: nine)
    // The clocks go forward in the night: a day of 23 hours.
    #expect(fixture.nextDue() == nine + 23 * 3_600_000)
  }

  @Test("another zone, schedule or catalog does not move a window that is open; the next one follows it")
  func changes() throws {
    let fixture = try fixture()
    try fixture.apply(record(zone: "Europe/Berlin"))
    try fixture.apply(.event(id: "1"), now: try instant("2025-06-02T20:00:00+02:00"))
    let berlin = try instant("2025-06-03T09:00:00+02:00")
    try fixture.apply(record(zone: "America/New_York"))
    fixture.pipeline.catalog = try .parse(
      yaml: Self.catalog.replacing("cadence: daily", with: "cadence: hourly"), file: "catalog.yaml")
    try fixture.apply(.event(id: "2"), now: berlin - 3_600_000)
    #expect(fixture.nextDue() == berlin)
    fixture.pipeline.tick(now: berlin)
    #expect(fixture.counters.email.delivered == 2)
    fixture.pipeline.catalog = try .parse(yaml: Self.catalog, file: "catalog.yaml")
    try fixture.apply(.event(id: "3"), now: berlin)
    #expect(fixture.nextDue() == (try instant("2025-06-03T09:00:00-04:00")))
  }

  @Test("an open window is restored with its instant, whatever zones the next process knows")
  func restored() throws {
    let fixture = try fixture(timeZone: "Asia/Tokyo")
    try fixture.apply(record(zone: nil))
    try fixture.apply(.event(id: "1"), now: try instant("2025-06-02T20:00:00+09:00"))
    fixture.commit()
    let other = try self.fixture(timeZone: "Europe/Berlin")
    #expect(try other.restore(fixture.log))
    #expect(other.image() == fixture.image())
    #expect(other.nextDue() == (try instant("2025-06-03T09:00:00+09:00")))
  }

  @Test("a window that is full closes early, and the one after it at the same time of the schedule")
  func full() throws {
    let fixture = try Fixture(catalog: Self.catalog) { $0.windowMemberLimit = 3 }
    try fixture.apply(record(zone: "Asia/Kolkata"))
    let opened = try instant("2025-06-02T20:00:00+05:30")
    for number in 1...3 { try fixture.apply(.event(id: "\(number)"), now: opened) }
    #expect(fixture.nextDue() == opened + 1)
    fixture.pipeline.tick(now: opened + 1)
    try fixture.apply(.event(id: "4"), now: opened + 1)
    #expect(fixture.nextDue() == (try instant("2025-06-03T09:00:00+05:30")))
  }
}
