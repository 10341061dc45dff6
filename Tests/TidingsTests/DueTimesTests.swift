import Contract
import Foundation
import Policy
import Testing

@testable import tidings

@Suite("The next times of a type")
struct DueTimesTests {
  private static let yaml = """
    types:
      card.moved:
        title: x
        channels:
          inapp: { policy: schedule, cadence: hourly }
          email: { policy: schedule, at: "02:30" }
      card.due:
        title: x
        channels: { inapp: { policy: immediate }, email: { policy: digest, window: 1h } }
    """

  private func times(
    _ type: String, on channel: Channel? = nil, zone: String = "Europe/Berlin", count: Int = 2
  ) throws -> DueTimes {
    // 2025-03-29T12:00:00+01:00, the day before the clocks go forward.
    try DueTimes(
      of: type, on: channel, in: Catalog.parse(yaml: Self.yaml, file: "c.yaml"), file: "c.yaml", zone: zone,
      count: count, after: 1_743_246_000_000)
  }

  private func refusal(_ type: String, on channel: Channel? = nil, zone: String = "UTC") -> String? {
    do {
      _ = try times(type, on: channel, zone: zone)
      return nil
    } catch let end as CommandEnd {
      #expect(end.status == .usage)
      return end.message
    } catch {
      return "\(error)"
    }
  }

  @Test("are those of the zone, also where the clocks change")
  func zone() throws {
    #expect(
      try times("card.moved", on: .email).text == """
        card.moved on email, every day at 02:30, Europe/Berlin
          Sun 2025-03-30 03:00:00 +02:00  2025-03-30T01:00:00.000Z
          Mon 2025-03-31 02:30:00 +02:00  2025-03-31T00:30:00.000Z

        """)
  }

  @Test("are told for every channel that has a schedule")
  func channels() throws {
    let times = try times("card.moved", zone: "Asia/Kolkata", count: 1)
    #expect(times.channels.map(\.channel) == ["email", "inapp"])
    let object = try JSONSerialization.jsonObject(with: Data(times.json().utf8)) as? [String: Any]
    let channels = try #require(object?["channels"] as? [[String: Any]])
    #expect(channels.map { $0["schedule"] as? String } == ["every day at 02:30", "hourly"])
    let due = channels.map { ($0["due"] as? [[String: String]])?.first?["utc"] }
    #expect(due == ["2025-03-29T21:00:00.000Z", "2025-03-29T11:30:00.000Z"])
  }

  @Test("of what has none are an error that says why")
  func none() {
    #expect(
      refusal("card.due") == "card.due has no schedule: no channel there has `policy: schedule` in c.yaml")
    #expect(refusal("card.due", on: .email)?.hasPrefix("card.due has no schedule on email") == true)
    #expect(refusal("card.mved") == "c.yaml lists no type \"card.mved\" (did you mean \"card.moved\"?)")
    #expect(
      refusal("card.moved", zone: "Europe/Berln")
        == "\"Europe/Berln\" is no time zone of the IANA database (did you mean \"Europe/Berlin\"?)")
  }
}
