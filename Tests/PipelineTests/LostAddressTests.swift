import Contract
import Testing

@testable import Pipeline

@Suite("Recipients who lose their address while something waits") struct LostAddressTests {
  private static let catalog = """
    unknownTypes: reject
    types:
      card.moved:
        category: cards
        title: "moved"
        channels:
          inapp: { policy: digest, window: 10s }
          email: { policy: digest, window: 10s }
      card.liked:
        category: likes
        title: "liked"
        channels:
          email: { policy: digest, window: 10s, minItems: 3 }
    """
  private let now = Fixture.start

  private func fixture() throws -> Fixture {
    let fixture = try Fixture(catalog: Self.catalog)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return fixture
  }

  @Test(
    "what waits for an address that is gone is suppressed, and none of it is sent",
    arguments: [nil, #"{"timeZone":"Europe/Berlin"}"#])
  func gone(record: String?) throws {
    let fixture = try fixture()
    for id in ["1", "2"] { try fixture.apply(.event(id: id)) }
    try fixture.apply(.event(id: "3", extra: #","expirytime":"2023-11-14T22:13:25Z""#))
    try fixture.apply(.recipient("ann", record))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.counters.email.suppressed[.noAddress] == 2)
    #expect(fixture.counters.email.expired == 1 && fixture.counters.email.open == 0)
    #expect(fixture.counters.email.delivered == 0 && fixture.counters.inapp.delivered == 2)
    #expect(fixture.counters.difference == 0)
    let output = fixture.output()
    #expect(!output.contains { $0.hasPrefix("delivery.email") })
    #expect(output.contains { $0.hasPrefix("delivery.inapp") })
    let decision = try #require(output.last)
    #expect(decision.contains(#""outcome":"suppressed","reason":"noAddress","events":0,"members":[],"#))
    #expect(decision.contains(#/"expired":\["[0-9a-f]{32}"],"suppressed":\["[0-9a-f]{32}","[0-9a-f]{32}"]/#))
    // An abort takes it back, and a restore after it knows that the window is closed.
    fixture.pipeline.rollback()
    #expect(fixture.counters.email.open == 3 && fixture.counters.email.suppressed[.noAddress] == 0)
    fixture.pipeline.tick(now: now + 10_000)
    fixture.commit()
    let restored = try self.fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.counters == fixture.counters && restored.pipeline.openWindowCount == 0)
  }

  @Test("what is too few for a digest is suppressed as well, and what has an address again is delivered")
  func tooFew() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1", type: "card.liked"))
    try fixture.apply(.recipient("ann", nil))
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.counters.email.suppressed[.noAddress] == 1 && fixture.counters.email.delivered == 0)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    try fixture.apply(.event(id: "2", type: "card.liked"), now: now + 10_000)
    try fixture.apply(.recipient("ann", nil))
    try fixture.apply(.recipient("ann", #"{"email":"other@example.org"}"#))
    fixture.pipeline.tick(now: now + 20_000)
    #expect(fixture.counters.email.delivered == 1 && fixture.counters.difference == 0)
    #expect(fixture.output().contains { $0.contains(#""address":"other@example.org""#) })
  }

  @Test("a window that is due decides no more than another, however much it holds")
  func bounded() throws {
    let fixture = try fixture()
    for number in 1..<1_000 { try fixture.apply(.event(id: "\(number)")) }
    try fixture.apply(.recipient("ann", nil))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.counters.email.suppressed[.noAddress] == 999)
    #expect(fixture.pipeline.decisions.count < 2 * 40 * 1_000)
    #expect(fixture.counters.difference == 0)
  }
}
