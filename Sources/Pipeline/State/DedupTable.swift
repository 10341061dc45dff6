import CXXHash
import Contract

/// The notifications that a partition remembers: an exact set of hashes, each with the minute it was first seen.
///
/// An entry is 16 bytes: the hash, whose lowest 26 bits of the upper half give way to the minute (102 bits of
/// XXH3 remain: with ten million entries the chance that a lookup meets a false duplicate is 2·10⁻²⁴). The table
/// has shards by the highest bits of the hash. A shard is an open-addressed array with linear probing that grows
/// alone, each time into the next size of memory that the allocator has, so that no growth holds more than one shard
/// twice and a live entry costs at most about 23 bytes, or 24 where a restore brought it, and 25 where others beside it have
/// expired. Small arrays would waste more of the allocator's pages: where shards have grown to 28 KiB all of them are cut
/// in two, one after another, until there are 256; the last time that moves two hundred thousand entries at once.
///
/// Expiry is a comparison, not a removal: an entry counts as long as the minute of the input clock is at most the
/// horizon ahead of it. What has expired leaves when its shard is rebuilt, measured by a clock that is confirmed:
/// a clock that an abort may take back must not forget anything.
struct DedupTable: ~Copyable {
  /// A shard does not grow beyond as many slots while there may be more shards: 28 KiB, of which each half fits into 16.
  private static let largestCapacityOfFew = 1_792
  private static let fewestShardBits = 1
  /// A shard for each value of the top byte.
  private static let mostShardBits = 8

  private var shards: UnsafeMutablePointer<Shard>
  /// How many of the highest bits of a hash tell its shard.
  private var shardBits = DedupTable.fewestShardBits
  /// Live and expired entries that are still in memory.
  private(set) var count = 0
  /// How many minutes an entry counts.
  let horizonMinutes: Int64
  private var sweepPosition = 0
  /// How many shards were to be looked at up to the last sweep, counted from the beginning of time as if there had always
  /// been as many as now.
  private var swept: Int64 = 0
  /// How many entries are to be loaded into each shard.
  private var reserved: [Int] = []

  init(horizonMinutes: Int64) {
    self.horizonMinutes = horizonMinutes
    shards = Self.makeShards(bits: shardBits)
  }

  deinit {
    for index in 0..<(1 << shardBits) { shards[index].deallocate() }
    shards.deallocate()
  }

  /// A power of two, at most 256.
  var shardCount: Int { 1 << shardBits }

  /// Bytes of the slots in memory.
  var residentBytes: Int {
    (0..<shardCount).reduce(0) { $0 + shards[$1].capacity * MemoryLayout<Entry>.stride }
  }

  /// Asks for the memory where the hash is looked up.
  func prefetch(_ hash: Hash128) {
    let entry = Entry(hash, minute: 0)
    let shard = shard(of: entry).pointee
    if let slots = shard.slots { prefetch_memory(slots + shard.place(of: entry)) }
  }

  /// What an insertion put into the table, and the field of the entry that it replaced: `Entry.emptyField` where there
  /// was none.
  typealias Insertion = (entry: Entry, replaced: UInt64)

  /// Remembers the hash as seen first in `minute`, unless it was seen within the horizon before `asked`: in place of an
  /// expired entry of the same hash, if there is one.
  ///
  /// - Parameter asked: nil stands for `minute`.
  /// - Returns: nil where it was seen.
  mutating func insert(
    _ hash: Hash128, minute: Int64, unlessSeenBefore asked: Int64? = nil, confirmedMinute: Int64
  ) -> Insertion? {
    let entry = Entry(hash, minute: minute)
    let slot = shard(of: entry).pointee.find(entry)
    if let slot, slot.pointee.isLive, (asked ?? minute) &- slot.pointee.minute <= horizonMinutes {
      return nil
    }
    return (entry, put(entry, at: slot, confirmedMinute))
  }

