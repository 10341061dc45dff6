import Contract
import Policy
import Testing

@testable import Pipeline

/// What recipients wish, as a partition decides it. The precedence itself is tested in PolicyTests.
@Suite struct WishTests {
  private static let catalog = """
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 10s, items: 3 }
      card.due:
        category: cards
        title: "a card is due"
        ownAction: deliver
        channels:
          email: { policy: immediate, mandatory: true }
      receipt:
        category: money
        title: "paid"
        ownAction: deliver
        channels:
          inapp: { policy: immediate }
    """
  private let now = Fixture.start

  private func fixture(_ record: String? = nil) throws -> Fixture {
    let fixture = try Fixture(catalog: Self.catalog)
    if let record { try fixture.apply(.recipient("ann", record)) }
    return fixture
  }

  /// The object of a channel in the last decision.
  private func decision(_ fixture: Fixture, _ channel: String) -> String {
    let decisions = fixture.output().last ?? ""
    let channels = decisions.components(separatedBy: "\"channels\":").last ?? ""
    let start = channels.components(separatedBy: "\"\(channel)\":").last ?? ""
    return start.replacing(#/"(window|delivery)":"[0-9a-f]{32}"/#, with: "")
  }

  @Test("a category that is off, and a muted subject, are suppressed and counted by their reasons")
  func suppressed() throws {
    let fixture = try fixture(
      """
      {"email":"ann@example.org","preferences":{"cards":{"email":"off"}},
       "mutes":[{"subject":"board/42","until":"2023-11-14T22:13:30Z"}]}
      """)
    let board = #","subject":"board/42""#
    try fixture.apply(.event(id: "1", extra: board), now: now)
    #expect(fixture.counters.email.suppressed[.optedOut] == 1)
    #expect(fixture.counters.inapp.suppressed[.muted] == 1)
    #expect(decision(fixture, "inapp").hasPrefix(#"{"outcome":"suppressed","reason":"muted"}"#))
    #expect(
      decision(fixture, "email").hasPrefix(
        #"{"outcome":"suppressed","reason":"optedOut","preference":{"of":"recipient","category":"cards","#
          + #""channel":"email","setting":"off"}}"#))
    // The start is 22:13:20: ten seconds later the mute is over. Another subject was never muted.
    try fixture.apply(.event(id: "2", extra: board), now: now + 9_999)
    try fixture.apply(.event(id: "3", extra: #","subject":"board/43""#), now: now + 9_999)
    try fixture.apply(.event(id: "4", extra: board), now: now + 10_000)
    #expect(fixture.counters.inapp.suppressed[.muted] == 2 && fixture.counters.inapp.delivered == 2)
    #expect(fixture.counters.difference == 0)
    fixture.commit()
    let other = try self.fixture()
    #expect(try other.restore(fixture.log))
    #expect(other.counters == fixture.counters)
  }

  @Test("the actor is not told of their own action, unless the type says so or the channel is mandatory")
  func ownAction() throws {
    let fixture = try fixture()
    for (number, tenant) in ["default", "acme"].enumerated() {
      let key = tenant == "acme" ? "acme/bob" : "bob"
      try fixture.apply(.recipient(key, #"{"email":"bob@example.org"}"#))
      try fixture.apply(.event(id: "\(number)", recipients: "bob", tenant: tenant))
    }
    #expect(fixture.counters.inapp.suppressed[.ownAction] == 2)
    #expect(fixture.counters.email.suppressed[.ownAction] == 2)
    try fixture.apply(.event(id: "2", recipients: "Bob"))
    try fixture.apply(.event(id: "3", type: "receipt", recipients: "bob"))
    try fixture.apply(.event(id: "4", type: "card.due", recipients: "bob"))
    #expect(fixture.counters.inapp.delivered == 2 && fixture.counters.email.delivered == 1)
    // The same again is a duplicate, and nothing else.
    try fixture.apply(.event(id: "0", recipients: "bob", tenant: "default"))
    #expect(fixture.counters.total.suppressed[.ownAction] == 4)
    #expect(fixture.counters.total.suppressed[.duplicate] == 2)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a cadence that the recipient chose is due by their clock, and `instant` waits for nothing")
  func cadence() throws {
    let fixture = try fixture(
      """
      {"email":"ann@example.org","timeZone":"Asia/Tokyo",
       "preferences":{"*":{"email":"daily"},"cards":{"inapp":"hourly"}}}
      """)
    // 22:13:20 UTC is 07:13:20 in Tokyo.
    try fixture.apply(.event(id: "1"))
    let nine = now + (1 * 3600 + 46 * 60 + 40) * 1000
    #expect(fixture.nextDue() == now + (46 * 60 + 40) * 1000)
    #expect(
      decision(fixture, "email").hasPrefix(
        #"{"outcome":"open",,"until":"2023-11-15T00:00:00.000Z","policy":"daily","preference":{"of":"recipient","#
          + #""category":"*","channel":"email","setting":"daily"}}"#))
    #expect(decision(fixture, "inapp").contains(#""policy":"hourly""#))
    fixture.pipeline.tick(now: nine)
    #expect(fixture.counters.email.delivered == 1 && fixture.counters.inapp.delivered == 1)
    try fixture.apply(
      .recipient("ann", #"{"email":"ann@example.org","preferences":{"*":{"email":"instant"}}}"#))
    try fixture.apply(.event(id: "2"), now: nine)
    #expect(fixture.counters.email.delivered == 2 && fixture.counters.email.open == 0)
  }

  @Test("what is critical goes by the catalog's policy, and is still not delivered where it is not wanted")
  func critical() throws {
    let fixture = try fixture(
      #"{"email":"ann@example.org","preferences":{"*":{"email":"weekly","inapp":"off"}}}"#)
    try fixture.apply(.event(id: "1", extra: #","priority":"critical""#))
    #expect(fixture.nextDue() == now + 10_000)
    #expect(fixture.counters.inapp.suppressed[.optedOut] == 1)
    #expect(decision(fixture, "email").contains(#""policy":"digest"}"#))
  }

  @Test("another preference does not move what waits already; what comes after it goes by it")
  func changes() throws {
    let fixture = try fixture(#"{"email":"ann@example.org","preferences":{"*":{"email":"weekly"}}}"#)
    try fixture.apply(.event(id: "1"))
    let hour = now + (46 * 60 + 40) * 1000
    // From Tuesday at 22:13:20 to Monday at 09:00.
    let monday = now + (5 * 86_400 + 10 * 3600 + 46 * 60 + 40) * 1000
    #expect(fixture.nextDue() == monday)
    try fixture.apply(
      .recipient("ann", #"{"email":"ann@example.org","preferences":{"*":{"email":"hourly"}}}"#))
    try fixture.apply(.event(id: "2"), now: now + 1)
    #expect(fixture.nextDue() == hour && fixture.counters.email.open == 2)
    try fixture.apply(
      .recipient("ann", #"{"email":"ann@example.org","preferences":{"*":{"email":"off"}}}"#))
    try fixture.apply(.event(id: "3"), now: now + 2)
    fixture.pipeline.tick(now: hour)
    #expect(fixture.counters.email.delivered == 1 && fixture.counters.email.suppressed[.optedOut] == 1)
    #expect(fixture.nextDue() == monday)
    fixture.pipeline.tick(now: monday)
    #expect(fixture.counters.email.delivered == 2 && fixture.counters.difference == 0)
  }

  @Test("what the recipient may not choose for does not wait for what they chose, whatever its category")
  func ownWindows() throws {
    let fixture = try Fixture(
      catalog: """
        types:
          login: { category: account, title: "login", channels: { email: { policy: digest, window: 5s } } }
          alert:
            category: account
            title: "alert"
            channels: { email: { policy: digest, window: 10s, mandatory: true } }
          tip:
            category: account
            title: "tip"
            channels: { email: { policy: digest, window: 20s, choices: [hourly] } }
        """)
    try fixture.apply(
      .recipient("ann", #"{"email":"ann@example.org","preferences":{"account":{"email":"weekly"}}}"#))
    let hour = now + (46 * 60 + 40) * 1000
    let monday = now + (5 * 86_400 + 10 * 3600 + 46 * 60 + 40) * 1000
    try fixture.apply(.event(id: "1", type: "login"))
    #expect(fixture.nextDue() == monday)
    try fixture.apply(.event(id: "2", type: "tip"))
    #expect(fixture.nextDue() == hour)
    try fixture.apply(.event(id: "3", type: "alert"))
    #expect(fixture.nextDue() == now + 10_000)
    try fixture.apply(.event(id: "4", type: "login", extra: #","priority":"critical""#), now: now + 1)
    #expect(fixture.nextDue() == now + 5_001)
    try fixture.apply(.event(id: "5", type: "login"), now: now + 2)
    #expect(fixture.pipeline.openWindowCount == 3)
    fixture.commit()
    let other = try Fixture()
    #expect(try other.restore(fixture.log))
    #expect(other.image() == fixture.image())
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.counters.email.delivered == 2)
    fixture.pipeline.tick(now: hour)
    #expect(fixture.counters.email.delivered == 3)
    fixture.pipeline.tick(now: monday)
    #expect(fixture.counters.email.delivered == 5 && fixture.counters.difference == 0)
  }

  @Test("a preference for a category that the catalog does not have counts for events that name it")
  func unknownCategory() throws {
    let fixture = try fixture(#"{"email":"ann@example.org","preferences":{"nobody's":{"*":"off"}}}"#)
    try fixture.apply(.event(id: "1"))
    #expect(fixture.counters.total.suppressed.total == 0)
    try fixture.apply(.event(id: "2", extra: #","category":"nobody's""#))
    #expect(fixture.counters.total.suppressed[.optedOut] == 2)
  }

  // MARK: - Quiet hours

  /// The start is 22:13:20 UTC, on a Tuesday.
  private static let night = #""email":"ann@example.org","quietHours":{"from":"22:00","until":"07:00"}"#
  private let seven = Fixture.start + (8 * 3600 + 46 * 60 + 40) * 1000

  @Test(
    "what would be alone waits in quiet hours, with the others of its category, and is one digest at their end"
  )
  func held() throws {
    let fixture = try fixture("{\(Self.night)}")
    for number in 1...12 { try fixture.apply(.event(id: "\(number)"), now: now + Int64(number)) }
    try fixture.apply(.event(id: "13", extra: #","category":"other""#), now: now + 13)
    #expect(fixture.counters.inapp.open == 13 && fixture.counters.inapp.delivered == 0)
    #expect(
      decision(fixture, "inapp").contains(
        #""until":"2023-11-15T07:00:00.000Z","policy":"immediate","quietHours":true}"#))
    #expect(fixture.nextDue() == seven)
    fixture.commit()
    let other = try self.fixture()
    #expect(try other.restore(fixture.log))
    #expect(other.image() == fixture.image() && other.nextDue() == seven)
    fixture.pipeline.tick(now: seven - 1)
    #expect(fixture.counters.inapp.delivered == 0)
    fixture.pipeline.tick(now: seven)
    #expect(fixture.counters.inapp.delivered == 13 && fixture.counters.difference == 0)
    let digests = fixture.output().filter { $0.hasPrefix("delivery.inapp") }
    #expect(digests.count == 2)
    #expect(digests[0].components(separatedBy: "\"acceptedAt\"").count - 1 == 12)
    try fixture.apply(.event(id: "14"), now: seven)
    #expect(fixture.counters.inapp.delivered == 14)
  }

  @Test("a digest that is due in quiet hours is due at their end, by the recipient's clock")
  func digest() throws {
    let fixture = try fixture()
    let evening = now - 14 * 60_000
    try fixture.apply(.recipient("ann", "{\(Self.night),\"timeZone\":\"Europe/London\"}"), now: evening)
    try fixture.apply(.event(id: "1"), now: evening)
    // At 21:59:20 it is not quiet, and the ten seconds are over before it is.
    #expect(fixture.nextDue() == evening + 10_000)
    #expect(fixture.counters.inapp.delivered == 1)
    fixture.pipeline.tick(now: now)
    #expect(fixture.counters.email.delivered == 1)
    try fixture.apply(.event(id: "2"), now: now)
    #expect(decision(fixture, "email").contains(#""policy":"digest","quietHours":true}"#))
    #expect(fixture.nextDue() == seven)
    try fixture.apply(.recipient("ann", "{\(Self.night),\"timeZone\":\"Asia/Tokyo\"}"))
    try fixture.apply(.event(id: "3"), now: now + 1)
    // At 07:13 in Tokyo it is not quiet; what waits keeps its instant.
    #expect(fixture.counters.inapp.delivered == 2 && fixture.counters.email.open == 2)
    #expect(fixture.nextDue() == seven)
    fixture.pipeline.tick(now: seven)
    #expect(fixture.counters.email.open == 0 && fixture.counters.inapp.open == 0)
    #expect(fixture.counters.difference == 0)
  }

  @Test("what is critical is not held back, and takes a window that waits along")
  func criticalAtNight() throws {
    let fixture = try fixture("{\(Self.night)}")
    try fixture.apply(.event(id: "1"))
    #expect(fixture.nextDue() == seven)
    try fixture.apply(.event(id: "2", extra: #","priority":"critical""#), now: now + 1)
    #expect(fixture.counters.inapp.delivered == 1 && fixture.counters.inapp.open == 1)
    #expect(fixture.nextDue() == now + 10_001)
    #expect(!decision(fixture, "email").contains("quietHours"))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_001)
    #expect(fixture.counters.email.delivered == 2 && fixture.counters.email.open == 0)
    #expect(fixture.nextDue() == seven)
  }

  @Test("a mandatory channel is held back like every other")
  func mandatoryAtNight() throws {
    let fixture = try fixture("{\(Self.night)}")
    try fixture.apply(.event(id: "1", type: "card.due"))
    #expect(fixture.counters.email.open == 1 && fixture.nextDue() == seven)
    try fixture.apply(.event(id: "2", type: "card.due", extra: #","priority":"critical""#))
    #expect(fixture.counters.email.delivered == 1)
  }
}
