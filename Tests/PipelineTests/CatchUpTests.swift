import Contract
import Testing

@testable import Pipeline
@testable import Policy

@Suite("Catch-up") struct CatchUpTests {
  private let now = Fixture.start
  private let late = Fixture.start + 600_001

  private static let catalog = """
    unknownTypes: reject
    catchUp:
      inapp: { after: 10m, overflow: { policy: digest, window: 30s } }
    budget:
      inapp: { limit: 2, period: 1h, overflow: { policy: digest, window: 10s } }
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
          inapp: { policy: immediate, throttle: { limit: 1, period: 1h, overflow: { policy: digest, window: 5s } } }
      card.liked:
        category: likes
        title: "liked"
        channels:
          inapp: { policy: digest, window: 20s, leadingEdge: true }
    """

  private func fixture(partitionCount: Int32 = 1, partition: Int32 = 0) throws -> Fixture {
    try Fixture(catalog: Self.catalog, partitionCount: partitionCount, partition: partition)
  }

  @Test(
    "after an outage, what is older than the bound is one digest of all categories; the rest comes at once")
  func outage() throws {
    let fixture = try fixture()
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    for (id, type) in [("1", "card.moved"), ("2", "card.due"), ("3", "card.moved")] {
      try fixture.apply(.event(id: id, type: type), now: late)
    }
    #expect(fixture.counters.inapp.open == 3)
    #expect(fixture.counters.inapp.caughtUp == 3)
    #expect(fixture.output().contains { $0.contains("\"policy\":\"catchUp\"") })
    // The other channel says nothing of it.
    #expect(fixture.counters.email.delivered == 2)
    #expect(fixture.counters.email.caughtUp == 0)
    // Not older than the bound, by a millisecond.
    try fixture.apply(.event(id: "4", appended: now + 1), now: late)
    #expect(fixture.counters.inapp.delivered == 1)
    fixture.commit()
    fixture.pipeline.tick(now: late + 30_000)
    let digests = fixture.output().filter { $0.hasPrefix("delivery.inapp") }
    #expect(digests.count == 1)
    #expect(digests.first?.contains("\"totals\":{\"events\":3,") ?? false)
    #expect(fixture.counters.inapp.delivered == 4)
    #expect(fixture.counters.difference == 0)
  }

  @Test("what is late counts neither for a throttle nor for the budget")
  func limits() throws {
    let fixture = try fixture()
    for id in ["1", "2", "3"] { try fixture.apply(.event(id: id, type: "card.due"), now: late) }
    #expect(fixture.pipeline.factCount == 0)
    try fixture.apply(.event(id: "4", type: "card.due", appended: late), now: late)
    #expect(fixture.counters.inapp.delivered == 1)
  }

