import Contract
import Pipeline
import Testing

@Suite struct RepairTests {
  private func fixture(events: Int, now: Int64 = Fixture.start) throws -> Fixture {
    let fixture = try Fixture()
    for number in 0..<20 {
      try fixture.apply(.recipient("user\(number)", "{\"email\":\"user\(number)@example.org\"}"))
    }
    for number in 0..<events {
      try fixture.apply(.event(id: "e\(number)", recipients: "user\(number % 20)"), now: now)
    }
    fixture.commit()
    return fixture
  }

  @Test(
    "adopted positions are in the next record's header, and a restore stands there with the same ids and windows"
  )
  func adopt() throws {
    let fixture = try fixture(events: 30)
    var positions = fixture.positions
    positions[.events] = 7
    fixture.pipeline.adopt(positions)
    fixture.commit()
    let restored = try Fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.positions == positions)
    #expect(restored.idCount == 30)
    #expect(restored.image() == fixture.image())
    try restored.apply(.event(id: "e7", recipients: "user7"))
    #expect(restored.counters.total.suppressed[.duplicate] == 2)
  }

  @Test("a repair that is not committed is rolled back whole")
  func rollback() throws {
    let fixture = try fixture(events: 30, now: Fixture.start + 1_000_000)
    let image = fixture.image()
    let due = fixture.nextDue()
    fixture.pipeline.adopt(InputPositions())
    fixture.pipeline.setTimerClock(Fixture.start)
    fixture.pipeline.setInputClock(Fixture.start)
    var prefix: UInt32 = 0
    #expect(
      fixture.pipeline.rescheduleWindows(openedAfter: Fixture.start, from: &prefix, byteLimit: .max) == 20)
    #expect(fixture.nextDue() == Fixture.start + 10_000)
    fixture.pipeline.rollback()
    #expect(fixture.image() == image)
    #expect(fixture.nextDue() == due)
  }

  @Test(
    "windows opened by a clock that ran ahead wait from the right time on, in as many records as it takes")
  func rescheduling() throws {
    let ahead = Fixture.start + 86_400_000
    let fixture = try fixture(events: 30, now: ahead)
    #expect(fixture.nextDue() == ahead + 10_000)
    fixture.pipeline.setTimerClock(Fixture.start)
    var prefix: UInt32 = 0
    var count = 0
    var records = 0
    while prefix < 65_536 {
      count += fixture.pipeline.rescheduleWindows(openedAfter: Fixture.start, from: &prefix, byteLimit: 1)
      fixture.commit()
      records += 1
    }
    #expect(count == 20)
    #expect(records > 1)
    let restored = try Fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
    #expect(restored.nextDue() == Fixture.start + 10_000)
    for number in 0..<20 {
      try restored.apply(.recipient("user\(number)", #"{"email":"user@example.org"}"#))
    }
    restored.pipeline.tick(now: Fixture.start + 9_999)
    #expect(restored.counters.email.delivered == 0)
    restored.pipeline.tick(now: Fixture.start + 10_000)
    #expect(restored.counters.email.delivered == 30)
    #expect(restored.counters.difference == 0)
  }

  /// A partition whose clock ran a day ahead, with one type that has such rules for mail.
  private func ahead(_ email: String) throws -> Fixture {
    let fixture = try Fixture(
      catalog: """
        types:
          card.moved:
            category: cards
            title: a card moved
            channels:
              email: { \(email) }
        """)
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#), now: Self.ahead)
    return fixture
  }

  private static let ahead = Fixture.start + 86_400_000

  /// Sets the clock right as `tidings state set-clock` does, and goes on from the log.
  private func repaired(_ fixture: Fixture) throws -> Fixture {
    fixture.commit()
    fixture.pipeline.setTimerClock(Fixture.start)
    var prefix: UInt32 = 0
    while prefix < 65_536 {
      _ = fixture.pipeline.rescheduleWindows(openedAfter: Fixture.start, from: &prefix, byteLimit: .max)
    }
    prefix = 0
    while prefix < 65_536 {
      _ = fixture.pipeline.endFacts(endingAfter: Fixture.start, from: &prefix, byteLimit: .max)
    }
    fixture.commit()
    let restored = try Fixture()
    restored.pipeline.catalog = fixture.pipeline.catalog
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image())
    // The log does not have recipients: they are read from their topic.
    try restored.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    return restored
  }

  @Test("who subscribed again by a clock that ran ahead stays subscribed when it is set back")
  func resubscribed() throws {
    let fixture = try ahead("policy: immediate")
    let everything = TestRecord.engagement("unsubscribed", of: "ann", channel: "email", category: "cards")
    try fixture.apply(everything, now: Self.ahead)
    try fixture.apply(
      .engagement("resubscribed", of: "ann", channel: "email", category: "cards"), now: Self.ahead + 1)
    let restored = try repaired(fixture)
    try restored.apply(.event(id: "1"), now: Fixture.start + 1_000)
    #expect(restored.counters.email.suppressed[.unsubscribed] == 0)
    #expect(restored.counters.email.delivered == 1)
  }

  @Test("an unsubscription by a clock that ran ahead holds when it is set back")
  func unsubscribed() throws {
    let fixture = try ahead("policy: immediate")
    try fixture.apply(
      .engagement("unsubscribed", of: "ann", channel: "email", category: "cards"), now: Self.ahead)
    let restored = try repaired(fixture)
    try restored.apply(.event(id: "1"), now: Fixture.start + 1_000)
    #expect(restored.counters.email.suppressed[.unsubscribed] == 1)
  }

  @Test("a throttle that was used up by a clock that ran ahead counts anew when it is set back")
  func throttled() throws {
    let fixture = try ahead(
      "policy: immediate, throttle: { limit: 1, period: 1m, overflow: { policy: digest, window: 10s } }")
    try fixture.apply(.event(id: "1"), now: Self.ahead)
    let restored = try repaired(fixture)
    try restored.apply(.event(id: "2"), now: Fixture.start + 61_000)
    #expect(restored.counters.email.delivered == 2)
  }

  @Test("a window that slides and was opened by a clock that ran ahead is not longer than its bound")
  func sliding() throws {
    let fixture = try ahead("policy: digest, window: 10s, sliding: true, maxWindow: 25s")
    try fixture.apply(.event(id: "0"), now: Self.ahead)
    let restored = try repaired(fixture)
    for number in 1...10 {
      let now = Fixture.start + Int64(number) * 5_000
      restored.pipeline.tick(now: now)
      try restored.apply(.event(id: "\(number)"), now: now)
    }
    #expect(restored.counters.email.delivered > 0)
    #expect(restored.counters.difference == 0)
  }

  @Test("a window that was held by a clock that ran ahead closes when there is enough in it")
  func held() throws {
    let fixture = try ahead("policy: digest, window: 10s, minItems: 3, fewer: hold")
    try fixture.apply(.event(id: "0"), now: Self.ahead)
    fixture.pipeline.tick(now: Self.ahead + 10_000)
    let restored = try repaired(fixture)
    let later = Fixture.start + 3_600_000
    for id in ["1", "2"] { try restored.apply(.event(id: id), now: later) }
    #expect(restored.nextDue() == later + 10_000)
  }

  @Test("a window that was opened by a clock that ran ahead closes early when it is full")
  func full() throws {
    let fixture = try ahead("policy: digest, window: 1h, maxItems: 3")
    try fixture.apply(.event(id: "0"), now: Self.ahead)
    let restored = try repaired(fixture)
    for id in ["1", "2"] { try restored.apply(.event(id: id), now: Fixture.start + 1_000) }
    restored.pipeline.tick(now: Fixture.start + 1_001)
    #expect(restored.counters.email.delivered == 3)
  }

  @Test("a topic that a state begins to know is work, also after an abort, until a commit has its position")
  func furtherTopic() throws {
    let fixture = try fixture(events: 1)
    var positions = fixture.positions
    positions[.subscriptions] = -1
    fixture.pipeline.adopt(positions)
    fixture.commit()
    #expect(!fixture.hasUncommittedWork && !fixture.isHeaderDue)
    fixture.pipeline.begin(.subscriptions, at: 4)
    #expect(fixture.hasUncommittedWork && fixture.isHeaderDue)
    _ = fixture.seal()
    fixture.pipeline.rollback()
    #expect(fixture.hasUncommittedWork && fixture.isHeaderDue)
    #expect(fixture.positions[.subscriptions] == 4)
    fixture.commit()
    #expect(!fixture.hasUncommittedWork && !fixture.isHeaderDue)
  }

  @Test(
    "windows are listed in the order of their keys with all their members, ids in the order of their hashes")
  func listing() throws {
    let fixture = try fixture(events: 100)
    var keys: [Hash128] = []
    var members = 0
    fixture.pipeline.forEachOpenWindow { window in
      keys.append(window.key)
      var count = 0
      window.forEachMember { _, _, _ in count += 1 }
      #expect(count == window.memberCount)
      #expect(window.channel == .email)
      members += count
    }
    #expect(keys.count == 20)
    #expect(keys == keys.sorted())
    #expect(members == 100)
    var ids: [Hash128] = []
    fixture.pipeline.forEachID { hash, seen in
      ids.append(hash)
      #expect(seen == Fixture.start / 60_000 * 60_000)
    }
    #expect(ids.count == 100)
    #expect(ids == ids.sorted())
  }

  @Test("the header of a record is read without those before it, and a damaged record says what it is")
  func header() throws {
    let fixture = try fixture(events: 3)
    try fixture.apply(.event(id: "e9", recipients: "user1"))
    fixture.commit()
    let record = try #require(fixture.log.last)
    let header = try record.withUnsafeBytes { try StateHeader(record: ByteView($0)) }
    #expect(header.sequence == 2)
    #expect(header.epoch == Fixture.epoch)
    #expect(header.positions == fixture.positions)
    #expect(header.counters == fixture.counters)
    #expect(header == fixture.header)
    var damaged = record
    damaged[40] ^= 1
    #expect(throws: StateFault.torn) { try damaged.withUnsafeBytes { try StateHeader(record: ByteView($0)) } }
    damaged[2] = 9
    #expect(damaged.withUnsafeBytes { StateHeader.version(ofRecord: ByteView($0)) } == 9)
    #expect(throws: StateFault.unknownVersion(9)) {
      try damaged.withUnsafeBytes { try StateHeader(record: ByteView($0)) }
    }
  }
}

extension Fixture {
  fileprivate var header: StateHeader { pipeline.confirmedHeader }
}
