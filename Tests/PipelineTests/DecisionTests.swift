import Contract
import Foundation
import Testing

@testable import Pipeline

@Suite struct DecisionTests {
  private let now = Fixture.start

  private func fixtureWithAnn() throws -> Fixture {
    let fixture = try Fixture()
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return fixture
  }

  @Test("an event is delivered at once where the policy says so, and waits in a window where it says digest")
  func immediateAndDigest() throws {
    let fixture = try fixtureWithAnn()
    try fixture.apply(.event(id: "1"))
    let output = fixture.output()
    #expect(output.count == 2)
    #expect(output[0].hasPrefix("delivery.inapp [0] ann {\"specversion\":\"1.0\""))
    #expect(output[1].contains("\"inapp\":{\"outcome\":\"delivered\""))
    #expect(output[1].contains("\"email\":{\"outcome\":\"open\""))
    let counters = fixture.counters
    #expect(counters.inapp.delivered == 1)
    #expect(counters.email.open == 1)
    #expect(counters.difference == 0)
  }

  @Test("the same notification again is a duplicate, whatever else differs")
  func duplicate() throws {
    let fixture = try fixtureWithAnn()
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "1", extra: ",\"category\":\"else\""), now: now + 5)
    let counters = fixture.counters
    #expect(counters.total.accepted == 4)
    #expect(counters.total.suppressed[.duplicate] == 2)
    #expect(counters.email.open == 1)
    #expect(counters.difference == 0)
    #expect(fixture.output().last?.contains("\"duplicate\":true") == true)
  }

  @Test("the same id for another recipient, source or tenant is no duplicate")
  func identity() throws {
    let fixture = try fixtureWithAnn()
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "1", recipients: "eve"))
    try fixture.apply(.event(id: "1", tenant: "acme"))
    #expect(fixture.counters.total.suppressed[.duplicate] == 0)
  }

  @Test("an id is remembered for the horizon of the input clock, and forgotten after it")
  func horizon() throws {
    let fixture = try Fixture { $0.dedupHorizon = 3_600_000 }
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "1", appended: now + 3_600_000), now: now + 1)
    #expect(fixture.counters.inapp.suppressed[.duplicate] == 1)
    // Two minutes of grace: the horizon is counted in whole minutes.
    try fixture.apply(.event(id: "1", appended: now + 3_720_000), now: now + 2)
    #expect(fixture.counters.inapp.suppressed[.duplicate] == 1)
    #expect(fixture.counters.inapp.delivered == 2)
  }

  @Test("a digest is due when its window ends, with true totals and its first items")
  func digest() throws {
    let fixture = try fixtureWithAnn()
    for number in 1...5 { try fixture.apply(.event(id: "\(number)"), now: now + Int64(number)) }
    fixture.commit()
    let due = fixture.nextDue()
    #expect(due == now + 1 + 10_000)
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.output().isEmpty)
    fixture.pipeline.tick(now: now + 10_001)
    let output = fixture.output()
    #expect(output.count == 2)
    #expect(output[0].hasPrefix("delivery.email [0] ann "))
    #expect(output[0].contains("\"totals\":{\"events\":5,\"actors\":1}"))
    #expect(output[0].contains("\"address\":\"ann@example.org\""))
    let items = output[0].components(separatedBy: "\"acceptedAt\"").count - 1
    #expect(items == 3)
    #expect(fixture.counters.email.delivered == 5)
    #expect(fixture.counters.email.open == 0)
    #expect(fixture.counters.difference == 0)
    #expect(fixture.nextDue() == nil)
  }

  @Test("a digest of several types says for each item which templates are its own")
  func mixedTypes() throws {
    let yaml = Fixture.catalogYAML.replacing(
      "email: { policy: immediate, mandatory: true }", with: "email: { policy: digest, window: 10s }")
    let fixture = try fixtureWithAnn()
    fixture.pipeline.catalog = try .parse(yaml: yaml, file: "catalog.yaml")
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "2", type: "card.due"))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    let digest = fixture.output()[0]
    #expect(digest.contains("\"events\":2"))
    #expect(digest.components(separatedBy: "\"title\":\"{{actor}} moved a card\"").count == 2)
    #expect(digest.components(separatedBy: "\"title\":\"a card is due\"").count == 2)
  }

  @Test("windows that are due at one instant close in the order of their recipients")
  func order() throws {
    let fixture = try Fixture()
    for name in ["eve", "ann", "joe", "dan"] {
      try fixture.apply(.recipient(name, "{\"email\":\"\(name)@example.org\"}"))
      try fixture.apply(.event(id: "1", recipients: name))
    }
    fixture.commit()
    fixture.pipeline.tick(now: now + 60_000)
    let keys = fixture.output().dropLast().map { String($0.split(separator: " ")[2]) }
    #expect(keys == ["ann", "dan", "eve", "joe"])
  }

  @Test("who has no address gets no email, and who opted out of a category gets none of it")
  func refusals() throws {
    let fixture = try Fixture()
    try fixture.apply(.event(id: "1"))
    #expect(fixture.counters.email.suppressed[.noAddress] == 1)
    try fixture.apply(
      .recipient("ann", #"{"email":"ann@example.org","optOut":[{"category":"cards","channel":"inapp"}]}"#))
    try fixture.apply(.event(id: "2"))
    #expect(fixture.counters.inapp.suppressed[.optedOut] == 1)
    #expect(fixture.counters.email.open == 1)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a mandatory channel cannot be opted out of")
  func mandatory() throws {
    let fixture = try Fixture()
    try fixture.apply(
      .recipient("ann", #"{"email":"ann@example.org","optOut":[{"category":"*","channel":"*"}]}"#))
    try fixture.apply(.event(id: "1", type: "card.due"))
    #expect(fixture.counters.email.delivered == 1)
  }

  @Test("what has expired is not delivered: not at once, and not in a digest")
  func expiry() throws {
    let fixture = try fixtureWithAnn()
    try fixture.apply(.event(id: "1", extra: ",\"expirytime\":\"2023-11-14T22:13:20Z\""))
    #expect(fixture.counters.total.expired == 2)
    // Start is 22:13:20; this one lives five seconds, its window ten.
    try fixture.apply(.event(id: "2", extra: ",\"expirytime\":\"2023-11-14T22:13:25Z\""))
    try fixture.apply(.event(id: "3"))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.counters.email.expired == 2)
    #expect(fixture.counters.email.delivered == 1)
    #expect(fixture.counters.difference == 0)
    #expect(fixture.output()[0].contains("\"totals\":{\"events\":1,"))
  }

  @Test("a window at its bound closes early instead of growing on")
  func memberBound() throws {
    let fixture = try Fixture { $0.windowMemberLimit = 4 }
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    for number in 1...4 { try fixture.apply(.event(id: "\(number)")) }
    fixture.pipeline.tick(now: now + 1)
    #expect(fixture.counters.email.delivered == 4)
    try fixture.apply(.event(id: "5"))
    #expect(fixture.counters.email.open == 1)
  }

  @Test("a new catalog applies to new events; an open window keeps the rules it was opened with")
  func catalogChange() throws {
    let fixture = try fixtureWithAnn()
    try fixture.apply(.event(id: "1"))
    let yaml = Fixture.catalogYAML.replacing("window: 10s", with: "window: 60s").replacing(
      "a card\"", with: "x\"")
    let version = fixture.pipeline.catalog.versionText
    fixture.pipeline.catalog = try .parse(yaml: yaml, file: "catalog.yaml")
    let newVersion = fixture.pipeline.catalog.versionText
    #expect(newVersion != version)
    try fixture.apply(.event(id: "2"), now: now + 1)
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    let output = fixture.output()
    #expect(output[0].contains("\"events\":2"))
    #expect(output[0].contains("\"catalog\":\"\(version)\""))
  }

  @Test("a recipient's record that is not JSON is rejected, and the former one stays in force")
  func brokenRecipient() throws {
    let fixture = try fixtureWithAnn()
    try fixture.apply(.recipient("ann", "{broken"))
    #expect(fixture.counters.rejected == 1)
    try fixture.apply(.event(id: "1"))
    #expect(fixture.counters.email.open == 1)
    try fixture.apply(.recipient("ann", nil))
    try fixture.apply(.event(id: "2"))
    #expect(fixture.counters.tombstones == 1)
    #expect(fixture.counters.email.suppressed[.noAddress] == 1)
    #expect(fixture.counters.difference == 0)
  }

  @Test(
    "a record that breaks the contract is rejected with its reason, and the next one is decided",
    arguments: [
      ("not json", "notJSON"), (#"{"specversion":"0.3","id":"1"}"#, "unsupportedSpecVersion"),
      (#"{"specversion":"1.0","id":"1","source":"/s","type":"nope","recipient":"ann"}"#, "unknownType"),
      (
        #"{"specversion":"1.0","id":"","source":"/s","type":"card.moved","recipient":"ann"}"#,
        "emptyAttribute"
      ),
    ])
  func rejections(value: String, reason: String) throws {
    let fixture = try Fixture()
    try fixture.apply(TestRecord(key: "k", value: value))
    try fixture.apply(.event(id: "2"))
    let output = fixture.output()
    #expect(output[0].hasPrefix("rejected [0] k \(value) "))
    #expect(output[0].contains("tidings-reason=\(reason)"))
    #expect(output[0].contains("tidings-topic=tidings.events"))
    #expect(fixture.counters.rejected == 1)
    #expect(fixture.counters.decided == 1)
    #expect(fixture.counters.difference == 0)
  }
}
