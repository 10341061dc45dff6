import Contract
import SeededTesting
import Testing

@testable import Pipeline
@testable import Policy

@Suite struct WithdrawalTests {
  private let now = Fixture.start

  private static let retracting = """
    unknownTypes: deliver
    types:
      card.moved:
        category: cards
        title: "moved"
        channels:
          inapp: { policy: digest, window: 10s, group: all }
          email: { policy: digest, window: 10s, items: 2 }
      card.gone:
        category: cards
        title: "gone"
        retracting: silent
        channels:
          email: { policy: digest, window: 10s, items: 2 }
    """

  private func fixture(_ yaml: String = WithdrawalTests.retracting) throws -> Fixture {
    let fixture = try Fixture(catalog: yaml)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return fixture
  }

  private func event(_ id: String, type: String = "card.moved", _ extra: String = "") -> TestRecord {
    .event(id: id, type: type, extra: extra.isEmpty ? "" : ",\(extra)")
  }

  private func retraction(_ id: String, of other: String, type: String = "card.gone") -> TestRecord {
    event(id, type: type, "\"retracts\":\"\(other)\"")
  }

  private func digest(_ fixture: Fixture, _ topic: String = "delivery.email") -> String {
    fixture.output().first { $0.hasPrefix(topic) } ?? ""
  }

  @Test("what waits is taken back on every channel: outcome retracted, and the digest's totals shrink")
  func waiting() throws {
    let fixture = try fixture()
    for id in ["1", "2", "3"] { try fixture.apply(event(id)) }
    try fixture.apply(retraction("r", of: "2"))
    #expect(fixture.counters.email.open == 2)
    #expect(fixture.counters.email.retracted == 1)
    #expect(fixture.counters.inapp.retracted == 1)
    #expect(fixture.counters.email.accepted == 3, "a silent retraction is no notification")
    #expect(fixture.counters.difference == 0)
    let output = fixture.output().last ?? ""
    #expect(output.contains("\"outcome\":\"retracted\",\"by\":{\"source\":\"/test\",\"event\":\"r\"}"))
    #expect(output.contains("\"channels\":{}"))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    #expect(digest(fixture).contains("\"totals\":{\"events\":2,"))
    #expect(digest(fixture).contains("\"id\":\"1\""))
    #expect(!digest(fixture).contains("\"id\":\"2\""))
    #expect(fixture.counters.difference == 0)
  }

  @Test(
    "a retraction of a type that is delivered is a notification as well; of one that nobody lists, a command")
  func delivered() throws {
    let fixture = try fixture()
    try fixture.apply(event("1"))
    try fixture.apply(retraction("2", of: "1", type: "card.moved"))
    #expect(fixture.counters.email.open == 1)
    #expect(fixture.counters.email.accepted == 2)
    try fixture.apply(retraction("3", of: "2", type: "nobody.listed"))
    #expect(fixture.counters.email.open == 0)
    #expect(fixture.counters.email.retracted == 2)
    #expect(fixture.counters.total.accepted == 4)
    // Without `retracts` the type is delivered by the defaults.
    try fixture.apply(event("4", type: "nobody.listed"))
    #expect(fixture.counters.inapp.delivered == 1)
  }

  @Test("a retraction may come first: the event is retracted when it comes, within the dedup horizon")
  func first() throws {
    let fixture = try fixture()
    try fixture.apply(retraction("r", of: "1"))
    try fixture.apply(retraction("s", of: "2"))
    #expect(fixture.pipeline.factCount == 2)
    fixture.commit()
    let restored = try Fixture()
    #expect(try restored.restore(fixture.log))
    restored.pipeline.catalog = fixture.pipeline.catalog
    try restored.apply(event("1"))
    #expect(restored.counters.email.retracted == 1)
    #expect(restored.counters.inapp.retracted == 1)
    #expect(restored.counters.difference == 0)
    // The same again is a repeat of a decided one.
    try restored.apply(event("1"))
    #expect(restored.counters.email.suppressed[.duplicate] == 1)
    var inTime = event("2")
    inTime.appended += 86_400_000
    try restored.apply(inTime)
    #expect(restored.counters.email.retracted == 2)
    var late = event("1")
    late.appended += 86_400_000 + 60_000
    try restored.apply(late)
    #expect(restored.counters.email.retracted == 2)
    #expect(restored.counters.inapp.open == 1)
  }

