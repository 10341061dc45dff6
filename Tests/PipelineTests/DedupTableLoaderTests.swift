import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct DedupTableLoaderTests {
  private static let horizon: Int64 = 100
  private static let start: Int64 = 28_000_000

  /// The same log read twice: one by one into a table, and by the loader.
  private struct Pair: ~Copyable {
    var table = DedupTable(horizonMinutes: DedupTableLoaderTests.horizon)
    var loader = DedupTableLoader()

    init() { loader.begin() }

    mutating func add(_ entry: DedupTable.Entry, confirmedMinute: Int64) {
      table.insert(entry, confirmedMinute: confirmedMinute)
      loader.append(entry)
    }

    mutating func replace(_ prefixes: Range<UInt32>, confirmedMinute: Int64) {
      var kept: [DedupTable.Entry] = []
      table.forEach(prefixes: prefixes, confirmedMinute: confirmedMinute) { kept.append($0) }
      table.remove(prefixes: prefixes)
      loader.remove(prefixes: prefixes)
      for entry in kept { add(entry, confirmedMinute: confirmedMinute) }
    }
  }

  private static func entries(_ table: borrowing DedupTable, at minute: Int64) -> [DedupTable.Entry] {
    var found: [DedupTable.Entry] = []
    table.forEach(prefixes: 0..<65_536, confirmedMinute: minute) { found.append($0) }
    return found
  }

  private func hash(_ number: UInt64) -> Hash128 { withUnsafeBytes(of: number) { Hash128(of: ByteView($0)) } }

  @Test(
    "a table that the loader builds holds what the same log gives one by one: repeats, slices, expiry",
    arguments: 0..<20 as Range<UInt64>)
  func againstOneByOne(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var pair = Pair()
    var minute = Self.start
    let numbers: UInt64 = Bool.random(using: &generator) ? 300 : 20_000
    for _ in 0..<Int.random(in: 1...60, using: &generator) {
      for _ in 0..<Int.random(in: 0...400, using: &generator) {
        let number = UInt64.random(in: 0..<numbers, using: &generator)
        pair.add(DedupTable.Entry(hash(number), minute: minute), confirmedMinute: minute)
      }
      minute += Int64.random(in: 0..<8, using: &generator)
      guard Int.random(in: 0..<3, using: &generator) == 0 else { continue }
      let from = UInt32.random(in: 0..<65_536, using: &generator)
      let to = UInt32.random(in: from...65_536, using: &generator)
      pair.replace(from..<to, confirmedMinute: minute)
    }
    var loaded = DedupTable(horizonMinutes: Self.horizon)
    pair.loader.fill(&loaded, confirmedMinute: minute)
    let isLoading = pair.loader.isLoading
    #expect(!isLoading)
    let found = Self.entries(loaded, at: minute)
    let expected = Self.entries(pair.table, at: minute)
    #expect(found == expected, "seed \(seed)")
    let count = loaded.count
    #expect(count == found.count, "seed \(seed): nothing that has expired is kept")
    for entry in expected.prefix(50) {
      let insertion = loaded.insert(
        Hash128(high: entry.high, low: entry.low), minute: entry.minute, confirmedMinute: minute)
      #expect(insertion == nil, "seed \(seed): it is known")
    }
  }

  @Test("a slice counts in place of what came before it, and not of what comes after")
  func slices() {
    var loader = DedupTableLoader()
    loader.begin()
    let before = DedupTable.Entry(hash(1), minute: Self.start)
    let after = DedupTable.Entry(hash(2), minute: Self.start)
    loader.append(before)
    loader.remove(prefixes: 0..<65_536)
    loader.append(after)
    var table = DedupTable(horizonMinutes: Self.horizon)
    loader.fill(&table, confirmedMinute: Self.start)
    #expect(Self.entries(table, at: Self.start) == [after])
  }

  @Test("a loader that is cancelled, or begun again, holds nothing")
  func cancel() {
    var loader = DedupTableLoader()
    loader.begin()
    loader.append(DedupTable.Entry(hash(1), minute: Self.start))
    loader.begin()
    loader.append(DedupTable.Entry(hash(2), minute: Self.start))
    let count = loader.count
    #expect(count == 1)
    loader.cancel()
    let (isLoading, rest) = (loader.isLoading, loader.count)
    #expect(!isLoading)
    #expect(rest == 0)
  }

  @Test(
    "an id costs at most 24 bytes in a table that was loaded, of any size",
    arguments: [1_000, 3_320, 7_000, 27_000, 100_000, 200_000, 850_000])
  func bytesPerID(count: UInt64) {
    var loader = DedupTableLoader()
    loader.begin()
    for number in 0..<count {
      loader.append(DedupTable.Entry(hash(number), minute: Self.start))
    }
    var table = DedupTable(horizonMinutes: 1440)
    loader.fill(&table, confirmedMinute: Self.start)
    let bytes = Double(table.residentBytes) / Double(table.count)
    #expect(bytes <= 24)
  }
}
