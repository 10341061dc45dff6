import Contract
import Policy
import Testing

@testable import Pipeline

@Suite struct WindowOptionTests {
  private static let start = Fixture.start

  private func fixture(_ email: String) throws -> Fixture {
    let fixture = try Fixture()
    fixture.pipeline.catalog = try catalog(email)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return fixture
  }

  private func catalog(_ email: String) throws -> Catalog {
    try .parse(
      yaml: """
        types:
          card.moved:
            category: cards
            title: a card moved
            channels:
              email: { \(email) }
        """, file: "catalog.yaml")
  }

  private func event(_ id: String, _ extra: String = "", data: String = "{}") -> TestRecord {
    var record = TestRecord.event(id: id, extra: extra)
    record.value = record.value?.replacing("{\"n\":1}", with: data)
    return record
  }

  /// The digests and single deliveries since the last commit, by the ids of their items.
  private func sent(_ fixture: Fixture) throws -> [String] {
    var lines: [String] = []
    var decoder = try DeliveryDecoder()
    for line in fixture.output() where line.hasPrefix("delivery") {
      let value = try #require(line.split(separator: " ", maxSplits: 3).last).dropLast(
        " content-type=application/cloudevents+json".count)
      let delivery = try String(value).withByteView { try decoder.decode($0) }
      lines.append(
        "\(delivery.kind) of \(delivery.totalEvents): \(delivery.items.map(\.id).joined(separator: " "))")
    }
    fixture.commit()
    return lines
  }

  /// The state survives a restart, here and after what follows.
  private func expectRestored(_ fixture: Fixture) throws {
    let other = try Fixture()
    #expect(try other.restore(fixture.log))
    #expect(other.image() == fixture.image())
    #expect(fixture.counters.difference == 0)
  }

  // MARK: - Sliding

  @Test("a sliding window closes when nothing has come for its length")
  func sliding() throws {
    let fixture = try fixture("policy: digest, window: 10s, sliding: true, maxWindow: 1m")
    for number in 0..<4 {
      try fixture.apply(event("\(number)"), now: Self.start + Int64(number) * 9_000)
      #expect(fixture.nextDue() == Self.start + Int64(number) * 9_000 + 10_000)
    }
    fixture.commit()
    try expectRestored(fixture)
    fixture.pipeline.tick(now: Self.start + 36_999)
    #expect(try sent(fixture) == [])
    fixture.pipeline.tick(now: Self.start + 37_000)
    #expect(try sent(fixture) == ["digest of 4: 0 1 2 3"])
  }

  @Test("a sliding window is never longer than its bound, and what comes then opens the next one")
  func slidingBound() throws {
    let fixture = try fixture("policy: digest, window: 10s, sliding: true, maxWindow: 25s")
    for number in 0..<6 { try fixture.apply(event("\(number)"), now: Self.start + Int64(number) * 5_000) }
    // The one at 25 s finds its window due.
    #expect(try sent(fixture) == ["digest of 5: 0 1 2 3 4"])
    #expect(fixture.nextDue() == Self.start + 35_000)
    try expectRestored(fixture)
  }

  @Test("a window slides by the rules that it was opened with, whatever the catalog says later")
  func slidingKeepsRules() throws {
    let fixture = try fixture("policy: digest, window: 10s, sliding: true, maxWindow: 1m")
    try fixture.apply(event("1"), now: Self.start)
    fixture.pipeline.catalog = try catalog("policy: digest, window: 30s")
    try fixture.apply(event("2"), now: Self.start + 9_000)
    #expect(fixture.nextDue() == Self.start + 19_000)
  }

  @Test("an aborted commit takes back how far a window slid")
  func slidingRollback() throws {
    let fixture = try fixture("policy: digest, window: 10s, sliding: true, maxWindow: 1m")
    try fixture.apply(event("1"), now: Self.start)
    fixture.commit()
    let image = fixture.image()
    try fixture.apply(event("2"), now: Self.start + 9_000)
    fixture.pipeline.rollback()
    #expect(fixture.nextDue() == Self.start + 10_000)
    #expect(fixture.image() == image)
  }

  // MARK: - maxItems

  @Test("a window closes with the notification that makes it full, and the next one opens another")
  func maxItems() throws {
    let fixture = try fixture("policy: digest, window: 10s, maxItems: 3")
    for number in 0..<7 { try fixture.apply(event("\(number)"), now: Self.start + Int64(number)) }
    #expect(try sent(fixture) == ["digest of 3: 0 1 2", "digest of 3: 3 4 5"])
    try expectRestored(fixture)
    #expect(fixture.nextDue() == Self.start + 10_006)
  }

  @Test("a full window closes at once also where nothing follows")
  func maxItemsAlone() throws {
    let fixture = try fixture("policy: digest, window: 10s, maxItems: 2")
    try fixture.apply(event("1"), now: Self.start)
    try fixture.apply(event("2"), now: Self.start + 5)
    #expect(fixture.nextDue() == Self.start + 5)
    fixture.pipeline.tick(now: Self.start + 5)
    #expect(try sent(fixture) == ["digest of 2: 1 2"])
  }

  @Test("what comes in the millisecond in which a window was opened is in it, also beyond its number")
  func maxItemsAtOnce() throws {
    let fixture = try fixture("policy: digest, window: 10s, maxItems: 2")
    for number in 0..<5 { try fixture.apply(event("\(number)"), now: Self.start) }
    #expect(fixture.nextDue() == Self.start + 1)
    fixture.pipeline.tick(now: Self.start + 1)
    #expect(try sent(fixture) == ["digest of 5: 0 1 2 3 4"])
  }

  @Test("quiet hours hold back no window that slides while something critical waits in it")
  func slidingCritical() throws {
    let fixture = try fixture("policy: digest, window: 30s, sliding: true, maxWindow: 5m")
    // It is 22:13:20 UTC.
    let quiet = #""timeZone":"UTC","quietHours":[{"from":"22:14","until":"23:00"}]"#
    let morning: Int64 = 1_700_002_800_000
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org",\#(quiet)}"#))
    try fixture.apply(event("1"), now: Self.start)
    try fixture.apply(event("2", #","priority":"critical""#), now: Self.start + 1_000)
    #expect(fixture.nextDue() == Self.start + 30_000)
    try fixture.apply(event("3"), now: Self.start + 20_000)
    #expect(fixture.nextDue() == Self.start + 50_000)
    fixture.commit()
    try expectRestored(fixture)
    let other = try self.fixture("policy: digest, window: 30s, sliding: true, maxWindow: 5m")
    #expect(try other.restore(fixture.log))
    try other.apply(.recipient("ann", #"{"email":"ann@example.org",\#(quiet)}"#))
    for fixture in [fixture, other] {
      // Already in the quiet hours.
      try fixture.apply(event("4"), now: Self.start + 45_000)
      #expect(fixture.nextDue() == Self.start + 75_000)
    }
    // Nothing critical is left.
    try fixture.apply(event("5", #","retracts":"2""#), now: Self.start + 60_000)
    #expect(fixture.counters.email.retracted == 1)
    #expect(fixture.nextDue() == morning)
    other.pipeline.tick(now: Self.start + 75_000)
    #expect(try sent(other) == ["digest of 4: 1 2 3 4"])
    #expect(fixture.counters.difference == 0)
  }

  // MARK: - leadingEdge

  @Test("the first notification is delivered at once, what follows within the window is digested")
  func leadingEdge() throws {
    let fixture = try fixture("policy: digest, window: 10s, leadingEdge: true")
    try fixture.apply(event("1"), now: Self.start)
    #expect(try sent(fixture) == ["single of 1: 1"])
    try fixture.apply(event("2"), now: Self.start + 1)
    try fixture.apply(event("3"), now: Self.start + 9_999)
    #expect(try sent(fixture) == [])
    try expectRestored(fixture)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 2: 2 3"])
    try fixture.apply(event("4"), now: Self.start + 10_001)
    #expect(try sent(fixture) == ["single of 1: 4"])
  }

  @Test("a window behind a leading edge that nothing joins closes without a digest")
  func leadingEdgeAlone() throws {
    let fixture = try fixture("policy: digest, window: 10s, leadingEdge: true")
    try fixture.apply(event("1"), now: Self.start)
    fixture.commit()
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(fixture.output().count == 1 && fixture.output()[0].contains(#""outcome":"empty","events":0"#))
    #expect(fixture.nextDue() == nil)
    fixture.commit()
    try expectRestored(fixture)
    #expect(fixture.counters.email.delivered == 1)
  }

  @Test("a notification that comes when the window is due is at the next leading edge, before any tick")
  func leadingEdgeSharp() throws {
    let fixture = try fixture("policy: digest, window: 10s, leadingEdge: true")
    for (id, time) in [("1", 0), ("2", 4_000), ("3", 10_000)] as [(String, Int64)] {
      try fixture.apply(event(id), now: Self.start + time)
    }
    #expect(try sent(fixture) == ["single of 1: 1", "digest of 1: 2", "single of 1: 3"])
  }

  @Test("what nobody gets opens no window: the first that is delivered is the leading edge")
  func leadingEdgeExpired() throws {
    let fixture = try fixture("policy: digest, window: 10s, leadingEdge: true")
    try fixture.apply(event("1", ",\"expirytime\":\"2023-01-01T00:00:00Z\""), now: Self.start)
    #expect(fixture.nextDue() == nil)
    try fixture.apply(event("2"), now: Self.start)
    #expect(try sent(fixture) == ["single of 1: 2"])
  }

  // MARK: - key

  @Test("notifications share a window whose fields of the key have the same values")
  func key() throws {
    let fixture = try fixture("policy: digest, window: 10s, key: [subject, /board/id]")
    let events: [(subject: String, data: String)] = [
      ("a", #"{"board":{"id":1}}"#), ("a", #"{"x":0, "board":{"id":1}}"#), ("b", #"{"board":{"id":1}}"#),
      ("a", #"{"board":{"id":"1"}}"#), ("a", #"{"board":{"id":null}}"#), ("a", "{}"), ("a", "[1]"),
      ("a", #"{"board":{"id":"\u0031"}}"#),
    ]
    for (number, event) in events.enumerated() {
      try fixture.apply(
        self.event("\(number)", ",\"subject\":\"\(event.subject)\"", data: event.data),
        now: Self.start + Int64(number))
    }
    fixture.commit()
    try expectRestored(fixture)
    fixture.pipeline.tick(now: Self.start + 20_000)
    #expect(
      try sent(fixture) == [
        "digest of 2: 0 1", "digest of 1: 2", "digest of 2: 3 7", "digest of 3: 4 5 6",
      ])
  }

  @Test("an attribute that is absent is a value of its own, also in an event without JSON data")
  func keyAbsent() throws {
    let fixture = try fixture("policy: digest, window: 10s, key: [subject, /a]")
    var text = event("1")
    text.value = text.value?.replacing(
      ",\"data\":{}", with: ",\"datacontenttype\":\"text/plain\",\"data\":\"a\"")
    try fixture.apply(text, now: Self.start)
    try fixture.apply(event("2"), now: Self.start)
    try fixture.apply(event("3", ",\"subject\":\"s\""), now: Self.start)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 2: 1 2", "digest of 1: 3"])
  }

  // MARK: - items

  @Test(
    "a digest carries the first, the last or the top items in full, and counts all",
    arguments: [
      ("3", "0 1 2"), ("{ first: 3 }", "0 1 2"), ("{ last: 3 }", "57 58 59"),
      ("{ top: 3, by: /n }", "31 13 49"),
    ])
  func items(items: String, expected: String) throws {
    let fixture = try fixture("policy: digest, window: 10s, items: \(items)")
    for number in 0..<60 {
      // 31 has the largest number, then 13 and 49, the same.
      let n = number == 31 ? "1e3" : number == 13 || number == 49 ? "500.5" : "\(number)"
      try fixture.apply(event("\(number)", data: "{\"n\":\(n)}"), now: Self.start + Int64(number))
      if number % 7 == 0 { fixture.commit() }
    }
    fixture.commit()
    try expectRestored(fixture)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 60: \(expected)"])
  }

  @Test("what has no number is behind all that have one")
  func itemsWithoutNumber() throws {
    let fixture = try fixture("policy: digest, window: 10s, items: { top: 3, by: /a/0 }")
    for (id, data) in [
      ("1", "{}"), ("2", #"{"a":[-5]}"#), ("3", #"{"a":["9"]}"#), ("4", #"{"a":[2,9]}"#), ("5", #"{"a":9}"#),
    ] {
      try fixture.apply(event(id, data: data), now: Self.start)
    }
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 5: 4 2 1"])
  }

  @Test("one of the chosen items that has expired leaves its place empty")
  func itemsExpired() throws {
    let fixture = try fixture("policy: digest, window: 10s, items: { last: 2 }")
    try fixture.apply(event("1"), now: Self.start)
    try fixture.apply(event("2"), now: Self.start)
    try fixture.apply(event("3", ",\"expirytime\":\"2023-11-14T22:13:25Z\""), now: Self.start)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 2: 2"])
  }

  @Test("a window with many large items lets go of those that its digest is not going to carry")
  func itemsTrimmed() throws {
    let fixture = try fixture("policy: digest, window: 10s, items: { last: 5 }")
    let filler = String(repeating: "x", count: 4_000)
    for number in 0..<300 { try fixture.apply(event("\(number)", data: "\"\(filler)\""), now: Self.start) }
    #expect(fixture.pipeline.liveBytes < 400_000)
    fixture.commit()
    try expectRestored(fixture)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 300: 295 296 297 298 299"])
  }

  @Test("an aborted commit brings back the items that were let go of")
  func itemsRollback() throws {
    let fixture = try fixture("policy: digest, window: 10s, items: { last: 1 }")
    for number in 0..<2 { try fixture.apply(event("\(number)"), now: Self.start) }
    fixture.commit()
    let image = fixture.image()
    for number in 2..<40 { try fixture.apply(event("\(number)"), now: Self.start) }
    fixture.pipeline.rollback()
    #expect(fixture.image() == image)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["digest of 2: 1"])
  }

  // MARK: - minItems

  @Test("fewer than the digest needs are delivered singly when the window closes")
  func minItemsSingle() throws {
    let fixture = try fixture("policy: digest, window: 10s, minItems: 3, items: 1")
    for number in 1...2 { try fixture.apply(event("\(number)"), now: Self.start) }
    fixture.commit()
    try expectRestored(fixture)
    fixture.pipeline.tick(now: Self.start + 10_000)
    let decisions = try #require(fixture.output().last)
    #expect(decisions.contains(#""outcome":"delivered","singly":true,"events":2,"members":["#))
    #expect(try sent(fixture) == ["single of 1: 1", "single of 1: 2"])
    for number in 3...5 { try fixture.apply(event("\(number)"), now: Self.start + 10_000) }
    fixture.pipeline.tick(now: Self.start + 20_000)
    #expect(try sent(fixture) == ["digest of 3: 3"])
    #expect(fixture.counters.email.delivered == 5 && fixture.counters.difference == 0)
  }

  @Test("items that are kept to be delivered singly take no more room in a digest than others")
  func minItemsLarge() throws {
    for (count, expected) in [
      (4, (1...4).map { "single of 1: \($0)" }), (6, ["digest of 6: 1 2"]),
    ] {
      let fixture = try Fixture { $0.digestItemsLimit = 1_500 }
      fixture.pipeline.catalog = try catalog("policy: digest, window: 10s, minItems: 5, items: 100")
      try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
      let subject = ",\"subject\":\"\(String(repeating: "s", count: 500))\""
      for number in 1...count { try fixture.apply(event("\(number)", subject), now: Self.start) }
      fixture.commit()
      try expectRestored(fixture)
      fixture.pipeline.tick(now: Self.start + 10_000)
      #expect(try sent(fixture) == expected)
      #expect(fixture.counters.difference == 0)
    }
  }

  @Test("what is too few and has expired is not delivered; what expired counts for the number")
  func minItemsExpired() throws {
    let expiry = ",\"expirytime\":\"2023-11-14T22:13:25Z\""
    let fixture = try fixture("policy: digest, window: 10s, minItems: 3")
    try fixture.apply(event("1", expiry), now: Self.start)
    try fixture.apply(event("2"), now: Self.start)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == ["single of 1: 2"])
    try fixture.apply(event("3", expiry), now: Self.start)
    fixture.pipeline.tick(now: Self.start + 20_000)
    #expect(try sent(fixture) == [])
    #expect(fixture.counters.email.expired == 2 && fixture.counters.difference == 0)
  }

  @Test("fewer than the digest needs wait for the next notification, and close with its window")
  func minItemsHold() throws {
    let fixture = try fixture("policy: digest, window: 10s, minItems: 3, fewer: hold")
    for number in 1...2 { try fixture.apply(event("\(number)"), now: Self.start) }
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == [])
    #expect(fixture.counters.email.open == 2)
    try expectRestored(fixture)
    try fixture.apply(event("3"), now: Self.start + 3_600_000)
    #expect(fixture.nextDue() == Self.start + 3_610_000)
    fixture.pipeline.tick(now: Self.start + 3_610_000)
    #expect(try sent(fixture) == ["digest of 3: 1 2 3"])
  }

  @Test("what is held is delivered as it is 31 days after its window was opened")
  func minItemsHeldForLong() throws {
    let fixture = try fixture("policy: digest, window: 10s, minItems: 3, fewer: hold")
    try fixture.apply(event("1"), now: Self.start)
    fixture.pipeline.tick(now: Self.start + 10_000)
    #expect(try sent(fixture) == [])
    let end = Self.start + 31 * 86_400_000
    #expect(fixture.nextDue() == end)
    fixture.pipeline.tick(now: end)
    #expect(try sent(fixture) == ["digest of 1: 1"])
    #expect(fixture.counters.difference == 0)
  }

  @Test("what is held closes at the next time of the schedule after the next notification")
  func minItemsSchedule() throws {
    let fixture = try fixture("policy: schedule, cadence: hourly, minItems: 2, fewer: hold")
    try fixture.apply(event("1"), now: Self.start)
    let due = try #require(fixture.nextDue())
    fixture.pipeline.tick(now: due)
    #expect(try sent(fixture) == [])
    try fixture.apply(event("2"), now: due + 3_600_000)
    #expect(fixture.nextDue() == due + 7_200_000)
    fixture.pipeline.tick(now: due + 7_200_000)
    #expect(try sent(fixture) == ["digest of 2: 1 2"])
  }
}
