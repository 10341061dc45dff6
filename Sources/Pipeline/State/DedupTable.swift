import CXXHash
import Contract

/// The notifications that a partition remembers: an exact set of hashes, each with the minute it was first seen.
///
/// An entry is 16 bytes: the hash, whose lowest 26 bits of the upper half give way to the minute (102 bits of
/// XXH3 remain: with ten million entries the chance that a lookup meets a false duplicate is 2·10⁻²⁴). The table
/// has 256 shards by the top byte of the hash. A shard is an open-addressed array with linear probing that grows
/// alone and by a quarter, so that no growth holds more than one shard twice and a live entry costs at most about
/// 22 bytes.
///
/// Expiry is a comparison, not a removal: an entry counts as long as the minute of the input clock is at most the
/// horizon ahead of it. What has expired leaves when its shard is rebuilt, measured by a clock that is confirmed:
/// a clock that an abort may take back must not forget anything.
struct DedupTable: ~Copyable {
  /// A hash with its minute.
  struct Entry: Equatable, Comparable {
    var high: UInt64
    var low: UInt64

    static let minuteMask: UInt64 = (1 << 26) - 1
    /// The field of a slot that was never used.
    static let emptyField: UInt64 = 0
    /// The field of a slot whose entry was taken back; it is free for the same hash and goes with the next rebuild.
    static let undoneField: UInt64 = 1
    /// What is added to a minute so that it differs from the two marks.
    static let fieldBase: UInt64 = 2

    init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }

    /// - Parameter minute: since 1970; 26 bits reach to the year 2097, later ones are clamped.
    init(_ hash: Hash128, minute: Int64) {
      let field = UInt64(min(max(minute, 0), Int64(Entry.minuteMask - Entry.fieldBase))) + Entry.fieldBase
      self.high = hash.high & ~Entry.minuteMask | field
      self.low = hash.low
    }

    var field: UInt64 { high & Entry.minuteMask }
    var isLive: Bool { field >= Entry.fieldBase }
    var minute: Int64 { Int64(truncatingIfNeeded: field) &- Int64(Entry.fieldBase) }
    /// The upper half without the minute.
    var identity: UInt64 { high & ~Entry.minuteMask }
    var shard: Int { Int(truncatingIfNeeded: high >> 56) }

