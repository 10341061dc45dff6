import Contract
import Policy
import Testing

@testable import Pipeline

/// What follows from engagement, as a partition decides it. The precedence itself is tested in PolicyTests.
@Suite struct EngagementEffectTests {
  private static let catalog = """
    types:
      card.moved:
        category: cards
        title: "moved"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 10s, items: 2, skipIfSeen: true }
      card.kept:
        category: cards
        title: "kept"
        channels:
          email: { policy: digest, window: 10s, items: 2 }
      alarm:
        category: alarms
        title: "alarm"
        channels:
          email: { policy: immediate, mandatory: true }
    """
  private let now = Fixture.start

  private func fixture(
    _ configure: (inout Pipeline.Configuration) -> Void = { _ in }
  ) throws -> Fixture {
    let fixture = try Fixture(catalog: Self.catalog, configure: configure)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return fixture
  }

  private func suppressed(_ fixture: Fixture, _ reason: SuppressionReason) -> Int64 {
    fixture.counters.email.suppressed[reason]
  }

  @Test("records are counted by kind once they are committed, and an aborted one is not")
  func counted() throws {
    let fixture = try fixture()
    func count(_ kind: Engagement.Kind) -> Int64 { fixture.pipeline.confirmedEngagements[kind.index] }
    try fixture.apply(.engagement("seen", of: "ann", events: ["1"]))
    try fixture.apply(.engagement("seen", of: "ann", events: ["2"]))
    #expect(count(.seen) == 0)
    fixture.commit()
    #expect(count(.seen) == 2 && count(.read) == 0)
    try fixture.apply(.engagement("read", of: "ann", events: ["1"]))
    fixture.pipeline.rollback()
    fixture.commit()
    #expect(count(.read) == 0)
  }

  // MARK: - Seen