  @Test("what was delivered stays delivered, and a retraction of what never comes does nothing")
  func unknown() throws {
    let fixture = try fixture()
    try fixture.apply(event("1"))
    fixture.pipeline.tick(now: now + 10_000)
    try fixture.apply(retraction("r", of: "1"), now: now + 10_000)
    try fixture.apply(retraction("s", of: "never"), now: now + 10_000)
    #expect(fixture.counters.email.delivered == 1)
    #expect(fixture.counters.total.retracted == 0)
    #expect(fixture.counters.difference == 0)
    #expect(fixture.counters.decided == 4)
  }

  @Test("what is due has left, before any tick, but not where a window waits on with too few")
  func due() throws {
    let held = "email: { policy: digest, window: 10s, minItems: 3, fewer: hold, skipIfSeen: true }"
    let fixture = try fixture(
      Self.retracting.replacing("email: { policy: digest, window: 10s, items: 2 }", with: held))
    let late = now + 20_000
    try fixture.apply(event("1"), now: now)
    try fixture.apply(event("2"), now: now)
    try fixture.apply(retraction("r", of: "1"), now: late)
    #expect(fixture.counters.email.retracted == 1)
    #expect(fixture.counters.inapp.retracted == 0)
    #expect(fixture.counters.inapp.open == 2)
    try fixture.apply(.engagement("seen", of: "ann", events: ["2"]), now: late)
    #expect(fixture.counters.email.suppressed[.seen] == 1)
    fixture.commit()
    let restored = try Fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
    fixture.pipeline.tick(now: late)
    #expect(fixture.counters.inapp.delivered == 2)
    #expect(fixture.counters.total.open == 0 && fixture.counters.difference == 0)
    // That of the mail was emptied while it waited on.
    #expect(fixture.nextDue() == now + 31 * 86_400_000)
  }