  /// Puts an entry back as it was written: a change of the state log, or a slice of a checkpoint.
  @discardableResult
  mutating func insert(_ entry: Entry, confirmedMinute: Int64) -> UInt64 {
    put(entry, at: shard(of: entry).pointee.find(entry), confirmedMinute)
  }

  /// - Parameter slot: the one that `find` gave.
  @inline(__always)
  private mutating func put(
    _ entry: Entry, at slot: UnsafeMutablePointer<Entry>?, _ confirmedMinute: Int64
  ) -> UInt64 {
    if let slot, slot.pointee.field != Entry.emptyField {
      let replaced = slot.pointee.field
      if replaced < Entry.fieldBase { count += 1 }
      slot.pointee = entry
      return replaced == Entry.undoneField ? Entry.emptyField : replaced
    }
    let shard = shard(of: entry)
    if let slot, shard.pointee.hasRoom {
      shard.pointee.enter(entry, at: slot)
    } else {
      makeRoom(for: entry, confirmedMinute: confirmedMinute)
      self.shard(of: entry).pointee.insert(entry)
    }
    count += 1
    return Entry.emptyField
  }

  /// Says how many entries are to be loaded into an empty table, by the top bytes of their hashes, so that no shard grows
  /// on the way.
  mutating func reserve(_ counts: [UInt32]) {
    prepare(for: counts.reduce(0) { $0 + Int($1) })
    reserved = Array(repeating: 0, count: shardCount)
    for (byte, count) in counts.prefix(TopByte.count).enumerated() {
      reserved[byte * shardCount / TopByte.count] += Int(count)
    }
  }

  /// Makes as many shards in an empty table as so many entries want.
  mutating func prepare(for live: Int) {
    precondition(count == 0, "shards are prepared before there are entries")
    var bits = Self.fewestShardBits
    while bits < Self.mostShardBits, Shard.loadedCapacity(for: live >> bits) > Self.largestCapacityOfFew {
      bits += 1
    }
    for index in 0..<shardCount { shards[index].deallocate() }
    shards.deallocate()
    shards = Self.makeShards(bits: bits)
    (shardBits, sweepPosition, swept) = (bits, 0, 0)
  }

  /// Loads entries, none of which is in the table, into the room that is theirs; what has expired by the confirmed
  /// clock stays out.
  ///
  /// - Returns: false where an entry cannot be one, belongs to another slice, or finds no room.
  mutating func load(_ packed: PackedIDs, within prefixes: Range<UInt32>, confirmedMinute: Int64) -> Bool {
    for index in shards(of: prefixes) where index < reserved.count {
      if shards[index].slots == nil, reserved[index] > 0 {
        shards[index] = Shard(bits: shardBits, capacity: Shard.loadedCapacity(for: reserved[index]))
      }
    }
    var isSound = true
    var loaded = 0
    packed.forEachEntry { entry in
      let shard = shard(of: entry)
      guard entry.isLive, prefixes.contains(UInt32(entry.high >> 48)), shard.pointee.hasRoom else {
        return isSound = false
      }
      guard confirmedMinute - entry.minute <= horizonMinutes else { return }
      shard.pointee.insert(entry)
      loaded += 1
    }
    count += loaded
    return isSound
  }

  /// The top bytes of the hashes that a shard has.
  func topBytes(ofShard index: Int) -> Range<Int> {
    let width = TopByte.count / shardCount
    return index * width..<(index + 1) * width
  }