    static func < (left: Entry, right: Entry) -> Bool {
      left.high == right.high ? left.low < right.low : left.high < right.high
    }
  }

  private struct Shard {
    var slots: UnsafeMutablePointer<Entry>?
    var capacity = 0
    /// Slots that are not empty, undone ones included.
    var used = 0
  }

  static let shardCount = 256
  private static let smallestCapacity = 8

  private let shards: UnsafeMutablePointer<Shard>
  /// Live and expired entries that are still in memory.
  private(set) var count = 0
  /// How many minutes an entry counts.
  let horizonMinutes: Int64
  private var sweepPosition = 0
  /// How many shards were to be looked at up to the last sweep, counted from the beginning of time.
  private var swept: Int64 = 0
  /// How many entries are to be loaded into each shard.
  private var reserved: [UInt32] = []

  init(horizonMinutes: Int64) {
    self.horizonMinutes = horizonMinutes
    self.shards = .allocate(capacity: Self.shardCount)
    self.shards.initialize(repeating: Shard(), count: Self.shardCount)
  }

  deinit {
    for index in 0..<Self.shardCount { TableMemory.deallocate(shards[index].slots) }
    shards.deallocate()
  }

  /// Bytes of the slots in memory.
  var residentBytes: Int {
    (0..<Self.shardCount).reduce(0) { $0 + shards[$1].capacity * MemoryLayout<Entry>.stride }
  }

  /// Asks for the memory where the hash is looked up.
  func prefetch(_ hash: Hash128) {
    let entry = Entry(hash, minute: 0)
    let shard = shards[entry.shard]
    if let slots = shard.slots { prefetch_memory(slots + Self.start(of: entry, capacity: shard.capacity)) }
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
    let slot = find(entry)
    if let slot, slot.pointee.isLive, (asked ?? minute) &- slot.pointee.minute <= horizonMinutes {
      return nil
    }
    return (entry, put(entry, at: slot, confirmedMinute))
  }

  /// Puts an entry back as it was written: a change of the state log, or a slice of a checkpoint.
  @discardableResult
  mutating func insert(_ entry: Entry, confirmedMinute: Int64) -> UInt64 {
    put(entry, at: find(entry), confirmedMinute)
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
    let shard = shards + entry.shard
    if let slot, (shard.pointee.used &+ 1) &* 10 <= shard.pointee.capacity &* 9 {
      slot.pointee = entry
      shard.pointee.used &+= 1
    } else {
      rebuild(entry.shard, confirmedMinute: confirmedMinute)
      place(entry, in: shard)
    }
    count += 1
    return Entry.emptyField
  }

  /// Says how many entries are to be loaded into each shard of an empty table, so that none grows on the way.
  mutating func reserve(_ counts: [UInt32]) { reserved = counts }

  /// Loads entries, none of which is in the table, into the room that is theirs; what has expired by the confirmed
  /// clock stays out.
  ///
  /// - Returns: false where an entry cannot be one, belongs to another slice, or finds no room.
  mutating func load(_ packed: PackedIDs, within prefixes: Range<UInt32>, confirmedMinute: Int64) -> Bool {
    for index in Self.shards(of: prefixes) where index < reserved.count {
      if shards[index].slots == nil, reserved[index] > 0 {
        allocate(shards + index, for: Int(reserved[index]))
      }
    }
    var isSound = true
    var loaded = 0
    packed.forEachEntry { entry in
      let shard = shards + entry.shard
      guard entry.isLive, prefixes.contains(UInt32(entry.high >> 48)),
        (shard.pointee.used + 1) * 10 <= shard.pointee.capacity * 9
      else { return isSound = false }
      guard confirmedMinute - entry.minute <= horizonMinutes else { return }
      place(entry, in: shard)
      loaded += 1
    }
    count += loaded
    return isSound
  }

  /// Builds a shard from entries in the order in which they were written: of several of one hash the last counts, and
  /// what has expired by the confirmed clock stays out. The shard must be empty.
  mutating func fill(shard index: Int, with entries: UnsafeBufferPointer<Entry>, confirmedMinute: Int64) {
    let shard = shards + index
    precondition(shard.pointee.used == 0, "a shard is filled once")
    let kept = entries.reduce(0) { keeps($1, confirmedMinute) ? $0 + 1 : $0 }
    guard kept > 0 else { return }
    TableMemory.deallocate(shard.pointee.slots)
    allocate(shard, for: kept)
    guard let slots = shard.pointee.slots else { return }
    let capacity = shard.pointee.capacity
    var used = 0
    for entry in entries where keeps(entry, confirmedMinute) {
      var index = Self.start(of: entry, capacity: capacity)
      while slots[index].field != Entry.emptyField {
        if slots[index].low == entry.low, slots[index].identity == entry.identity { break }
        index += 1
        if index == capacity { index = 0 }
      }
      if slots[index].field == Entry.emptyField { used += 1 }
      slots[index] = entry
    }
    shard.pointee.used = used
    count += used
  }

  /// Takes an insertion back: what it replaced counts again.
  mutating func undo(_ entry: Entry, replaced: UInt64) {
    guard let slot = find(entry), slot.pointee.field != Entry.emptyField else { return }
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
    let due = confirmedMinute &* Int64(Self.shardCount * 8) / max(1, horizonMinutes)
    guard swept < due else { return }
    swept = max(swept + 1, due - Int64(Self.shardCount) + 1)
    let index = sweepPosition
    sweepPosition = (sweepPosition + 1) % Self.shardCount
    let shard = shards[index]
    guard shard.capacity > Self.smallestCapacity, let slots = shard.slots else { return }
    var live = 0
    for slot in 0..<shard.capacity where keeps(slots[slot], confirmedMinute) { live += 1 }
    if live * 4 <= shard.used * 3 { rebuild(index, confirmedMinute: confirmedMinute) }
  }

  /// Forgets all entries whose top 16 bits are within `prefixes`.
  mutating func remove(prefixes: Range<UInt32>) {
    var kept: [Entry] = []
    for index in Self.shards(of: prefixes) {
      kept.removeAll(keepingCapacity: true)
      forEach(inShard: index) { entry in
        if !prefixes.contains(UInt32(entry.high >> 48)) { kept.append(entry) }
      }
      let shard = shards + index
      count -= liveCount(of: index) - kept.count
      // As large as it was: what is forgotten makes room for about as much, and in a smaller array entries that come
      // in the order of their hashes would lie in one long run.
      let capacity = shard.pointee.capacity
      guard capacity > 0 else { continue }
      TableMemory.deallocate(shard.pointee.slots)
      allocate(shard, capacity: capacity)
      for entry in kept { place(entry, in: shard) }
    }
  }

  /// Calls `body` with each entry whose top 16 bits are within `prefixes` and that counts at the confirmed minute,
  /// in the order of the entries.
  func forEach(prefixes: Range<UInt32>, confirmedMinute: Int64, _ body: (Entry) -> Void) {
    var found: [Entry] = []
    for index in Self.shards(of: prefixes) {
      found.removeAll(keepingCapacity: true)
      forEach(inShard: index) { entry in
        if prefixes.contains(UInt32(entry.high >> 48)), keeps(entry, confirmedMinute) { found.append(entry) }
      }
      found.sort()
      found.forEach(body)
    }
  }

  // MARK: -

  static func shards(of prefixes: Range<UInt32>) -> Range<Int> {
    prefixes.isEmpty ? 0..<0 : Int(prefixes.lowerBound >> 8)..<Int((prefixes.upperBound + 255) >> 8)
  }

  @inline(__always)
  private func keeps(_ entry: Entry, _ confirmedMinute: Int64) -> Bool {
    entry.isLive && confirmedMinute &- entry.minute <= horizonMinutes
  }

  private func liveCount(of index: Int) -> Int {
    var live = 0
    forEach(inShard: index) { _ in live += 1 }
    return live
  }

  private func forEach(inShard index: Int, _ body: (Entry) -> Void) {
    let shard = shards[index]
    guard let slots = shard.slots else { return }
    for slot in 0..<shard.capacity where slots[slot].isLive { body(slots[slot]) }
  }

  private static func start(of entry: Entry, capacity: Int) -> Int {
    // The bits below the shard's byte, spread over any capacity without a division (Lemire's fast range).
    Int(
      truncatingIfNeeded: (entry.identity << 8)
        .multipliedFullWidth(by: UInt64(truncatingIfNeeded: capacity)).high)
  }

  /// The slot of an entry of the same hash, or else the empty one where it would go; nil in a shard without slots.
  @inline(__always)
  private func find(_ entry: Entry) -> UnsafeMutablePointer<Entry>? {
    let shard = shards[entry.shard]
    guard let slots = shard.slots else { return nil }
    let end = slots + shard.capacity
    var slot = slots + Self.start(of: entry, capacity: shard.capacity)
    while slot.pointee.field != Entry.emptyField {
      if slot.pointee.low == entry.low, slot.pointee.identity == entry.identity { break }
      slot += 1
      if slot == end { slot = slots }
    }
    return slot
  }

  /// Enters an entry that is not there.
  @inline(__always)
  private func place(_ entry: Entry, in shard: UnsafeMutablePointer<Shard>) {
    guard let slots = shard.pointee.slots else { return }
    let end = slots + shard.pointee.capacity
    var slot = slots + Self.start(of: entry, capacity: shard.pointee.capacity)
    while slot.pointee.field != Entry.emptyField {
      slot += 1
      if slot == end { slot = slots }
    }
    slot.pointee = entry
    shard.pointee.used &+= 1
  }

  /// Room for `live` entries at a load of 0.72 and one more.
  private func allocate(_ shard: UnsafeMutablePointer<Shard>, for live: Int) {
    allocate(shard, capacity: max(Self.smallestCapacity, (live + 1) * 25 / 18 + 1))
  }

  private func allocate(_ shard: UnsafeMutablePointer<Shard>, capacity: Int) {
    let slots: UnsafeMutablePointer<Entry> = TableMemory.allocate(capacity: capacity)
    slots.initialize(repeating: Entry(high: 0, low: 0), count: capacity)
    shard.pointee = Shard(slots: slots, capacity: capacity, used: 0)
  }

  private mutating func rebuild(_ index: Int, confirmedMinute: Int64) {
    let shard = shards + index
    let old = shard.pointee
    var live = 0
    var kept = 0
    let slots = UnsafeBufferPointer(start: old.slots, count: old.capacity)
    for slot in 0..<old.capacity {
      live &+= slots[slot].isLive ? 1 : 0
      kept &+= keeps(slots[slot], confirmedMinute) ? 1 : 0
    }
    allocate(shard, for: kept)
    for slot in 0..<old.capacity where keeps(slots[slot], confirmedMinute) { place(slots[slot], in: shard) }
    TableMemory.deallocate(old.slots)
    count -= live - kept
  }
}