  @Test("only the recipients that a retraction names lose the event, and only the same source's")
  func scope() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1", recipients: "ann"))
    try fixture.apply(.event(id: "1", recipients: "ben"))
    #expect(fixture.counters.inapp.open == 2)
    var other = retraction("r", of: "1")
    other.value = other.value?.replacing("/test", with: "/other")
    try fixture.apply(other)
    #expect(fixture.counters.inapp.open == 2)
    try fixture.apply(retraction("r", of: "1"))
    #expect(fixture.counters.inapp.open == 1)
    try fixture.apply(retraction("r", of: "1"))
    #expect(fixture.counters.inapp.retracted == 1, "the same retraction again does nothing")
  }

  @Test("a window that was emptied stays open, takes what comes, and closes with nothing if nothing comes")
  func emptied() throws {
    let fixture = try fixture()
    try fixture.apply(event("1"))
    try fixture.apply(retraction("r", of: "1"))
    #expect(fixture.pipeline.openWindowCount == 2)
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    let output = fixture.output()
    #expect(output.count == 1)
    #expect(output[0].contains("\"outcome\":\"empty\",\"events\":0,\"members\":[]"))
    #expect(fixture.pipeline.openWindowCount == 0)
    #expect(fixture.counters.difference == 0)
  }

  // MARK: - Collapse

  private func keyed(_ id: String, _ key: String = "k", time: Int? = nil) -> TestRecord {
    let time = time.map { ",\"time\":\"2026-03-01T08:30:0\($0)Z\"" } ?? ""
    return event(id, "\"collapsekey\":\"\(key)\"\(time)")
  }

  @Test("a newer event replaces the one of the same collapse key that waits: by time where both have one")
  func collapse() throws {
    let cases: [(Int?, Int?, String)] = [
      (nil, nil, "2"), (1, nil, "2"), (nil, 1, "2"), (1, 2, "2"), (2, 1, "1"), (1, 1, "2"),
    ]
    for (first, second, expected) in cases {
      let fixture = try fixture()
      try fixture.apply(keyed("1", time: first))
      try fixture.apply(keyed("2", time: second))
      try fixture.apply(keyed("3", "other", time: 0))
      #expect(fixture.counters.email.open == 2)
      #expect(fixture.counters.email.collapsed == 1)
      #expect(fixture.counters.difference == 0)
      fixture.commit()
      let restored = try Fixture()
      #expect(try restored.restore(fixture.log))
      #expect(restored.image() == fixture.image())
      try restored.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
      restored.pipeline.tick(now: now + 10_000)
      #expect(digest(restored).contains("\"id\":\"\(expected)\""), "\(first ?? -1), \(second ?? -1)")
      #expect(digest(restored).contains("\"totals\":{\"events\":2,"))
    }
  }

  @Test("a collapse key holds within one window: what was delivered, or waits elsewhere, stays")
  func collapseScope() throws {
    let fixture = try fixture()
    try fixture.apply(keyed("1"))
    try fixture.apply(event("2", "\"collapsekey\":\"k\",\"category\":\"other\""))
    // The inbox has one group for both, the mail has two.
    #expect(fixture.counters.inapp.collapsed == 1)
    #expect(fixture.counters.email.collapsed == 0)
    fixture.pipeline.tick(now: now + 10_000)
    try fixture.apply(keyed("3"), now: now + 10_000)
    #expect(fixture.counters.email.collapsed == 0)
    #expect(fixture.counters.email.delivered == 2)
    #expect(fixture.counters.difference == 0)
  }

  // MARK: - State

  @Test(
    "withdrawals survive aborts, checkpoints and restores, and an abort puts a member back in its place",
    arguments: 0..<10 as Range<UInt64>)
  func survival(seed: UInt64) throws {
    let configure: (inout Pipeline.Configuration) -> Void = {
      $0.checkpointFloor = 20_000
      $0.checkpointSliceLimit = 4_000
    }
    let fixture = try Fixture(catalog: Self.retracting, configure: configure)
    var generator = SeededGenerator(seed: seed)
    var number = 0
    var time = now
    func batch() throws {
      for _ in 0..<15 {
        number += 1
        time += Int64.random(in: 0..<300, using: &generator)
        let recipient = "u\(Int.random(in: 0..<3, using: &generator))"
        var extra = ""
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
          extra = ",\"retracts\":\"\(Int.random(in: max(0, number - 40)...number + 3, using: &generator))\""
        case 1: extra = ",\"collapsekey\":\"k\(Int.random(in: 0..<3, using: &generator))\""
        default: break
        }
        try fixture.apply(
          .event(id: "\(number)", recipients: recipient, extra: extra, appended: time), now: time)
      }
      fixture.pipeline.tick(now: time)
    }
    for round in 0..<60 {
      try batch()
      if round % 3 == 1 {
        fixture.pipeline.rollback()
        continue
      }
      fixture.commit()
      let image = fixture.image()
      let due = fixture.nextDue()
      try batch()
      _ = fixture.seal()
      try batch()
      fixture.pipeline.rollback()
      #expect(fixture.image() == image, "seed \(seed)")
      #expect(fixture.nextDue() == due)
      #expect(fixture.counters.difference == 0)
    }
    #expect(fixture.counters.inapp.retracted > 5)
    #expect(fixture.counters.inapp.collapsed > 5)
    let restored = try Fixture(configure: configure)
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image(), "seed \(seed)")
  }
}
