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
    restored.pipeline.tick(now: Fixture.start + 9_999)
    #expect(restored.counters.email.delivered == 0)
    restored.pipeline.tick(now: Fixture.start + 10_000)
    #expect(restored.counters.email.delivered == 30)
    #expect(restored.counters.difference == 0)
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
