import Contract
import Testing

@testable import Pipeline

@Suite struct BoundTests {
  /// An event of a category of its own, with `bytes` of data.
  private func event(_ number: Int, bytes: Int, extra: String = "") -> TestRecord {
    var record = TestRecord.event(id: "\(number)", extra: ",\"category\":\"c\(number)\"\(extra)")
    let filler = String(repeating: "x", count: bytes)
    record.value = record.value?.replacing("{\"n\":1}", with: "{\"n\":\"\(filler)\"}")
    return record
  }

  /// Applies events that open a window each, at one instant.
  private func openWindows(_ numbers: [Int], _ fixture: Fixture, bytes: Int, extra: String = "") throws {
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    for number in numbers { try fixture.apply(event(number, bytes: bytes, extra: extra)) }
    fixture.commit()
  }

  /// Ticks and commits until nothing is due, and returns what each tick put out.
  private func tickAll(_ fixture: Fixture, at now: Int64) throws -> [Int] {
    var sizes: [Int] = []
    while let due = fixture.nextDue(), due <= now {
      fixture.pipeline.tick(now: now)
      sizes.append(fixture.pipeline.pendingBytes)
      fixture.commit()
      try #require(sizes.count < 100, "a tick closes nothing")
    }
    return sizes
  }

  @Test("large digests that are due at one instant go out over several ticks")
  func largeDigests() throws {
    let fixture = try Fixture()
    try openWindows(Array(0..<600), fixture, bytes: 15_000)
    let sizes = try tickAll(fixture, at: Fixture.start + 10_000)
    #expect(sizes.count > 2)
    #expect(sizes.allSatisfy { $0 < 3 << 20 })
    #expect(fixture.counters.email.delivered == 600)
    #expect(fixture.counters.difference == 0)
  }

