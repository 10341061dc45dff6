import Contract
import Policy
import Testing

@testable import Pipeline

/// What a tenant's defaults change of a decision. Precedence itself is tested in PolicyTests.
@Suite struct TenantTests {
  private static let catalog = """
    tenants:
      acme:
        locale: fr
        timeZone: Asia/Kolkata
        preferences: { cards: { email: daily }, "*": { inapp: off } }
        quietHours: { from: "03:00", until: "04:00" }
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 10s, items: 3 }
      login:
        category: security
        title: "somebody logged in"
        channels:
          inapp: { policy: immediate, mandatory: true }
    """
  /// 2023-11-14T22:13:20Z, which is 03:43:20 of the next day in Kolkata.
  private let now = Fixture.start

  private func fixture(_ record: String? = nil) throws -> Fixture {
    let fixture = try Fixture(catalog: Self.catalog)
    if let record { try fixture.apply(.recipient("acme/ann", record)) }
    return fixture
  }

  private func decision(_ fixture: Fixture) -> String { fixture.output().last ?? "" }

  @Test("a recipient who says nothing gets what the tenant's defaults say")
  func defaults() throws {
    let fixture = try fixture(#"{"email":"ann@example.org"}"#)
    try fixture.apply(.event(id: "1", tenant: "acme"), now: now)
    let decision = decision(fixture)
    #expect(
      decision.contains(#""preference":{"of":"tenant","category":"*","channel":"inapp","setting":"off"}"#))
    #expect(
      decision.contains(
        #""preference":{"of":"tenant","category":"cards","channel":"email","setting":"daily"}"#))
    // Every day at 09:00 in Kolkata, which is 03:30 UTC.
    #expect(decision.contains(#""until":"2023-11-15T03:30:00.000Z""#))
    #expect(fixture.counters.inapp.suppressed[.optedOut] == 1 && fixture.counters.difference == 0)
  }

  @Test("the recipients of another tenant, and of none, have other defaults or none")
  func others() throws {
    let fixture = try fixture()
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    try fixture.apply(.event(id: "1"), now: now)
    let decision = decision(fixture)
    #expect(!decision.contains("preference") && decision.contains(#""inapp":{"outcome":"delivered""#))
  }

  @Test(
    "a recipient's own quiet hours take the place of the tenant's, also where they say that there are none")
  func quietHours() throws {
    for (record, isHeld) in [
      ("{}", true), (#"{"quietHours":[]}"#, false), (#"{"quietHours":null}"#, true),
      (#"{"quietHours":{"from":"05:00","until":"06:00"}}"#, false),
    ] {
      let fixture = try fixture(record)
      try fixture.apply(.event(id: "1", type: "login", tenant: "acme"), now: now)
      let decision = decision(fixture)
      #expect(decision.contains(#""quietHours":true"#) == isHeld, "\(record)")
      // 04:00 in Kolkata.
      #expect(decision.contains(#""until":"2023-11-14T22:30:00.000Z""#) == isHeld, "\(record)")
    }
  }

  @Test("a delivery carries the tenant's language and zone where the recipient names none")
  func delivery() throws {
    for (record, locale, zone) in [
      (#"{"quietHours":[]}"#, "fr", "Asia/Kolkata"),
      (#"{"quietHours":[],"locale":"de","timeZone":"UTC"}"#, "de", "UTC"),
    ] {
      let fixture = try fixture(record)
      try fixture.apply(.event(id: "1", type: "login", tenant: "acme"), now: now)
      let delivery = fixture.output().first { $0.contains("tidings.delivery") } ?? ""
      #expect(delivery.contains("\"locale\":\"\(locale)\"") && delivery.contains("\"timeZone\":\"\(zone)\""))
    }
  }

  @Test("a zone that is none is passed over, and the decision says whose it is")
  func unknownZone() throws {
    let fixture = try fixture(#"{"email":"ann@example.org","timeZone":"Asia/Calcuta"}"#)
    try fixture.apply(.event(id: "1", tenant: "acme"), now: now)
    #expect(decision(fixture).contains(#""until":"2023-11-15T03:30:00.000Z""#))
    #expect(decision(fixture).components(separatedBy: #""unknownZone":"recipient""#).count == 2)
    // What goes by no clock says nothing of zones.
    let other = try self.fixture(#"{"timeZone":"Asia/Calcuta","quietHours":[]}"#)
    try other.apply(.event(id: "1", type: "login", tenant: "acme"), now: now)
    #expect(!decision(other).contains("unknownZone"))
  }

  @Test("a decision names the recipient's record that it was made with")
  func record() throws {
    let fixture = try fixture(#"{"email":"ann@example.org"}"#)
    for number in 1...2 {
      try fixture.apply(.recipient("acme/ann", #"{"email":"ann\#(number)@example.org"}"#))
    }
    try fixture.apply(.event(id: "1", tenant: "acme"), now: now)
    #expect(decision(fixture).contains(#""recipientRecord":2,"#))
    let other = try self.fixture()
    try other.apply(.event(id: "1", tenant: "acme"), now: now)
    #expect(!decision(other).contains("recipientRecord"))
  }
}
