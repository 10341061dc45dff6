import CXXHash
import Contract

/// An index from a 128-bit hash to a slot somewhere else, by its number or its address: windows and recipients are found
/// by it.
///
/// Open addressing with linear probing in 256 shards by the top byte of the hash, so that growth is in small steps
/// and the slice of a checkpoint walks few shards. A removal moves its successors up, so that there are no graves.
struct SlotTable<Slot: BitwiseCopyable>: ~Copyable {
  private struct Entry {
    var key: Hash128
    /// Nil where the entry is free.
    var slot: Slot?

    var isUsed: Bool { slot != nil }
  }

  private struct Shard {
    var entries: UnsafeMutablePointer<Entry>?
    var mask = 0
    var count = 0
  }

  private let shards: UnsafeMutablePointer<Shard>
  /// The number of keys.
  private(set) var count = 0

  init() {
    shards = .allocate(capacity: TopByte.count)
    shards.initialize(repeating: Shard(), count: TopByte.count)
  }

  deinit {
    for index in 0..<TopByte.count { shards[index].entries?.deallocate() }
    shards.deallocate()
  }

  /// Asks for the memory where a key is looked up.
  func prefetch(_ key: Hash128) {
    let shard = shards[TopByte.of(key.high)]
    if let entries = shard.entries { prefetch_memory(entries + Self.start(of: key, mask: shard.mask)) }
  }

  /// The slot of a key.
  func find(_ key: Hash128) -> Slot? {
    let shard = shards[TopByte.of(key.high)]
    guard let entries = shard.entries else { return nil }
    var index = Self.start(of: key, mask: shard.mask)
    while entries[index].isUsed {
      if entries[index].key == key { return entries[index].slot }
      index = (index + 1) & shard.mask
    }
    return nil
  }

  /// Enters another slot for a key that is there.
  mutating func update(_ key: Hash128, slot: Slot) {
    let shard = shards[TopByte.of(key.high)]
    guard let entries = shard.entries else { return }
    var index = Self.start(of: key, mask: shard.mask)
    while entries[index].isUsed {
      if entries[index].key == key { return entries[index].slot = slot }
      index = (index + 1) & shard.mask
    }
  }

  /// Enters a key that is not there.
  mutating func insert(_ key: Hash128, slot: Slot) {
    let shard = shards + TopByte.of(key.high)
    let capacity = shard.pointee.entries == nil ? 0 : shard.pointee.mask + 1
    if (shard.pointee.count + 1) * 4 > capacity * 3 { resize(shard, capacity: max(4, capacity * 2)) }
    place(Entry(key: key, slot: slot), in: shard)
    shard.pointee.count += 1
    count += 1
  }

  /// Makes room for as many keys in each shard as are to come, in an empty table.
  mutating func reserve(_ counts: [UInt32]) {
    for (index, count) in counts.prefix(TopByte.count).enumerated()
    where count > 0 && shards[index].entries == nil {
      var capacity = 4
      while Int(count) * 4 > capacity * 3 { capacity *= 2 }
      resize(shards + index, capacity: capacity)
    }
  }

  /// Removes a key; nothing happens where it is unknown.
  mutating func remove(_ key: Hash128) {
    let shard = shards + TopByte.of(key.high)
    guard let entries = shard.pointee.entries else { return }
    let mask = shard.pointee.mask
    var hole = Self.start(of: key, mask: mask)
    while entries[hole].isUsed, entries[hole].key != key { hole = (hole + 1) & mask }
    guard entries[hole].isUsed else { return }
    var next = (hole + 1) & mask
    while entries[next].isUsed {
      let home = Self.start(of: entries[next].key, mask: mask)
      if (next - home) & mask >= (next - hole) & mask {
        entries[hole] = entries[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    entries[hole].slot = nil
    shard.pointee.count -= 1
    count -= 1
    if mask >= 8, shard.pointee.count * 8 < mask + 1 { resize(shard, capacity: (mask + 1) / 4) }
  }

  /// The keys whose top 16 bits are within `prefixes`, with their slots, in the order of the keys.
  func entries(prefixes: Range<UInt32>) -> [(key: Hash128, slot: Slot)] {
    var found: [(key: Hash128, slot: Slot)] = []
    for index in TopByte.range(of: prefixes) {
      let shard = shards[index]
      guard let entries = shard.entries else { continue }
      for position in 0...shard.mask {
        guard let slot = entries[position].slot else { continue }
        let key = entries[position].key
        if prefixes.contains(UInt32(key.high >> 48)) { found.append((key, slot)) }
      }
    }
    found.sort { $0.key < $1.key }
    return found
  }

  /// Calls `body` with the slot of each key, in no order that means anything.
  func forEach(_ body: (Slot) -> Void) {
    for index in 0..<TopByte.count {
      guard let entries = shards[index].entries else { continue }
      for position in 0...shards[index].mask {
        if let slot = entries[position].slot { body(slot) }
      }
    }
  }

  // MARK: -

  private static func start(of key: Hash128, mask: Int) -> Int {
    Int(truncatingIfNeeded: key.low) & mask
  }

  private func place(_ entry: Entry, in shard: UnsafeMutablePointer<Shard>) {
    guard let entries = shard.pointee.entries else { return }
    var index = Self.start(of: entry.key, mask: shard.pointee.mask)
    while entries[index].isUsed { index = (index + 1) & shard.pointee.mask }
    entries[index] = entry
  }

  private func resize(_ shard: UnsafeMutablePointer<Shard>, capacity: Int) {
    let old = shard.pointee
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    entries.initialize(
      repeating: Entry(key: Hash128(high: 0, low: 0), slot: nil), count: capacity)
    shard.pointee.entries = entries
    shard.pointee.mask = capacity - 1
    guard let previous = old.entries else { return }
    for index in 0...old.mask where previous[index].isUsed { place(previous[index], in: shard) }
    previous.deallocate()
  }
}