  @Test("windows that close without a delivery count against the bound of a tick, too")
  func expiredWindows() throws {
    let fixture = try Fixture()
    try openWindows(
      Array(0..<12_000), fixture, bytes: 1, extra: ",\"expirytime\":\"2023-11-14T22:13:25Z\"")
    let sizes = try tickAll(fixture, at: Fixture.start + 10_000)
    #expect(sizes.count > 1)
    #expect(sizes.allSatisfy { $0 < 3 << 20 })
    #expect(fixture.counters.email.expired == 12_000)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a tick that stops in the middle of an instant goes on where it stopped, in the same order")
  func orderOverTicks() throws {
    let fixture = try Fixture()
    let now = Fixture.start + 10_000
    // The order within an instant is that of the categories, not that of the arrivals.
    try openWindows(Array((100..<500).reversed()), fixture, bytes: 15_000)
    var categories: [String] = []
    var ticks = 0
    while let due = fixture.nextDue(), due <= now {
      ticks += 1
      if ticks == 2 {
        // An abort in between changes nothing.
        fixture.pipeline.tick(now: now)
        _ = fixture.seal()
        fixture.pipeline.tick(now: now)
        fixture.pipeline.rollback()
      }
      fixture.pipeline.tick(now: now)
      fixture.pipeline.outbox.forEach { record in
        let tail = (record.value?.string ?? "").split(separator: "\"category\":\"").last ?? ""
        categories.append(String(tail.prefix(4)))
      }
      fixture.commit()
    }
    #expect(ticks > 2)
    #expect(categories == (100..<500).map { "c\($0)" })
  }

  @Test("what is due at one instant is put in order once, also where an abort puts some of it back")
  func orderedOnce() throws {
    let fixture = try Fixture { $0.tickBytes = 4_000 }
    let now = Fixture.start + 10_000
    try openWindows(Array((100..<300).reversed()), fixture, bytes: 10)
    fixture.pipeline.tick(now: now)
    let waiting = fixture.pipeline.windows.dueTogether.count
    #expect(waiting > 150 && waiting < 200)
    #expect(fixture.pipeline.windows.queue.count == 0)
    #expect(fixture.nextDue() == now)
    fixture.pipeline.rollback()
    // Those that were closed are back, and come first again; what waited waits where it was.
    #expect(fixture.pipeline.windows.dueTogether.count == waiting)
    #expect(fixture.pipeline.windows.queue.count == 200 - waiting)
    var categories: [String] = []
    while let due = fixture.nextDue(), due <= now {
      fixture.pipeline.tick(now: now)
      fixture.pipeline.outbox.forEach { record in
        let tail = (record.value?.string ?? "").split(separator: "\"category\":\"").last ?? ""
        categories.append(String(tail.prefix(4)))
      }
      fixture.commit()
    }
    #expect(categories == (100..<300).map { "c\($0)" })
    #expect(fixture.counters.difference == 0)
  }

  @Test("a window that waits at its instant and closes for an event of its own closes once")
  func closedWhileWaiting() throws {
    let fixture = try Fixture { $0.tickBytes = 1 }
    try openWindows([1, 2, 3], fixture, bytes: 10)
    let now = Fixture.start + 10_000
    fixture.pipeline.tick(now: now)
    #expect(fixture.pipeline.windows.dueTogether.count == 2)
    try fixture.apply(.event(id: "4", extra: ",\"category\":\"c3\""), now: now)
    fixture.commit()
    while let due = fixture.nextDue(), due <= now { fixture.pipeline.tick(now: now) }
    #expect(fixture.counters.email.delivered == 3)
    #expect(fixture.counters.email.open == 1)
    #expect(fixture.counters.difference == 0)
  }

  @Test("what takes an event back or was seen leaves all that is due to the ticks, however much it is")
  func dueWindowsOfOneRecipient() throws {
    let now = Fixture.start + 10_000
    for record in [
      TestRecord.event(id: "r", extra: ",\"retracts\":\"7\",\"category\":\"other\""),
      .engagement("seen", of: "ann", events: ["7"]),
    ] {
      let fixture = try Fixture(
        catalog: Fixture.catalogYAML.replacing("items: 3", with: "items: 3, skipIfSeen: true"))
      try openWindows(Array(0..<600), fixture, bytes: 15_000)
      try fixture.apply(record, now: now)
      #expect(fixture.pipeline.pendingBytes < 64 << 10)
      #expect(fixture.counters.email.retracted + (fixture.counters.email.suppressed[.seen]) == 0)
      let sizes = try tickAll(fixture, at: now)
      #expect(sizes.count > 2)
      #expect(sizes.allSatisfy { $0 < 3 << 20 })
      #expect(fixture.counters.email.delivered == 600)
      #expect(fixture.counters.difference == 0)
    }
  }

  @Test("a window that is full at the instant at which it was opened shares its id with none that follows")
  func idsOfFullWindows() throws {
    let fixture = try Fixture { $0.windowMemberLimit = 3 }
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    var windows: Set<Substring> = []
    for number in 0..<12 {
      // The clock stands: another machine's was ahead of this one's.
      let now = Fixture.start + Int64(number / 8)
      try fixture.apply(.event(id: "\(number)"), now: now)
      fixture.pipeline.tick(now: now)
    }
    fixture.pipeline.tick(now: Fixture.start + 60_000)
    var deliveries = 0
    fixture.pipeline.outbox.forEach { record in
      guard record.topic == .deliveryEmail else { return }
      deliveries += 1
      let id = (record.value?.string ?? "").split(separator: "\"id\":\"").dropFirst().first
      windows.insert(id?.prefix(32) ?? "")
    }
    #expect(deliveries > 1)
    #expect(windows.count == deliveries)
    #expect(fixture.counters.email.delivered == 12)
    #expect(fixture.counters.difference == 0)
  }

  @Test("what a fan-out sends counts as often as it is sent")
  func fanOut() throws {
    let fixture = try Fixture(partitionCount: 8)
    let names = (0..<100).map { "user\($0)" }.joined(separator: ",")
    try fixture.apply(.event(id: "1", recipients: names))
    let small = fixture.pipeline.pendingBytes
    fixture.commit()
    var record = TestRecord.event(id: "2", recipients: names)
    let filler = String(repeating: "x", count: 10_000)
    record.value = record.value?.replacing("{\"n\":1}", with: "{\"n\":\"\(filler)\"}")
    try fixture.apply(record)
    #expect(fixture.pipeline.pendingBytes - small > 100 * 9_900)
  }

  @Test("a log of commits that change nothing but the header comes to a checkpoint as well")
  func headersCount() throws {
    let fixture = try Fixture { $0.checkpointFloor = 20_000 }
    var checkpoints = 0
    for _ in 0..<300 {
      try fixture.apply(.event(id: "1"))
      if fixture.commit().endsCheckpoint { checkpoints += 1 }
    }
    #expect(checkpoints > 2)
  }

  @Test("a restore from the start of the log forgets the recipients, which are read from their topic")
  func recipientsForgotten() throws {
    let fixture = try Fixture()
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    fixture.commit()
    #expect(try fixture.restore(fixture.log))
    #expect(fixture.pipeline.recipientCount == 0)
  }
}
