import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct FactTests {
  private static let start = Fixture.start

  private static func key(_ number: Int) -> Hash128 {
    withUnsafeBytes(of: number.littleEndian) { Hash128(of: ByteView($0)) }
  }

  private static func fact(_ number: Int, until: Int64, _ value: UInt64 = 0) -> Fact {
    Fact(.retraction, key: key(number), until: until, value: FactValue(value))
  }

  private static func clocks(_ instant: Int64) -> FactClocks { FactClocks(input: instant, timer: instant) }

  @Test(
    "the table holds what a dictionary holds, through additions, removals and sweeps",
    arguments: 0..<8 as Range<UInt64>)
  func table(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var table = FactTable()
    var model: [Hash128: Fact] = [:]
    var now = Self.start
    // Few shards, so that they grow and shrink, and hashes that meet in one slot.
    func randomKey() -> Hash128 {
      let high = UInt64.random(in: 0..<3, using: &generator) << 56
      return Hash128(high: high | 1, low: UInt64.random(in: 0..<200, using: &generator) << 54)
    }
    for _ in 0..<6_000 {
      let key = randomKey()
      // What is not found was swept, or never there.
      let known = table.find(key)
      #expect(known == model[key] || known == nil && model[key]?.holds(at: Self.clocks(now)) != true)
      if known == nil { model[key] = nil }
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<6:
        let fact = Fact(
          .retraction, key: key, until: now + Int64.random(in: 1..<3_000, using: &generator),
          value: FactValue(UInt64.random(in: 0..<9, using: &generator)))
        let before = table.set(fact)
        #expect(before == known)
        model[key] = fact
      case 6..<8:
        table.remove(key)
        model[key] = nil
      default:
        now += 20
        table.sweepOne(Self.clocks(now))
      }
    }
    let live = model.values.filter { $0.holds(at: Self.clocks(now)) }.sorted { $0.key < $1.key }
    #expect(table.entries(prefixes: 0..<65_536, Self.clocks(now)) == live, "seed \(seed)")
    #expect(live.count > 50)
    table.sweepAll(Self.clocks(now))
    #expect(table.count == live.count)
    table.remove(prefixes: 0..<256)
    #expect(table.count == live.filter { $0.key.high >> 56 > 0 }.count)
    table.sweepAll(Self.clocks(now + 10_000))
    #expect(table.count == 0)
  }

  @Test("a fact holds until its instant, by the clock of its kind, and no longer")
  func expiry() throws {
    let fixture = try Fixture()
    let byInput = Self.fact(1, until: 2_000)
    let byTimer = Fact(rawKind: 1, key: Self.key(2), until: 2_000, value: FactValue())
    fixture.pipeline.remember(byInput)
    fixture.pipeline.remember(byTimer)
    let before = FactClocks(input: 1_999, timer: 2_000)
    let isThere = fixture.pipeline.fact(byInput.key, at: before)
    #expect(isThere == byInput)
    let isGone = fixture.pipeline.fact(byTimer.key, at: before)
    #expect(isGone == nil)
    let other = FactClocks(input: 2_000, timer: 1_999)
    let isThereStill = fixture.pipeline.fact(byTimer.key, at: other)
    #expect(isThereStill == byTimer)
    let isGoneAsWell = fixture.pipeline.fact(byInput.key, at: other)
    #expect(isGoneAsWell == nil)
  }

  @Test(
    "facts survive aborts, checkpoints, restores and snapshots as ids and windows do",
    arguments: 0..<8 as Range<UInt64>)
  func survival(seed: UInt64) throws {
    let configure: (inout Pipeline.Configuration) -> Void = {
      $0.checkpointFloor = 6_000
      $0.checkpointSliceLimit = 1_000
    }
    let fixture = try Fixture(configure: configure)
    var generator = SeededGenerator(seed: seed)
    var history = RandomHistory(seed: seed)
    var model: [Hash128: Fact] = [:]
    var starts: [Int] = []
    var wholeStarts: [Int] = []
    func batch(_ model: inout [Hash128: Fact]) throws {
      for _ in 0..<20 {
        try fixture.apply(history.next(), now: history.now)
        guard Bool.random(using: &generator) else { continue }
        let until = history.now + Int64.random(in: 500..<60_000, using: &generator)
        let fact = Self.fact(Int.random(in: 0..<80, using: &generator), until: until, UInt64(history.sent))
        let isRemembered = fixture.pipeline.remember(fact)
        #expect(isRemembered)
        model[fact.key] = fact
      }
    }
    for round in 0..<120 {
      var changed = model
      let image = round > 0 ? fixture.image() : []
      try batch(&changed)
      if round % 5 == 2 {
        _ = fixture.seal()
        try batch(&changed)
        fixture.pipeline.rollback()
        #expect(fixture.image() == image, "seed \(seed), round \(round)")
        continue
      }
      let commit = fixture.commit()
      model = changed
      if commit.startsCheckpoint { starts.append(fixture.log.count - 1) }
      if commit.endsCheckpoint, let start = starts.last { wholeStarts.append(start) }
    }
    fixture.commit()
    let clocks = fixture.pipeline.confirmedClocks
    let live = model.values.filter { $0.holds(at: clocks) }.sorted { $0.key < $1.key }
    #expect(fixture.pipeline.facts.entries(prefixes: 0..<65_536, clocks) == live, "seed \(seed)")
    #expect(live.count > 10 && live.count < model.count, "seed \(seed)")
    #expect(wholeStarts.count > 2)
    for start in [0] + wholeStarts {
      let restored = try Fixture(configure: configure)
      #expect(try restored.restore(fixture.log[start...]))
      #expect(restored.image() == fixture.image(), "seed \(seed), from \(start)")
      #expect(restored.pipeline.facts.entries(prefixes: 0..<65_536, clocks) == live)
    }
    var seen: [RememberedFact] = []
    fixture.pipeline.forEachFact { seen.append($0) }
    #expect(seen == live.map { RememberedFact($0) })
  }

  @Test("an aborted fact leaves what it replaced")
  func undo() throws {
    let fixture = try Fixture()
    fixture.pipeline.remember(Self.fact(1, until: Self.start + 1_000, 1))
    fixture.commit()
    let image = fixture.image()
    fixture.pipeline.remember(Self.fact(1, until: Self.start + 9_000, 2))
    fixture.pipeline.remember(Self.fact(2, until: Self.start + 9_000))
    fixture.pipeline.remember(Self.fact(1, until: Self.start + 9_000, 3))
    #expect(fixture.image() != image)
    #expect(fixture.hasUncommittedWork)
    fixture.pipeline.rollback()
    #expect(fixture.image() == image)
    #expect(fixture.pipeline.factCount == 1)
  }

  @Test("a sweep forgets by the confirmed clocks alone, and memory goes with what it forgets")
  func sweep() throws {
    let fixture = try Fixture()
    for number in 0..<2_000 { fixture.pipeline.remember(Self.fact(number, until: Self.start + 1_000)) }
    fixture.commit()
    // The input clock goes on, but no commit holds it yet.
    try fixture.apply(.event(id: "1", appended: Self.start + 5_000))
    fixture.pipeline.facts.sweepAll(fixture.pipeline.confirmedClocks)
    #expect(fixture.pipeline.factCount == 2_000)
    for _ in 0..<257 { fixture.commit() }
    #expect(fixture.pipeline.factCount == 0)
  }

  @Test("a table at its bound is not looked through for what has expired more than once in some seconds")
  func sweptSeldom() {
    var table = FactTable()
    for number in 0..<100 { table.set(Self.fact(number, until: Self.start + 1_000)) }
    table.sweepAll(Self.clocks(Self.start))
    table.sweepAll(Self.clocks(Self.start + 4_999))
    #expect(table.count == 100)
    // Either clock counts.
    table.sweepAll(FactClocks(input: Self.start + 4_999, timer: Self.start + 5_000))
    #expect(table.count == 0)
  }

  @Test("what holds for good takes no room of what ends, nor the other way round")
  func rooms() throws {
    let fixture = try Fixture { $0.factLimit = 10 }
    for number in 0..<12 { fixture.pipeline.remember(Self.fact(number, until: Int64.max)) }
    #expect(fixture.pipeline.factCount == 10)
    for number in 20..<32 { fixture.pipeline.remember(Self.fact(number, until: Self.start + 1_000)) }
    #expect(fixture.pipeline.factCount == 20)
    #expect(fixture.counters.factsRefused == 4)
    fixture.commit()
    // Room is free again after an abort, a change from one sort to the other, and a sweep.
    fixture.pipeline.remember(Self.fact(0, until: Self.start + 1_000))
    fixture.pipeline.rollback()
    let isRefused = !fixture.pipeline.remember(Self.fact(12, until: Int64.max))
    #expect(isRefused)
    fixture.pipeline.remember(Self.fact(0, until: Self.start + 1_000))
    let isKept = fixture.pipeline.remember(Self.fact(12, until: Int64.max))
    #expect(isKept)
    try fixture.apply(.event(id: "1", appended: Self.start + 5_000))
    fixture.commit()
    let hasRoom = fixture.pipeline.remember(Self.fact(40, until: Self.start + 9_000))
    #expect(hasRoom)
  }

  @Test("at the bound a fact is refused and counted, unless what has expired makes room")
  func bound() throws {
    let fixture = try Fixture { $0.factLimit = 10 }
    for number in 0..<10 { fixture.pipeline.remember(Self.fact(number, until: Self.start + 1_000)) }
    let isRefused = !fixture.pipeline.remember(Self.fact(10, until: Self.start + 1_000))
    #expect(isRefused)
    #expect(fixture.counters.factsRefused == 1)
    #expect(fixture.pipeline.factCount == 10)
    let isKept = fixture.pipeline.remember(Self.fact(3, until: Self.start + 2_000))
    #expect(isKept, "what is known already needs no room")
    for number in 20..<40 { fixture.pipeline.remember(Self.fact(number, until: Int64.max)) }
    #expect(fixture.pipeline.factCount == 20)
    #expect(fixture.counters.factsRefused == 11)
    fixture.commit()
    try fixture.apply(.event(id: "1", appended: Self.start + 5_000))
    fixture.commit()
    let hasRoom = fixture.pipeline.remember(Self.fact(50, until: Self.start + 9_000))
    #expect(hasRoom)
    #expect(fixture.counters.factsRefused == 11)
    let restored = try Fixture { $0.factLimit = 10 }
    fixture.commit()
    #expect(try restored.restore(fixture.log))
    #expect(restored.counters.factsRefused == 11)
    #expect(restored.image() == fixture.image())
  }
}
