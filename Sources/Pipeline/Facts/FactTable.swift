import Contract

/// The facts of a partition: an exact map from a key to a fact.
///
/// Open addressing with linear probing in 256 shards by the top byte of the key, as the ids are kept; a shard grows by
/// a quarter. A fact is 48 bytes, at most about 60 with the room between them, and a table without facts has no
/// memory at all.
///
/// Expiry is a comparison, not a removal: whoever asks says at which instant. What has expired leaves by a sweep,
/// measured by clocks that are confirmed: clocks that an abort may take back must not forget anything.
struct FactTable: ~Copyable {
  private struct Shard {
    var slots: UnsafeMutablePointer<Fact>?
    var capacity = 0
    var count = 0
  }

  private static let smallestCapacity = 4
  private static let free = Fact(rawKind: 0, key: Hash128(high: 0, low: 0), until: 0, value: FactValue())

  private var shards: UnsafeMutablePointer<Shard>?
  /// Facts in memory, those included that have expired and are not swept yet.
  private(set) var count = 0
  /// Those of them that hold for good.
  private(set) var endlessCount = 0
  private var sweepPosition = 0
  private var sweptWhole: FactClocks?
  /// How far one of the clocks has to go before all is looked through again, in milliseconds: a million facts take
  /// longer than a commit.
  static let wholeSweepDistance: Int64 = 5_000

  deinit {
    guard let shards else { return }
    for index in 0..<TopByte.count { shards[index].slots?.deallocate() }
    shards.deallocate()
  }

  /// The fact of a key, expired or not.
  func find(_ key: Hash128) -> Fact? {
    guard count > 0, let slot = slot(of: key) else { return nil }
    return slot.pointee
  }

  /// Enters a fact in place of the one of its key.
  ///
  /// - Returns: the fact that it replaced.
  @discardableResult
  mutating func set(_ fact: Fact) -> Fact? {
    if let slot = slot(of: fact.key) {
      let before = slot.pointee
      slot.pointee = fact
      endlessCount += (fact.isEndless ? 1 : 0) - (before.isEndless ? 1 : 0)
      return before
    }
    let shard = makeShards() + TopByte.of(fact.key.high)
    if (shard.pointee.count + 1) * 10 > shard.pointee.capacity * 9 {
      let capacity = max(Self.smallestCapacity, shard.pointee.capacity * 5 / 4 + 1)
      rebuild(shard, capacity: capacity) { _ in true }
    }
    Self.place(fact, in: shard)
    count += 1
    if fact.isEndless { endlessCount += 1 }
    return nil
  }

  /// Forgets the fact of a key; nothing happens where there is none.
  mutating func remove(_ key: Hash128) {
    guard let shards, let slot = slot(of: key) else { return }
    let shard = shards + TopByte.of(key.high)
    guard let slots = shard.pointee.slots else { return }
    if slot.pointee.isEndless { endlessCount -= 1 }
    // What stands behind moves up, so that no search ends at the hole.
    let capacity = shard.pointee.capacity
    var hole = slot - slots
    var next = hole
    while true {
      next = next + 1 == capacity ? 0 : next + 1
      guard slots[next].kind != 0 else { break }
      let home = Self.start(of: slots[next].key, capacity: capacity)
      if (next - home + capacity) % capacity >= (next - hole + capacity) % capacity {
        slots[hole] = slots[next]
        hole = next
      }
    }
    slots[hole] = Self.free
    shard.pointee.count -= 1
    count -= 1
  }

  /// Drops what has expired by the confirmed clocks from one shard, the next one at each call.
  mutating func sweepOne(_ confirmed: FactClocks) {
    guard count > 0, let shards else { return }
    let index = sweepPosition
    sweepPosition = (sweepPosition + 1) % TopByte.count
    sweep(shards + index, confirmed)
  }

  /// Drops all that has expired by the confirmed clocks, for a table at its bound; nothing happens where that was done
  /// less than `wholeSweepDistance` before.
  mutating func sweepAll(_ confirmed: FactClocks) {
    guard count > 0, let shards else { return }
    if let sweptWhole,
      max(confirmed.input - sweptWhole.input, confirmed.timer - sweptWhole.timer) < Self.wholeSweepDistance
    {
      return
    }
    for index in 0..<TopByte.count { sweep(shards + index, confirmed) }
    sweptWhole = confirmed
  }

