import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct StateTests {
  @Test(
    "a rollback leaves no trace: state, timers, counters and output are those of the last confirmed commit",
    arguments: 0..<20 as Range<UInt64>)
  func rollback(seed: UInt64) throws {
    let fixture = try Fixture()
    var history = RandomHistory(seed: seed)
    for _ in 0..<40 {
      for _ in 0..<30 { try fixture.apply(history.next(), now: history.now) }
      fixture.pipeline.tick(now: history.now)
      fixture.commit()
      let image = fixture.image()
      let due = fixture.nextDue()
      let replay = history
      for round in 0..<2 {
        // A sealed batch and one behind it, both lost.
        for _ in 0..<25 { try fixture.apply(history.next(), now: history.now) }
        fixture.pipeline.tick(now: history.now)
        _ = fixture.seal()
        if round == 0 {
          for _ in 0..<25 { try fixture.apply(history.next(), now: history.now) }
          fixture.pipeline.tick(now: history.now + 15_000)
        }
        fixture.pipeline.rollback()
        #expect(fixture.image() == image, "seed \(seed)")
        #expect(fixture.nextDue() == due, "seed \(seed)")
        #expect(fixture.output().isEmpty)
        history = replay
      }
    }
  }

  @Test(
    "after an abort the same records give the same output as if there had been none",
    arguments: 0..<10 as Range<UInt64>)
  func replayAfterAbort(seed: UInt64) throws {
    let aborting = try Fixture()
    let straight = try Fixture()
    var history = RandomHistory(seed: seed)
    for round in 0..<30 {
      var records: [(TestRecord, Int64)] = []
      for _ in 0..<30 {
        let record = history.next()
        records.append((record, history.now))
      }
      if round % 3 == 1 {
        for (record, now) in records.dropLast(5) { try aborting.apply(record, now: now) }
        aborting.pipeline.tick(now: history.now)
        _ = aborting.seal()
        aborting.pipeline.rollback()
      }
      for fixture in [aborting, straight] {
        for (record, now) in records { try fixture.apply(record, now: now) }
        fixture.pipeline.tick(now: history.now)
      }
      #expect(aborting.output() == straight.output(), "seed \(seed)")
      aborting.commit()
      straight.commit()
      #expect(aborting.image() == straight.image(), "seed \(seed)")
    }
    #expect(aborting.log == straight.log)
  }

  @Test("the state log restores the state of its last record", arguments: 0..<10 as Range<UInt64>)
  func restore(seed: UInt64) throws {
    let fixture = try Fixture()
    var history = RandomHistory(seed: seed)
    for _ in 0..<60 {
      for _ in 0..<20 { try fixture.apply(history.next(), now: history.now) }
      fixture.pipeline.tick(now: history.now)
      fixture.commit()
    }
    let restored = try Fixture()
    #expect(try restored.restore(fixture.log))
    #expect(restored.image() == fixture.image(), "seed \(seed)")
    #expect(restored.nextDue() == fixture.nextDue())
  }

  @Test(
    "with checkpoints the log restores from any checkpoint's first slice on",
    arguments: 0..<10 as Range<UInt64>)
  func checkpoints(seed: UInt64) throws {
    let configure: (inout Pipeline.Configuration) -> Void = {
      $0.checkpointFloor = 20_000
      $0.checkpointSliceLimit = 4_000
      $0.dedupHorizon = 60_000
    }
    let fixture = try Fixture(configure: configure)
    var history = RandomHistory(seed: seed)
    var starts: [Int] = []
    var wholeStarts: [Int] = []
    for round in 0..<200 {
      for _ in 0..<20 { try fixture.apply(history.next(), now: history.now) }
      fixture.pipeline.tick(now: history.now)
      if round % 7 == 3 {
        // A slice of a commit that aborts is no slice.
        _ = fixture.seal()
        fixture.pipeline.rollback()
        continue
      }
      let commit = fixture.commit()
      if commit.startsCheckpoint { starts.append(fixture.log.count - 1) }
      if commit.endsCheckpoint, let start = starts.last { wholeStarts.append(start) }
    }
    #expect(wholeStarts.count > 2)
    for start in wholeStarts {
      let restored = try Fixture(configure: configure)
      #expect(try restored.restore(fixture.log[start...]))
      #expect(restored.image() == fixture.image(), "seed \(seed), checkpoint at \(start)")
    }
    let last = try #require(wholeStarts.last)
    #expect(throws: StateFault.noBeginning) {
      let restored = try Fixture(configure: configure)
      _ = try restored.restore(fixture.log[(last + 1)...])
    }
  }

  @Test("the record in which a checkpoint begins counts as part of the log that it leaves")
  func checkpointBeginningCounts() throws {
    let fixture = try Fixture { $0.checkpointFloor = 1_000 }
    for number in 0..<100 { try fixture.apply(.event(id: "many-\(number)")) }
    let many = fixture.commit()
    #expect(many.startsCheckpoint && many.endsCheckpoint)
    try fixture.apply(.event(id: "one"))
    let next = fixture.commit()
    #expect(next.startsCheckpoint && next.endsCheckpoint)
    try fixture.apply(.event(id: "another"))
    #expect(!fixture.commit().startsCheckpoint)
  }

  @Test("a state that was restored goes on as the one that wrote it")
  func continues() throws {
    let fixture = try Fixture()
    var history = RandomHistory(seed: 5)
    // The recipients' table is read from its topic, not from the log.
    var recipients: [(record: TestRecord, offset: Int64)] = []
    for _ in 0..<300 {
      let record = history.next()
      if record.topic == .recipients { recipients.append((record, fixture.positions[.recipients])) }
      try fixture.apply(record, now: history.now)
    }
    fixture.commit()
    let restored = try Fixture()
    _ = try restored.restore(fixture.log)
    for (record, offset) in recipients { restored.load(record, offset: offset) }
    let before = fixture.counters.email
    #expect(before.open > 0)
    for round in 0..<10 {
      for _ in 0..<20 {
        let record = history.next()
        for fixture in [fixture, restored] { try fixture.apply(record, now: history.now) }
      }
      for fixture in [fixture, restored] { fixture.pipeline.tick(now: history.now) }
      #expect(fixture.output() == restored.output(), "round \(round)")
      for fixture in [fixture, restored] { fixture.commit() }
      #expect(fixture.image() == restored.image(), "round \(round)")
    }
    #expect(fixture.counters.email.delivered > before.delivered)
  }

  @Test("a torn record, a hole, another version and a foreign partition are faults, never a fresh start")
  func faults() throws {
    let fixture = try Fixture()
    for number in 0..<4 {
      try fixture.apply(.event(id: "\(number)"))
      fixture.commit()
    }
    let restored = try Fixture()
    #expect(throws: StateFault.hole(after: 1, found: 3)) {
      _ = try restored.restore([fixture.log[0], fixture.log[2]])
    }
    for position in stride(from: 3, to: fixture.log[0].count, by: 7) {
      var torn = fixture.log[0]
      torn[position] ^= 0x10
      #expect(throws: StateFault.torn) { _ = try restored.restore([torn]) }
    }
    var other = fixture.log[0]
    other[2] = 9
    #expect(throws: StateFault.unknownVersion(9)) { _ = try restored.restore([other]) }
    #expect(throws: StateFault.notAStateRecord) { _ = try restored.restore([Array("hello".utf8)]) }
    let foreign = try Fixture(partitionCount: 4, partition: 2)
    #expect(throws: StateFault.foreignPartition(found: 0, expected: 2)) {
      _ = try foreign.restore(fixture.log)
    }
    let more = try Fixture(partitionCount: 2, partition: 0)
    #expect(throws: StateFault.partitionCountChanged(found: 1, expected: 2)) {
      _ = try more.restore(fixture.log)
    }
    #expect(throws: StateFault.noBeginning) { _ = try restored.restore([fixture.log[2], fixture.log[3]]) }
    #expect(try restored.restore([]) == false)
  }

  @Test("time alone is not work: an idle partition has nothing to commit")
  func idle() throws {
    let fixture = try Fixture()
    try fixture.apply(.event(id: "1", type: "card.due"))
    #expect(fixture.hasUncommittedWork)
    fixture.commit()
    fixture.pipeline.tick(now: Fixture.start + 60_000)
    let hasWork = fixture.hasUncommittedWork
    #expect(!hasWork)
    fixture.pipeline.advance(.events, to: 17)
    #expect(fixture.hasUncommittedWork)
  }

  @Test("a partition without a state record has one to write, before anything was applied")
  func genesis() throws {
    let fixture = try Fixture()
    #expect(fixture.hasUncommittedWork)
    fixture.commit()
    #expect(!fixture.hasUncommittedWork)
    let restored = try Fixture()
    #expect(try restored.restore(fixture.log))
    #expect(!restored.hasUncommittedWork)
  }

  @Test("recipients are loaded without counting or writing anything")
  func loading() throws {
    let fixture = try Fixture()
    fixture.commit()
    fixture.load(.recipient("ann", #"{"email":"ann@example.org"}"#), offset: 3)
    let hasWork = fixture.hasUncommittedWork
    #expect(!hasWork)
    try fixture.apply(.event(id: "1", type: "card.due"))
    #expect(fixture.output()[0].contains("\"recipientRecord\":3"))
  }
}
