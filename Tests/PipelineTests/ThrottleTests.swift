import Contract
import Testing

@testable import Pipeline
@testable import Policy

@Suite("Throttle") struct ThrottleTests {
  private let now = Fixture.start

  private static let throttled = """
    unknownTypes: reject
    types:
      card.moved:
        category: cards
        title: "moved"
        channels:
          inapp:
            policy: immediate
            throttle: { limit: 2, period: 1m, overflow: { policy: digest, window: 10s } }
      card.due:
        category: due
        title: "due"
        channels:
          inapp: { policy: immediate, throttle: { limit: 2, period: 1m, overflow: { policy: digest, window: 10s } } }
    """

  private func fixture(
    _ yaml: String = ThrottleTests.throttled, configure: (inout Pipeline.Configuration) -> Void = { _ in }
  ) throws -> Fixture {
    try Fixture(catalog: yaml, configure: configure)
  }

  @Test("a throttle lets so many through in a period that begins with the first; the overflow is one digest")
  func throttle() throws {
    let fixture = try fixture()
    for number in 1...5 {
      try fixture.apply(.event(id: "\(number)"), now: now + Int64(number))
    }
    #expect(fixture.counters.inapp.delivered == 2)
    #expect(fixture.counters.inapp.open == 3)
    // Another category, and another recipient, have their own count.
    try fixture.apply(.event(id: "6", type: "card.due"), now: now + 6)
    try fixture.apply(.event(id: "7", recipients: "ben"), now: now + 7)
    #expect(fixture.counters.inapp.delivered == 4)
    fixture.commit()
    fixture.pipeline.tick(now: now + 3 + 10_000)
    #expect(fixture.counters.inapp.delivered == 7)
    #expect(fixture.output()[0].contains("\"totals\":{\"events\":3,"))
    // The period ends a minute after its first delivery.
    try fixture.apply(.event(id: "8"), now: now + 60_000)
    #expect(fixture.counters.inapp.open == 1)
    try fixture.apply(.event(id: "9"), now: now + 60_001)
    #expect(fixture.counters.inapp.open == 1)
    #expect(fixture.counters.inapp.delivered == 8)
    #expect(fixture.counters.difference == 0)
  }

  @Test("counts survive an abort and a restore")
  func survival() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1"))
    fixture.commit()
    try fixture.apply(.event(id: "2"))
    fixture.pipeline.rollback()
    let restored = try self.fixture()
    #expect(try restored.restore(fixture.log))
    for fixture in [fixture, restored] {
      try fixture.apply(.event(id: "2"))
      #expect(fixture.counters.inapp.delivered == 2)
      try fixture.apply(.event(id: "3"))
      #expect(fixture.counters.inapp.open == 1)
    }
    #expect(restored.image() == fixture.image())
  }

  @Test("what is critical is neither held back nor counted")
  func critical() throws {
    let fixture = try fixture()
    for number in 1...3 { try fixture.apply(.event(id: "c\(number)", extra: #","priority":"critical""#)) }
    for number in 1...3 { try fixture.apply(.event(id: "\(number)")) }
    try fixture.apply(.event(id: "c4", extra: #","priority":"critical""#))
    #expect(fixture.counters.inapp.delivered == 6)
    #expect(fixture.counters.inapp.open == 1)
  }

  @Test("the decision says what held it back")
  func grounds() throws {
    let fixture = try fixture()
    for number in 1...3 { try fixture.apply(.event(id: "\(number)")) }
    #expect(fixture.output().contains { $0.contains("\"policy\":\"throttle\"") })
  }

  @Test("a zone that is none is named where the schedule of an overflow passes it over, and only there")
  func unknownZone() throws {
    let window = "{ policy: digest, window: 10s }"
    let schedule = "{ policy: schedule, cadence: daily }"
    for (yaml, isByClock) in [
      (Self.throttled, false), (Self.throttled.replacing(window, with: schedule), true),
    ] {
      let fixture = try fixture(yaml)
      try fixture.apply(.recipient("ann", #"{"timeZone":"Asia/Calcuta"}"#))
      for number in 1...2 { try fixture.apply(.event(id: "\(number)")) }
      #expect(!fixture.output().contains { $0.contains("unknownZone") })
      fixture.commit()
      try fixture.apply(.event(id: "3"))
      let decision = try #require(fixture.output().last)
      #expect(decision.contains("\"policy\":\"throttle\""))
      #expect(decision.contains(#""unknownZone":"recipient""#) == isByClock)
    }
  }

  @Test("what cannot be counted is not held back")
  func bound() throws {
    let fixture = try fixture { $0.factLimit = 0 }
    for number in 1...5 { try fixture.apply(.event(id: "\(number)")) }
    #expect(fixture.counters.inapp.delivered == 5)
    #expect(fixture.counters.factsRefused == 5)
  }

  @Test(
    "a limit that means nothing is a mistake with its place",
    arguments: [
      (
        "policy: digest, window: 1m, throttle: { limit: 1, period: 1m, overflow: { policy: digest, window: 1m } }",
        "has a meaning only with `policy: immediate`"
      ),
      (
        "policy: immediate, throttle: { limit: 0, period: 1m, overflow: { policy: digest, window: 1m } }",
        "must be from 1 to 10000"
      ),
      (
        "policy: immediate, throttle: { limit: 1, period: 0s, overflow: { policy: digest, window: 1m } }",
        "must be from 1s to 31d"
      ),
      ("policy: immediate, throttle: { limit: 1, period: 1m }", "overflow"),
      (
        "policy: immediate, throttle: { limit: 1, period: 1m, overflow: { policy: immediate } }",
        "must be digest or schedule"
      ),
      (
        "policy: immediate, throttle: { limit: 1, period: 1m, "
          + "overflow: { policy: digest, window: 1m, leadingEdge: true } }",
        "has no meaning in an `overflow`"
      ),
    ])
  func mistakes(channel: String, message: String) throws {
    let yaml = "types:\n  a:\n    title: x\n    channels:\n      inapp: { \(channel) }\n"
    #expect {
      _ = try Catalog.parse(yaml: yaml, file: "catalog.yaml")
    } throws: { error in
      "\(error)".contains("catalog.yaml:5:") && "\(error)".contains(message)
    }
  }
}
