import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct TableTests {
  private func hash(_ number: UInt64) -> Hash128 {
    withUnsafeBytes(of: number) { Hash128(of: ByteView($0)) }
  }

  @Test(
    "the id table agrees with a dictionary through insertions, expiry, undo and sweeps",
    arguments: 0..<5 as Range<UInt64>)
  func idsAgainstModel(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = DedupTable(horizonMinutes: 10)
    var model: [UInt64: Int64] = [:]
    var minute: Int64 = 28_000_000
    // Of the smaller number, all are in few shards.
    let numbers: UInt64 = seed % 2 == 0 ? 1_500 : 30_000
    for _ in 0..<200 {
      let confirmed = minute
      var undo: [(DedupTable.Entry, UInt64)] = []
      var before = model
      for _ in 0..<Int.random(in: 1...2_000, using: &generator) {
        let number = UInt64.random(in: 0..<numbers, using: &generator)
        let known = model[number].map { minute - $0 <= 10 } ?? false
        let insertion = table.insert(hash(number), minute: minute, confirmedMinute: confirmed)
        #expect((insertion == nil) == known, "seed \(seed)")
        guard let insertion else { continue }
        undo.append(insertion)
        model[number] = minute
      }
      if Int.random(in: 0..<3, using: &generator) == 0 {
        for (entry, replaced) in undo.reversed() { table.undo(entry, replaced: replaced) }
        swap(&model, &before)
      } else {
        minute += Int64.random(in: 0..<4, using: &generator)
        for _ in 0..<64 { table.sweepOne(confirmedMinute: confirmed) }
      }
    }
    let shards = table.shardCount
    #expect(shards == 2 || numbers > 1_500, "seed \(seed)")
    #expect(shards >= 8 || numbers < 30_000, "seed \(seed)")
    var found: [UInt64] = []
    table.forEach(prefixes: 0..<65_536, confirmedMinute: minute) { found.append($0.low) }
    let expected = model.filter { minute - $0.value <= 10 }.map { hash($0.key).low }
    #expect(found.sorted() == expected.sorted(), "seed \(seed)")
    let count = table.count
    #expect(count == Self.liveCount(table), "seed \(seed)")
  }

  /// Entries in memory, expired or not.
  private static func liveCount(_ table: borrowing DedupTable) -> Int {
    var count = 0
    table.forEach(prefixes: 0..<65_536, confirmedMinute: 0) { _ in count += 1 }
    return count
  }

  @Test(
    "shards that are cut in two leave behind what has expired or was taken back, and an abort finds the rest")
  func cut() {
    var table = DedupTable(horizonMinutes: 10)
    func insert(_ numbers: Range<UInt64>, _ minute: Int64) -> [DedupTable.Insertion] {
      numbers.compactMap { table.insert(hash($0), minute: minute, confirmedMinute: 28_000_000) }
    }
    _ = insert(0..<1_000, 27_999_980)
    let aborted = insert(1_000..<1_500, 28_000_000)
    for (entry, replaced) in aborted { table.undo(entry, replaced: replaced) }
    _ = insert(1_500..<4_000, 28_000_000)
    let last = insert(4_000..<20_000, 28_000_000)
    let shards = table.shardCount
    #expect(shards == 16 && aborted.count == 500 && last.count == 16_000)
    for (entry, replaced) in last.reversed() { table.undo(entry, replaced: replaced) }
    var found: [UInt64] = []
    table.forEach(prefixes: 0..<65_536, confirmedMinute: 0) { found.append($0.low) }
    let count = table.count
    #expect(found.sorted() == (1_500..<4_000).map { hash($0).low }.sorted())
    #expect(count == 2_500)
    #expect(insert(0..<20_000, 28_000_000).count == 17_500)
  }

  @Test(
    "slices that are loaded into the room that their counts tell give the same table, and too small counts are found",
    arguments: [1, 700, 5_000, 60_000])
  func loadedSlices(count: Int) {
    var table = DedupTable(horizonMinutes: 10)
    for number in 0..<UInt64(count) {
      _ = table.insert(hash(number), minute: 28_000_000, confirmedMinute: 28_000_000)
    }
    let slices: [Range<UInt32>] = [0..<1, 1..<300, 300..<40_000, 40_000..<65_536]
    var counts = [UInt32](repeating: 0, count: 256)
    table.forEach(prefixes: 0..<65_536, confirmedMinute: 28_000_000) { counts[TopByte.of($0.high)] += 1 }
    for areTrue in [true, false] {
      var loaded = DedupTable(horizonMinutes: 10)
      loaded.reserve(areTrue ? counts : counts.map { $0 / 2 })
      var isSound = true
      for prefixes in slices {
        var buffer = OutputBuffer(capacity: 64)
        table.forEach(prefixes: prefixes, confirmedMinute: 28_000_000) { entry in
          buffer.write(atMost: 16) { $0.hash(Hash128(high: entry.high, low: entry.low)) }
        }
        let packed = PackedIDs(bytes: buffer.view)
        isSound = loaded.load(packed, within: prefixes, confirmedMinute: 28_000_000) && isSound
      }
      #expect(isSound == areTrue)
      guard areTrue else { continue }
      var found: [[DedupTable.Entry]] = [[], []]
      table.forEach(prefixes: 0..<65_536, confirmedMinute: 28_000_000) { found[0].append($0) }
      loaded.forEach(prefixes: 0..<65_536, confirmedMinute: 28_000_000) { found[1].append($0) }
      #expect(found[0] == found[1] && found[0].count == count)
      let (bytes, loadedBytes) = (table.residentBytes, loaded.residentBytes)
      #expect(loadedBytes * 4 <= bytes * 5 + 1_024, "no more than one size of memory larger")
    }
  }

  @Test("an id costs at most 24 bytes at any size, also while the table grows")
  func bytesPerID() {
    var table = DedupTable(horizonMinutes: 1440)
    var worst = 0.0
    for number in 0..<400_000 as Range<UInt64> {
      _ = table.insert(hash(number), minute: 28_000_000, confirmedMinute: 28_000_000)
      if number >= 1_000, number % 100 == 0 {
        worst = max(worst, Double(table.residentBytes) / Double(table.count))
      }
    }
    #expect(worst <= 24, "\(worst) bytes")
  }

  @Test(
    "a slice that replaces what is in the table neither moves nor grows it: its ids find their places again")
  func slice() {
    var table = DedupTable(horizonMinutes: 10)
    for number in 0..<50_000 as Range<UInt64> {
      _ = table.insert(hash(number), minute: 28_000_000, confirmedMinute: 28_000_000)
    }
    let (bytes, count) = (table.residentBytes, table.count)
    for from in stride(from: UInt32(0), to: 65_536, by: 700) {
      let prefixes = from..<min(65_536, from + 700)
      var ids: [DedupTable.Entry] = []
      table.forEach(prefixes: prefixes, confirmedMinute: 28_000_000) { ids.append($0) }
      table.remove(prefixes: prefixes)
      for id in ids { table.insert(id, confirmedMinute: 28_000_000) }
    }
    let (bytesAfter, countAfter) = (table.residentBytes, table.count)
    #expect(bytesAfter == bytes)
    #expect(countAfter == count)
  }

  @Test("memory of expired ids comes back")
  func memoryOfExpiredIDs() {
    var table = DedupTable(horizonMinutes: 10)
    for number in 0..<100_000 as Range<UInt64> {
      _ = table.insert(hash(number), minute: 28_000_000, confirmedMinute: 28_000_000)
    }
    let full = table.residentBytes
    for _ in 0..<256 { table.sweepOne(confirmedMinute: 28_000_100) }
    let (resident, count) = (table.residentBytes, table.count)
    #expect(resident * 10 < full)
    #expect(count == 0)
  }

  @Test("all that has expired is out of memory an eighth of the horizon later, however often it is asked")
  func paceOfSweeps() {
    for calls in [3, 1_000] {
      var table = DedupTable(horizonMinutes: 1_440)
      for number in 0..<10_000 as Range<UInt64> {
        _ = table.insert(hash(number), minute: 28_000_000, confirmedMinute: 28_000_000)
      }
      for minute in 28_000_000...28_001_440 as ClosedRange<Int64> {
        for _ in 0..<calls { table.sweepOne(confirmedMinute: minute) }
      }
      let before = table.count
      #expect(before == 10_000)
      for minute in 28_001_441...28_001_440 + 181 as ClosedRange<Int64> {
        for _ in 0..<calls { table.sweepOne(confirmedMinute: minute) }
      }
      let after = table.count
      #expect(after == 0, "\(calls) calls a minute")
    }
  }

  @Test("the slot table agrees with a dictionary", arguments: 0..<5 as Range<UInt64>)
  func slotsAgainstModel(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = SlotTable<UInt32>()
    var model: [UInt64: UInt32] = [:]
    for step in 0..<20_000 as Range<UInt32> {
      let number = UInt64.random(in: 0..<2_000, using: &generator)
      let slot = table.find(hash(number))
      #expect(slot == model[number], "seed \(seed)")
      if model[number] != nil, Bool.random(using: &generator) {
        table.remove(hash(number))
        model[number] = nil
      } else if model[number] == nil {
        table.insert(hash(number), slot: step)
        model[number] = step
      }
    }
    let count = table.count
    #expect(count == model.count)
    let listed = table.entries(prefixes: 0..<65_536).map(\.slot)
    #expect(listed.sorted() == model.values.sorted())
  }

  @Test(
    "the recipients' table agrees with a dictionary, and hands out what it replaces",
    arguments: 0..<3 as Range<UInt64>)
  func recipientsAgainstModel(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = RecipientTable()
    var model: [UInt64: (offset: Int64, profile: [UInt8])] = [:]
    for offset in 0..<10_000 as Range<Int64> {
      let number = UInt64.random(in: 0..<500, using: &generator)
      let found = table.find(hash(number))
      #expect(found?.offset == model[number]?.offset, "seed \(seed)")
      #expect(found.map { Array($0.profile.buffer) } == model[number]?.profile, "seed \(seed)")
      let before: RecipientRow?
      let known = model[number]
      if Int.random(in: 0..<4, using: &generator) == 0 {
        before = table.set(hash(number), nil)
        model[number] = nil
      } else {
        let profile = [UInt8](repeating: UInt8(truncatingIfNeeded: offset), count: Int(offset % 300))
        let row = profile.withUnsafeBytes {
          RecipientRow(
            profile: ByteView($0), offset: offset, origin: RecordOrigin(partition: 1, offset: offset))
        }
        before = table.set(hash(number), row)
        model[number] = (offset, profile)
      }
      #expect((before == nil) == (known == nil), "seed \(seed)")
      // As an abort does it.
      guard Int.random(in: 0..<4, using: &generator) == 0 else { continue }
      table.set(hash(number), before)
      model[number] = known
    }
    let (count, newest) = (table.count, table.newestOffset)
    #expect(count == model.count && newest == model.values.map(\.offset).max())
  }
}