  @Test("what is critical is never too late")
  func critical() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1", extra: #","priority":"critical""#), now: late)
    #expect(fixture.counters.inapp.delivered == 1)
    #expect(fixture.counters.inapp.caughtUp == 0)
  }

  @Test("what is late opens its window without a leading edge")
  func leadingEdge() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1", type: "card.liked"), now: late)
    #expect(fixture.counters.inapp.open == 1)
    #expect(fixture.counters.inapp.delivered == 0)
    #expect(fixture.counters.inapp.caughtUp == 0)
    #expect(fixture.output().contains { $0.contains("\"policy\":\"digest\"") })
  }

  @Test("in quiet hours it is one digest as well, when they are over")
  func quietHours() throws {
    let fixture = try fixture()
    // 22:13:20 UTC.
    try fixture.apply(
      .recipient("ann", #"{"timeZone":"UTC","quietHours":[{"from":"22:00","until":"23:00"}]}"#))
    try fixture.apply(.event(id: "1"), now: late)
    try fixture.apply(.event(id: "2", type: "card.due"), now: late)
    #expect(fixture.pipeline.openWindowCount == 1)
    #expect(fixture.nextDue() == 1_700_002_800_000)
    let output = fixture.output()
    #expect(output.contains { $0.contains("\"policy\":\"catchUp\"") && $0.contains("\"quietHours\":true") })
  }

  @Test("a zone that is none is named where a schedule for what is late passes it over")
  func unknownZone() throws {
    let yaml = Self.catalog.replacing(
      "{ policy: digest, window: 30s }", with: "{ policy: schedule, cadence: daily }")
    let fixture = try Fixture(catalog: yaml)
    try fixture.apply(.recipient("ann", #"{"timeZone":"Asia/Calcuta"}"#))
    try fixture.apply(.event(id: "1", appended: late), now: late)
    #expect(!fixture.output().contains { $0.contains("unknownZone") })
    fixture.commit()
    try fixture.apply(.event(id: "2"), now: late)
    let decision = try #require(fixture.output().last)
    #expect(decision.contains("\"policy\":\"catchUp\"") && decision.contains(#""unknownZone":"recipient""#))
  }

  @Test("the age of what was forwarded counts from where it was read first, also for an audience")
  func forwarded() throws {
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let audienceHome = "board:42".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let receiver = try fixture(partitionCount: 8, partition: home)
    let forwarder = try fixture(partitionCount: 8)
    try forwarder.apply(.event(id: "1", recipients: "ann,bob"), now: late)
    let hub = try fixture(partitionCount: 8, partition: audienceHome)
    try hub.apply(.part("board:42", ["ann"]))
    try hub.apply(.audience(id: "2"), now: late)
    hub.pipeline.continueFanOut(now: late, using: hub.codecs)
    for fixture in [forwarder, hub] {
      var records: [TestRecord] = []
      fixture.pipeline.outbox.forEach { record in
        guard record.key?.string == "ann" else { return }
        records.append(
          TestRecord(
            topic: .routed, key: "ann", value: record.value?.string,
            headers: record.headers.map { ($0.name.string, $0.value?.string ?? "") }, appended: late))
      }
      try receiver.apply(#require(records.first), now: late)
    }
    #expect(receiver.counters.inapp.caughtUp == 2)
    #expect(receiver.counters.inapp.open == 2)
  }

  @Test("an event's own headers do not make it late: only what Tidings forwarded says when it was read")
  func foreignHeaders() throws {
    let fixture = try fixture()
    try fixture.apply(
      TestRecord(
        value: "{}",
        headers: [
          ("ce_specversion", "1.0"), ("ce_id", "1"), ("ce_source", "/test"), ("ce_type", "card.moved"),
          ("ce_recipient", "ann"), ("tidings-origin-timestamp", "1"),
        ]))
    #expect(fixture.counters.inapp.delivered == 1)
  }

  @Test("the count survives an abort and a restore")
  func survival() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1"), now: late)
    fixture.commit()
    try fixture.apply(.event(id: "2"), now: late)
    fixture.pipeline.rollback()
    #expect(fixture.counters.inapp.caughtUp == 1)
    let restored = try self.fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.counters.inapp.caughtUp == 1)
    #expect(restored.image() == fixture.image())
  }

  @Test(
    "a catch-up that means nothing is a mistake with its place",
    arguments: [
      ("catchUp:\n", "names no channel"),
      ("catchUp: { sms: { after: 1h } }\n", "is not a known key"),
      ("catchUp: { email: { after: 1h } }\n", "overflow"),
      (
        "catchUp: { email: { after: 0s, overflow: { policy: digest, window: 1h } } }\n",
        "must be from 1s to 31d"
      ),
      (
        "catchUp: { email: { after: 1h, overflow: { policy: immediate } } }\n", "must be digest or schedule"
      ),
      (
        "catchUp: { email: { after: 1h, overflow: { policy: digest, window: 1h, leadingEdge: true } } }\n",
        "has no meaning in an `overflow`"
      ),
    ])
  func mistakes(catchUp: String, message: String) throws {
    #expect {
      _ = try Catalog.parse(yaml: catchUp + "types:\n  a: { title: x }\n", file: "catalog.yaml")
    } throws: { error in
      "\(error)".contains("catalog.yaml:1:") && "\(error)".contains(message)
    }
  }
}