  /// Builds a shard from entries in the order in which they were written: of several of one hash the last counts, and
  /// what has expired by the confirmed clock stays out. The shard must be empty.
  ///
  /// - Parameter entries: those of a top byte.
  mutating func fill(
    shard index: Int, confirmedMinute: Int64, _ entries: (_ topByte: Int) -> UnsafeBufferPointer<Entry>
  ) {
    let shard = shards + index
    precondition(shard.pointee.used == 0, "a shard is filled once")
    let topBytes = topBytes(ofShard: index)
    var kept = 0
    for byte in topBytes { for entry in entries(byte) where keeps(entry, confirmedMinute) { kept += 1 } }
    guard kept > 0 else { return }
    shard.pointee.deallocate()
    shard.pointee = Shard(bits: shardBits, capacity: Shard.loadedCapacity(for: kept))
    for byte in topBytes {
      for entry in entries(byte) where keeps(entry, confirmedMinute) {
        guard let slot = shard.pointee.find(entry) else { continue }
        if slot.pointee.field == Entry.emptyField {
          shard.pointee.enter(entry, at: slot)
        } else {
          slot.pointee = entry
        }
      }
    }
    count += shard.pointee.used
  }

  /// Takes an insertion back: what it replaced counts again.
  mutating func undo(_ entry: Entry, replaced: UInt64) {
    guard let slot = shard(of: entry).pointee.find(entry), slot.pointee.field != Entry.emptyField else {
      return
    }
    if replaced >= Entry.fieldBase {
      slot.pointee.high = entry.identity | replaced
    } else {
      slot.pointee.high = entry.identity | Entry.undoneField
      count -= 1
    }
  }

  /// Rebuilds one shard without what has expired by the confirmed clock, the next shard at each call, if at least
  /// a quarter of its entries have. A call does nothing where all were looked at within the last eighth of the horizon:
  /// commits come far more often than ids expire, and to look at a shard of a large table takes its time.
  mutating func sweepOne(confirmedMinute: Int64) {
    let due = confirmedMinute &* Int64(shardCount * 8) / max(1, horizonMinutes)
    guard swept < due else { return }
    swept = max(swept + 1, due - Int64(shardCount) + 1)
    let index = sweepPosition
    sweepPosition = (sweepPosition + 1) % shardCount
    let shard = shards[index]
    guard shard.capacity > Shard.smallestCapacity else { return }
    let kept = keptCount(of: shard, confirmedMinute)
    if kept * 4 <= shard.used * 3 { rebuild(index, for: kept, confirmedMinute: confirmedMinute) }
  }

  /// Forgets all entries whose top 16 bits are within `prefixes`.
  mutating func remove(prefixes: Range<UInt32>) {
    var kept: [Entry] = []
    for index in shards(of: prefixes) {
      kept.removeAll(keepingCapacity: true)
      shards[index].forEach(within: own(index), of: own(index)) { entry in
        if prefixes.contains(UInt32(entry.high >> 48)) { count -= 1 } else { kept.append(entry) }
      }
      let shard = shards + index
      // As large as it was: what is forgotten makes room for about as much, and in a smaller array entries that come
      // in the order of their hashes would lie in one long run.
      let capacity = shard.pointee.capacity
      guard capacity > 0 else { continue }
      shard.pointee.deallocate()
      shard.pointee = Shard(bits: shardBits, capacity: capacity)
      for entry in kept { shard.pointee.insert(entry) }
    }
  }

  /// Calls `body` with each entry whose top 16 bits are within `prefixes` and that counts at the confirmed minute,
  /// in the order of the entries.
  func forEach(prefixes: Range<UInt32>, confirmedMinute: Int64, _ body: (Entry) -> Void) {
    var found: [Entry] = []
    for index in shards(of: prefixes) {
      found.removeAll(keepingCapacity: true)
      shards[index].forEach(within: prefixes, of: own(index)) { entry in
        if keeps(entry, confirmedMinute) { found.append(entry) }
      }
      found.sort()
      found.forEach(body)
    }
  }

  // MARK: -

  private static func makeShards(bits: Int) -> UnsafeMutablePointer<Shard> {
    let shards = UnsafeMutablePointer<Shard>.allocate(capacity: 1 << bits)
    shards.initialize(repeating: Shard(bits: bits), count: 1 << bits)
    return shards
  }

