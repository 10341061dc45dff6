import Contract
import Testing

@testable import Pipeline

@Suite("Digests of several categories") struct SeveralCategoriesTests {
  private static let catalog = """
    unknownTypes: reject
    catchUp:
      inapp: { after: 10m, overflow: { policy: digest, window: 30s } }
    budget:
      email: { limit: 1, period: 1h, overflow: { policy: digest, window: 30s, group: later } }
    types:
      notice:
        category: security
        title: "notice"
        digestTitle: "{{totals.events}} security notices"
        channels:
          inapp: { policy: immediate }
      offer:
        category: marketing
        title: "offer"
        digestTitle: "{{totals.events}} offers"
        channels:
          inapp: { policy: immediate }
      built:
        category: builds
        title: "built"
        digestTitle: "{{totals.events}} builds and deploys"
        channels:
          inapp: { policy: digest, window: 10s, group: deploys }
      deployed:
        category: deploys
        title: "deployed"
        channels:
          inapp: { policy: digest, window: 10s }
      mailed:
        category: mails
        title: "mailed"
        digestTitle: "{{totals.events}} mails"
        channels:
          email: { policy: immediate }
    """
  private let now = Fixture.start
  private let late = Fixture.start + 600_001
  private let several = #""severalCategories":true"#

  /// The digest that a window becomes after all of these events, through a restore.
  private func digest(
    of events: [TestRecord], at now: Int64, topic: String = "delivery.inapp"
  ) throws -> String {
    let fixture = try Fixture(catalog: Self.catalog)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    for event in events { try fixture.apply(event, now: now) }
    fixture.commit()
    let restored = try Fixture(catalog: Self.catalog)
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
    try restored.apply(.recipient("ann", #"{"email":"ann@example.org"}"#), now: now)
    restored.pipeline.tick(now: now + 30_000)
    #expect(restored.counters.difference == 0)
    let digests = restored.output().filter { $0.hasPrefix(topic) }
    #expect(digests.count == 1)
    return digests.first ?? ""
  }

  @Test("what came late has the title of no type, and says that it has several categories")
  func caughtUp() throws {
    let digest = try digest(
      of: [.event(id: "1", type: "notice"), .event(id: "2", type: "offer")], at: late)
    #expect(digest.contains(#""category":"security","severalCategories":true"#))
    #expect(!digest.contains("digestTitle"))
  }

  @Test("of one category it does not say so, whatever its window may take")
  func one() throws {
    let digest = try digest(of: [.event(id: "1", type: "notice"), .event(id: "2", type: "notice")], at: late)
    #expect(digest.contains(#""category":"security","#) && !digest.contains(several))
    #expect(!digest.contains("digestTitle"))
  }

  @Test("what is beyond a budget has the title of no type, also where the catalog names its group")
  func budget() throws {
    let events = ["1", "2", "3"].map { TestRecord.event(id: $0, type: "mailed") }
    let digest = try digest(of: events, at: now, topic: "delivery.email")
    #expect(!digest.contains("digestTitle") && !digest.contains(several))
  }

  @Test("types that share a group share the title of the one that opened their window")
  func group() throws {
    let digest = try digest(
      of: [.event(id: "1", type: "built"), .event(id: "2", type: "deployed")], at: now)
    #expect(digest.contains(#""category":"builds","severalCategories":true"#))
    #expect(digest.contains("builds and deploys"))
  }

  @Test("a group of the name of a category has several categories, whoever opens its window")
  func namedAsCategory() throws {
    let digest = try digest(
      of: [.event(id: "1", type: "deployed"), .event(id: "2", type: "built")], at: now)
    #expect(digest.contains(#""category":"deploys","severalCategories":true"#))
  }

  @Test("what was taken back, and what has expired, is of no category any more")
  func withdrawn() throws {
    let soon = #","expirytime":"2023-11-14T22:13:21Z""#
    let digest = try digest(
      of: [
        .event(id: "1", type: "built"), .event(id: "2", type: "deployed"),
        .event(id: "3", type: "deployed", extra: soon),
        .event(id: "4", type: "built", extra: #","retracts":"2""#),
      ], at: now)
    #expect(digest.contains(#""totals":{"events":2,"#) && !digest.contains(several))
  }
}
