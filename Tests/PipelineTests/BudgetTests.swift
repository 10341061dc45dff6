import Contract
import Testing

@testable import Pipeline
@testable import Policy

@Suite("Budget") struct BudgetTests {
  private let now = Fixture.start

  private static let catalog = """
    unknownTypes: reject
    budget:
      inapp: { limit: 2, period: 1m, overflow: { policy: digest, window: 10s } }
    types:
      card.moved:
        category: cards
        title: "moved"
        channels:
          inapp: { policy: immediate }
          email: { policy: immediate }
      card.due:
        category: due
        title: "due"
        channels:
          inapp: { policy: immediate, throttle: { limit: 1, period: 1m, overflow: { policy: digest, window: 5s } } }
      card.liked:
        category: likes
        title: "liked"
        channels:
          inapp: { policy: digest, window: 20s, leadingEdge: true }
    """

  private func fixture() throws -> Fixture {
    let fixture = try Fixture(catalog: Self.catalog)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return fixture
  }

  @Test("a budget counts all categories of a channel together; the overflow is one digest of them")
  func categories() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1", type: "card.moved"))
    try fixture.apply(.event(id: "2", type: "card.due"))
    try fixture.apply(.event(id: "3", type: "card.moved"))
    try fixture.apply(.event(id: "4", type: "card.moved"))
    #expect(fixture.counters.inapp.delivered == 2)
    #expect(fixture.counters.inapp.open == 2)
    // The other channel has no budget, and another recipient has their own.
    #expect(fixture.counters.email.delivered == 3)
    try fixture.apply(.event(id: "5", recipients: "ben"))
    #expect(fixture.counters.inapp.delivered == 3)
    #expect(fixture.output().contains { $0.contains("\"policy\":\"budget\"") })
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.output()[0].contains("\"totals\":{\"events\":2,"))
    try fixture.apply(.event(id: "6"), now: now + 60_000)
    #expect(fixture.counters.inapp.delivered == 6)
    #expect(fixture.counters.difference == 0)
  }

  @Test("what a throttle holds back does not count for the budget, and the other way round")
  func throttle() throws {
    let fixture = try fixture()
    for id in ["1", "2", "3"] { try fixture.apply(.event(id: id, type: "card.due")) }
    // One was delivered, two wait in the throttle's overflow: one more is within the budget.
    #expect(fixture.counters.inapp.delivered == 1)
    try fixture.apply(.event(id: "4"))
    #expect(fixture.counters.inapp.delivered == 2)
    try fixture.apply(.event(id: "5"))
    #expect(fixture.counters.inapp.open == 3)
    #expect(fixture.pipeline.openWindowCount == 2)
  }

  @Test("a leading edge counts; where the budget is used up, the first one waits in its window")
  func leadingEdge() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1", type: "card.liked"))
    try fixture.apply(.event(id: "2"))
    #expect(fixture.counters.inapp.delivered == 2)
    fixture.pipeline.tick(now: now + 20_000)
    try fixture.apply(.event(id: "3", type: "card.liked"), now: now + 21_000)
    #expect(fixture.counters.inapp.delivered == 2)
    #expect(fixture.counters.inapp.open == 1)
    fixture.pipeline.tick(now: now + 41_000)
    #expect(fixture.counters.inapp.delivered == 3)
  }

  @Test("what is critical is neither held back nor counted")
  func critical() throws {
    let fixture = try fixture()
    for id in ["1", "2", "3"] { try fixture.apply(.event(id: id, extra: #","priority":"critical""#)) }
    for id in ["4", "5", "6"] { try fixture.apply(.event(id: id)) }
    try fixture.apply(.event(id: "7", extra: #","priority":"critical""#))
    #expect(fixture.counters.inapp.delivered == 6)
    #expect(fixture.counters.inapp.open == 1)
  }

  @Test("counts survive an abort and a restore")
  func survival() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1"))
    fixture.commit()
    try fixture.apply(.event(id: "2"))
    fixture.pipeline.rollback()
    let restored = try Fixture()
    restored.pipeline.catalog = fixture.pipeline.catalog
    #expect(try restored.restore(fixture.log))
    for fixture in [fixture, restored] {
      try fixture.apply(.event(id: "2"))
      try fixture.apply(.event(id: "3"))
      #expect(fixture.counters.inapp.delivered == 2)
      #expect(fixture.counters.inapp.open == 1)
    }
  }

  @Test(
    "a budget that means nothing is a mistake with its place",
    arguments: [
      ("budget:\n", "names no channel"),
      ("budget: { sms: { limit: 1 } }\n", "is not a known key"),
      ("budget: { email: { limit: 1, period: 1d } }\n", "overflow"),
      (
        "budget: { email: { limit: 0, period: 1d, overflow: { policy: digest, window: 1h } } }\n",
        "must be from 1 to 10000"
      ),
      (
        "budget: { email: { limit: 1, period: 40d, overflow: { policy: digest, window: 1h } } }\n",
        "must be from 1s to 31d"
      ),
      (
        "budget: { email: { limit: 1, period: 1d, overflow: { policy: immediate } } }\n",
        "must be digest or schedule"
      ),
    ])
  func mistakes(budget: String, message: String) throws {
    #expect {
      _ = try Catalog.parse(yaml: budget + "types:\n  a: { title: x }\n", file: "catalog.yaml")
    } throws: { error in
      "\(error)".contains("catalog.yaml:1:") && "\(error)".contains(message)
    }
  }
}
