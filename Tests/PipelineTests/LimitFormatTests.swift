import Contract
import Testing

@testable import Pipeline
@testable import Policy

/// The bytes of the counts that throttles and budgets keep.
@Suite struct LimitFormatTests {
  private static let file = "state-v3-limits.hex"

  private static let catalog = """
    budget:
      inapp: { limit: 3, period: 2m, overflow: { policy: digest, window: 20s } }
    types:
      card.moved:
        category: cards
        title: moved
        channels:
          inapp: { policy: immediate, throttle: { limit: 2, period: 1m, overflow: { policy: digest, window: 10s } } }
      card.due:
        category: due
        title: due
        channels:
          inapp: { policy: immediate }
    """

  private func fixture() throws -> Fixture {
    try Fixture(catalog: Self.catalog)
  }

  /// Two of a category at once, one beyond the throttle, one of another category, one beyond the budget.
  private func log() throws -> Fixture {
    let fixture = try fixture()
    for number in 1...3 {
      try fixture.apply(.event(id: "m\(number)"), now: Fixture.start + Int64(number))
    }
    fixture.commit()
    for number in 4...5 {
      try fixture.apply(.event(id: "d\(number)", type: "card.due"), now: Fixture.start + Int64(number))
    }
    fixture.commit()
    return fixture
  }

  @Test("counts of throttles and budgets are encoded today as the fixture of the version has them")
  func encoding() throws {
    let log = try log().log.map(changes)
    let kept = try StateFormatExample.fixture(Self.file).map(changes)
    #expect(log == kept)
  }

  /// The changes of a record: its header has a list of positions and one of counters, which grow.
  private func changes(_ record: [UInt8]) throws -> String {
    try record.withUnsafeBytes { bytes in
      StateFormatExample.hex(Array(try StateRecord.decode(ByteView(bytes)).changes.buffer))
    }
  }

  @Test("counts that are read from the bytes hold until the period ends in which they began")
  func restoring() throws {
    let restored = try fixture()
    #expect(try restored.restore(StateFormatExample.fixture(Self.file)))
    #expect(try restored.image() == log().image())
    var facts: [RememberedFact] = []
    restored.pipeline.forEachFact { facts.append($0) }
    let counts = facts.map { "\($0.kind) \($0.number ?? 0) until \(($0.until ?? 0) - Fixture.start)" }
    #expect(counts.sorted() == ["budget 3 until 120001", "throttle 2 until 60001"])
    #expect(restored.counters.inapp.delivered == 3)
    #expect(restored.counters.inapp.open == 2)
    restored.pipeline.tick(now: Fixture.start + 30_000)
    #expect(restored.counters.inapp.delivered == 5)
    // The throttle's period is over, the budget's is not.
    try restored.apply(.event(id: "m6"), now: Fixture.start + 60_001)
    #expect(restored.counters.inapp.open == 1)
    #expect(restored.output().contains { $0.contains("\"policy\":\"budget\"") })
    try restored.apply(.event(id: "m7"), now: Fixture.start + 120_001)
    #expect(restored.output().contains { $0.contains("\"policy\":\"immediate\"") })
    #expect(restored.counters.difference == 0)
  }
}