  @inline(__always)
  private func shard(of entry: Entry) -> UnsafeMutablePointer<Shard> {
    shards + Int(truncatingIfNeeded: entry.high &>> UInt64(truncatingIfNeeded: 64 &- shardBits))
  }

  private func shards(of prefixes: Range<UInt32>) -> Range<Int> {
    guard let last = prefixes.last else { return 0..<0 }
    return Int(prefixes.lowerBound) >> (16 - shardBits)..<(Int(last) >> (16 - shardBits)) + 1
  }

  @inline(__always)
  private func keeps(_ entry: Entry, _ confirmedMinute: Int64) -> Bool {
    entry.isLive && confirmedMinute &- entry.minute <= horizonMinutes
  }

  /// The top 16 bits of the hashes that a shard has.
  private func own(_ index: Int) -> Range<UInt32> {
    let width: UInt32 = 65_536 >> UInt32(shardBits)
    let first = UInt32(index) * width
    return first..<first + width
  }

  /// Builds the shard of the entry anew, or all of them where it has become too large for their number: then it has room
  /// for the entry.
  private mutating func makeRoom(for entry: Entry, confirmedMinute: Int64) {
    let index = shards.distance(to: shard(of: entry))
    let kept = keptCount(of: shards[index], confirmedMinute)
    if shardBits < Self.mostShardBits, Shard.growingCapacity(for: kept) > Self.largestCapacityOfFew {
      cutInTwo(confirmedMinute: confirmedMinute)
    } else {
      rebuild(index, for: kept, confirmedMinute: confirmedMinute)
    }
  }

  private func keptCount(of shard: Shard, _ confirmedMinute: Int64) -> Int {
    guard let slots = shard.slots else { return 0 }
    var kept = 0
    for slot in 0..<shard.capacity { kept &+= keeps(slots[slot], confirmedMinute) ? 1 : 0 }
    return kept
  }

  /// - Parameter kept: how many of its entries have not expired.
  private mutating func rebuild(_ index: Int, for kept: Int, confirmedMinute: Int64) {
    let shard = shards + index
    let old = shard.pointee
    shard.pointee = Shard(bits: shardBits, capacity: Shard.growingCapacity(for: kept))
    move(old, confirmedMinute) { _ in shard }
  }

  /// Twice as many shards, each of half the entries.
  private mutating func cutInTwo(confirmedMinute: Int64) {
    let (old, oldCount) = (shards, shardCount)
    shardBits += 1
    shards = Self.makeShards(bits: shardBits)
    (sweepPosition, swept) = (sweepPosition * 2, swept * 2)
    let half = UInt64(1) << UInt64(64 - shardBits)
    for index in 0..<oldCount {
      let shard = old[index]
      guard let slots = shard.slots else { continue }
      let (lower, upper) = (shards + 2 * index, shards + 2 * index + 1)
      var (kept, above) = (0, 0)
      for slot in 0..<shard.capacity where keeps(slots[slot], confirmedMinute) {
        kept += 1
        above += slots[slot].high & half == 0 ? 0 : 1
      }
      lower.pointee = Shard(bits: shardBits, capacity: Shard.growingCapacity(for: kept - above))
      upper.pointee = Shard(bits: shardBits, capacity: Shard.growingCapacity(for: above))
      move(shard, confirmedMinute) { $0.high & half == 0 ? lower : upper }
    }
    old.deallocate()
  }

  /// Moves what has not expired to its places, and gives the memory of a shard back.
  @inline(__always)
  private mutating func move(
    _ old: Shard, _ confirmedMinute: Int64, to shard: (Entry) -> UnsafeMutablePointer<Shard>
  ) {
    guard let slots = old.slots else { return }
    for slot in 0..<old.capacity {
      let entry = slots[slot]
      if keeps(entry, confirmedMinute) {
        shard(entry).pointee.insert(entry)
      } else if entry.isLive {
        count -= 1
      }
    }
    old.deallocate()
  }
}