  /// Forgets all facts whose top 16 bits are within `prefixes`.
  mutating func remove(prefixes: Range<UInt32>) {
    guard count > 0, let shards else { return }
    for index in TopByte.range(of: prefixes) where shards[index].count > 0 {
      let before = shards[index].count
      var endless = 0
      rebuild(shards + index, capacity: shards[index].capacity) {
        guard prefixes.contains(UInt32($0.key.high >> 48)) else { return true }
        if $0.isEndless { endless += 1 }
        return false
      }
      endlessCount -= endless
      count -= before - shards[index].count
    }
  }

  /// The facts whose top 16 bits are within `prefixes` and that hold at the confirmed clocks, in the order of their
  /// keys.
  func entries(prefixes: Range<UInt32>, _ confirmed: FactClocks) -> [Fact] {
    guard count > 0, let shards else { return [] }
    var found: [Fact] = []
    for index in TopByte.range(of: prefixes) {
      guard let slots = shards[index].slots else { continue }
      for position in 0..<shards[index].capacity where slots[position].kind != 0 {
        let fact = slots[position]
        if prefixes.contains(UInt32(fact.key.high >> 48)), fact.holds(at: confirmed) { found.append(fact) }
      }
    }
    found.sort { $0.key < $1.key }
    return found
  }

  // MARK: -

  private static func start(of key: Hash128, capacity: Int) -> Int {
    // Spread over any capacity without a division (Lemire's fast range).
    Int(key.low.multipliedFullWidth(by: UInt64(capacity)).high)
  }

  private func slot(of key: Hash128) -> UnsafeMutablePointer<Fact>? {
    guard let shard = shards.map({ $0[TopByte.of(key.high)] }), let slots = shard.slots else { return nil }
    var index = Self.start(of: key, capacity: shard.capacity)
    while slots[index].kind != 0 {
      if slots[index].key == key { return slots + index }
      index += 1
      if index == shard.capacity { index = 0 }
    }
    return nil
  }

  private static func place(_ fact: Fact, in shard: UnsafeMutablePointer<Shard>) {
    guard let slots = shard.pointee.slots else { return }
    var index = start(of: fact.key, capacity: shard.pointee.capacity)
    while slots[index].kind != 0 {
      index += 1
      if index == shard.pointee.capacity { index = 0 }
    }
    slots[index] = fact
    shard.pointee.count += 1
  }

  private mutating func makeShards() -> UnsafeMutablePointer<Shard> {
    if let shards { return shards }
    let made = UnsafeMutablePointer<Shard>.allocate(capacity: TopByte.count)
    made.initialize(repeating: Shard(), count: TopByte.count)
    shards = made
    return made
  }

  private mutating func sweep(_ shard: UnsafeMutablePointer<Shard>, _ confirmed: FactClocks) {
    guard let slots = shard.pointee.slots else { return }
    var kept = 0
    for index in 0..<shard.pointee.capacity where slots[index].kind != 0 && slots[index].holds(at: confirmed)
    {
      kept += 1
    }
    guard kept < shard.pointee.count else { return }
    count -= shard.pointee.count - kept
    rebuild(shard, capacity: kept == 0 ? 0 : max(Self.smallestCapacity, kept * 5 / 4 + 1)) {
      $0.holds(at: confirmed)
    }
  }

  /// Moves the facts that are kept into an array of `capacity` slots, which has to hold them with one to spare.
  private func rebuild(_ shard: UnsafeMutablePointer<Shard>, capacity: Int, keeping keeps: (Fact) -> Bool) {
    let old = shard.pointee
    shard.pointee = Shard()
    if capacity > 0 {
      let slots = UnsafeMutablePointer<Fact>.allocate(capacity: capacity)
      slots.initialize(repeating: Self.free, count: capacity)
      shard.pointee = Shard(slots: slots, capacity: capacity, count: 0)
    }
    if let slots = old.slots {
      for index in 0..<old.capacity where slots[index].kind != 0 && keeps(slots[index]) {
        Self.place(slots[index], in: shard)
      }
      slots.deallocate()
    }
  }
}