  @Test("what was seen leaves the mail that waits: suppressed as seen, by the record that said so")
  func seen() throws {
    let fixture = try fixture()
    for id in ["1", "2", "3"] { try fixture.apply(.event(id: id)) }
    try fixture.apply(.engagement("seen", of: "ann", events: ["1", "3", "9"]))
    #expect(fixture.counters.email.open == 1 && suppressed(fixture, .seen) == 2)
    #expect(fixture.counters.inapp.delivered == 3 && fixture.counters.difference == 0)
    #expect(
      fixture.output().last?.contains(
        #""outcome":"suppressed","reason":"seen","by":{"source":"/app","event":"g"}"#) ?? false)
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    let digest = fixture.output().first { $0.hasPrefix("delivery.email") } ?? ""
    #expect(digest.contains("\"totals\":{\"events\":1,") && digest.contains("\"id\":\"2\""))
    #expect(!digest.contains("\"id\":\"1\""))
  }

  @Test("where the first items of a digest were seen, it shows those that follow")
  func firstSeen() throws {
    let fixture = try fixture()
    for id in ["1", "2", "3", "4", "5"] { try fixture.apply(.event(id: id)) }
    // Of what is in no case left out, no more is kept than may be shown.
    try fixture.apply(.event(id: "6", type: "card.kept"))
    try fixture.apply(.engagement("seen", of: "ann", events: ["1", "2"]))
    fixture.commit()
    let restored = try self.fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
    fixture.pipeline.tick(now: now + 10_000)
    let digest = fixture.output().first { $0.hasPrefix("delivery.email") } ?? ""
    #expect(digest.contains("\"totals\":{\"events\":4,"))
    let ids = digest.matches(of: /"id":"(\d)"/).map { String($0.output.1) }
    #expect(ids == ["3", "4"])
    #expect(fixture.counters.difference == 0)
  }

  @Test("what is kept because others may be seen is bounded as all items of a digest are")
  func keptItemsAreBounded() throws {
    let fixture = try fixture { $0.digestItemsLimit = 1_000 }
    for id in 1...20 { try fixture.apply(.event(id: "\(id)")) }
    let slot = try #require(fixture.pipeline.windows.slots(ofRecipient: Hash128(of: ByteView("ann"))).first)
    let window = fixture.pipeline.windows[slot]
    #expect(window.memberCount == 20 && window.itemCount > 2 && window.itemBytes <= 1_000)
  }

  @Test("a digest of which all was seen is not sent, and its window closes as empty")
  func allSeen() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.engagement("clicked", of: "ann", channel: "email", events: ["1"]))
    fixture.commit()
    fixture.pipeline.tick(now: now + 10_000)
    #expect(fixture.output().count == 1)
    #expect(fixture.output().last?.contains("\"outcome\":\"empty\"") ?? false)
    #expect(fixture.counters.difference == 0)
  }

  @Test("what is seen when its mail is due has left already, whether a tick has closed the window yet or not")
  func seenWhenDue() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.engagement("seen", of: "ann", events: ["1"]), now: now + 10_000)
    fixture.pipeline.tick(now: now + 10_000)
    #expect(suppressed(fixture, .seen) == 0 && fixture.counters.email.delivered == 1)
    #expect(fixture.output().contains { $0.hasPrefix("delivery.email") && $0.contains("\"id\":\"1\"") })
    #expect(fixture.counters.difference == 0)
  }

  @Test("what was seen stays in a mail whose type does not ask for it, and in that of another recipient")
  func notAsked() throws {
    let fixture = try fixture()
    try fixture.apply(.recipient("cay", #"{"email":"cay@example.org"}"#))
    try fixture.apply(.event(id: "1", type: "card.kept"))
    try fixture.apply(.event(id: "1", recipients: "cay"))
    try fixture.apply(.engagement("read", of: "ann", events: ["1"]))
    #expect(fixture.counters.email.open == 2 && suppressed(fixture, .seen) == 0)
  }

  @Test("what was seen before it came is suppressed, until the sight is as old as the dedup horizon")
  func seenBefore() throws {
    let fixture = try fixture { $0.dedupHorizon = 60_000 }
    try fixture.apply(.engagement("read", of: "ann", events: ["1", "2"]))
    try fixture.apply(.event(id: "1"))
    #expect(suppressed(fixture, .seen) == 1 && fixture.counters.inapp.delivered == 1)
    try fixture.apply(.event(id: "2", appended: now + 180_000))
    #expect(suppressed(fixture, .seen) == 1 && fixture.counters.email.open == 1)
  }

  @Test("what one record takes out of mails goes on over several commits, and is counted once")
  func steps() throws {
    let fixture = try fixture()
    let ids = (0..<300).map { "\($0)" }
    for id in ids { try fixture.apply(.event(id: id)) }
    fixture.commit()
    // Each decision repeats who said so: here in 24 KiB twice.
    var record = TestRecord.engagement("seen", of: "ann", events: ids)
    let longest = String(repeating: #"\u0001"#, count: 4_096)
    record.value = record.value?.replacing("\"id\":\"g\"", with: "\"id\":\"\(longest)\"")
      .replacing("\"source\":\"/app\"", with: "\"source\":\"\(longest)\"")
    var commits = 0
    var isAborted = false
    while try fixture.apply(record) == .again {
      #expect(fixture.pipeline.pendingRecordBytes < 1 << 20)
      #expect(fixture.counters.decided == 301 && fixture.positions[.engagement] == 0)
      if commits == 3, !isAborted {
        fixture.pipeline.rollback()
        isAborted = true
        continue
      }
      fixture.commit()
      commits += 1
    }
    #expect(fixture.pipeline.pendingRecordBytes < 1 << 20)
    fixture.commit()
    #expect(commits > 10 && isAborted)
    #expect(suppressed(fixture, .seen) == 300 && fixture.counters.email.open == 0)
    #expect(fixture.counters.decided == 302 && fixture.positions[.engagement] == 1)
    #expect(fixture.pipeline.confirmedEngagements[Engagement.Kind.seen.index] == 1)
    #expect(fixture.counters.difference == 0)
    let restored = try self.fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
  }

  // MARK: - Unsubscribed, complained

  @Test("an unsubscription holds for its category and channel, until it is taken back")
  func unsubscribed() throws {
    let fixture = try fixture()
    try fixture.apply(.engagement("unsubscribed", of: "ann", channel: "email", category: "cards"))
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "2", extra: ",\"category\":\"other\""))
    try fixture.apply(.event(id: "3", type: "alarm"))
    #expect(suppressed(fixture, .unsubscribed) == 1)
    #expect(fixture.counters.email.open == 1 && fixture.counters.email.delivered == 1)
    #expect(fixture.counters.inapp.delivered == 2)
    try fixture.apply(.engagement("resubscribed", of: "ann", channel: "inapp", category: "cards"))
    try fixture.apply(.event(id: "4"))
    #expect(suppressed(fixture, .unsubscribed) == 2)
    try fixture.apply(.engagement("resubscribed", of: "ann", channel: "email", category: "cards"))
    try fixture.apply(.event(id: "5"))
    #expect(suppressed(fixture, .unsubscribed) == 2 && fixture.counters.email.open == 2)
    #expect(fixture.counters.difference == 0)
  }

  @Test(
    "a star stands for all categories; one that was named alone stays unsubscribed when the star is taken back"
  )
  func every() throws {
    let fixture = try fixture()
    for category in ["*", "cards"] {
      try fixture.apply(.engagement("unsubscribed", of: "ann", channel: "email", category: category))
    }
    try fixture.apply(.event(id: "1", extra: ",\"category\":\"other\""))
    #expect(suppressed(fixture, .unsubscribed) == 1)
    try fixture.apply(.engagement("resubscribed", of: "ann", channel: "email", category: "*"))
    try fixture.apply(.event(id: "2", extra: ",\"category\":\"other\""))
    try fixture.apply(.event(id: "3"))
    #expect(suppressed(fixture, .unsubscribed) == 2 && fixture.counters.email.open == 1)
  }

  @Test("a complaint keeps all mail away that is not mandatory, until the recipient wants all again")
  func complained() throws {
    let fixture = try fixture()
    try fixture.apply(.engagement("complained", of: "ann", channel: "email"))
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "2", type: "alarm"))
    #expect(suppressed(fixture, .complained) == 1 && fixture.counters.email.delivered == 1)
    try fixture.apply(.engagement("resubscribed", of: "ann", channel: "email", category: "cards"))
    try fixture.apply(.event(id: "3"))
    #expect(suppressed(fixture, .complained) == 2)
    try fixture.apply(.engagement("resubscribed", of: "ann", channel: "email", category: "*"))
    try fixture.apply(.event(id: "4"))
    #expect(suppressed(fixture, .complained) == 2 && fixture.counters.email.open == 1)
  }

  /// A record that was published away from home.
  private func handedOn(_ kind: String, at offset: Int, of partition: Int = 5) -> TestRecord {
    var record = TestRecord.engagement(kind, of: "ann", channel: "email", category: "cards")
    record.headers += [("tidings-origin-partition", "\(partition)"), ("tidings-origin-offset", "\(offset)")]
    return record
  }

  @Test("what was taken back stays so where an older record from the same place comes again")
  func takenBack() throws {
    let before = try fixture()
    try before.apply(handedOn("unsubscribed", at: 7))
    try before.apply(handedOn("resubscribed", at: 9))
    // What has ended has left the memory by then.
    for _ in 0..<257 { before.commit() }
    let restored = try fixture()
    #expect(try restored.restore(before.log))
    try restored.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    for fixture in [before, restored] {
      try fixture.apply(handedOn("unsubscribed", at: 8))
      try fixture.apply(.event(id: "1"))
      #expect(suppressed(fixture, .unsubscribed) == 0 && fixture.counters.email.open == 1)
    }
    // From elsewhere, and a newer one, it counts.
    try before.apply(handedOn("unsubscribed", at: 8, of: 6))
    try restored.apply(handedOn("unsubscribed", at: 10))
    for fixture in [before, restored] {
      try fixture.apply(.event(id: "2"))
      #expect(suppressed(fixture, .unsubscribed) == 1)
    }
  }

  @Test("of two records from one place away from home, the older one never undoes the newer")
  func order() throws {
    let fixture = try fixture()
    try fixture.apply(handedOn("unsubscribed", at: 8))
    try fixture.apply(handedOn("resubscribed", at: 7))
    try fixture.apply(.event(id: "1"))
    #expect(suppressed(fixture, .unsubscribed) == 1)
    try fixture.apply(handedOn("resubscribed", at: 9))
    try fixture.apply(.event(id: "2"))
    #expect(suppressed(fixture, .unsubscribed) == 1)
  }

  // MARK: - Bounced

  @Test("an address that bounced gets no mail, mandatory or not, and another one does")
  func bounced() throws {
    let fixture = try fixture()
    try fixture.apply(
      .engagement("bounced", of: "ann", channel: "email", address: "ann@example.org"))
    try fixture.apply(.event(id: "1"))
    try fixture.apply(.event(id: "2", type: "alarm"))
    #expect(suppressed(fixture, .bounced) == 2)
    try fixture.apply(.recipient("ann", #"{"email":"Ann@example.org"}"#))
    try fixture.apply(.event(id: "3", type: "alarm"))
    #expect(suppressed(fixture, .bounced) == 2 && fixture.counters.email.delivered == 1)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    try fixture.apply(.event(id: "4", type: "alarm"))
    #expect(suppressed(fixture, .bounced) == 3)
  }

  @Test("another address that bounces takes the place of the one before, which gets mail again")
  func bouncedLast() throws {
    let fixture = try fixture()
    try fixture.apply(
      .engagement("bounced", of: "ann", channel: "email", address: "ann@example.org"))
    try fixture.apply(.event(id: "1", type: "alarm"))
    #expect(suppressed(fixture, .bounced) == 1)
    try fixture.apply(.engagement("bounced", of: "ann", channel: "email", address: "none@invalid"))
    try fixture.apply(.event(id: "2", type: "alarm"))
    #expect(suppressed(fixture, .bounced) == 1 && fixture.counters.email.delivered == 1)
  }

  // MARK: - State

  @Test("facts and sights survive a restore, and an abort takes them back")
  func state() throws {
    let fixture = try fixture()
    try fixture.apply(.event(id: "1"))
    fixture.commit()
    let before = fixture.image()
    let records: [TestRecord] = [
      .engagement("seen", of: "ann", events: ["1", "2"]),
      .engagement("unsubscribed", of: "ann", channel: "email", category: "cards"),
      .engagement("complained", of: "ann", channel: "email"),
      .engagement("bounced", of: "ann", channel: "email", address: "ann@example.org"),
    ]
    for record in records { try fixture.apply(record) }
    #expect(fixture.counters.email.open == 0)
    fixture.pipeline.rollback()
    #expect(fixture.image() == before)
    for record in records { try fixture.apply(record) }
    fixture.commit()
    let restored = try self.fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
    #expect(restored.pipeline.factCount == 5)
  }
}
