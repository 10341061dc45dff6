extension DedupTable {
  /// An open-addressed array with linear probing.
  ///
  /// Places are in the order of the hashes, so that a part of them is found without the rest, and what is moved from one
  /// array to another is read and written in order.
  struct Shard {
    private(set) var slots: UnsafeMutablePointer<Entry>?
    private(set) var capacity = 0
    /// Slots that are not empty, undone ones included.
    private(set) var used = 0
    /// How many of the highest bits are the same in all hashes here.
    private let bits: Int

    static let smallestCapacity = 8

    /// Without memory.
    init(bits: Int) { self.bits = bits }

    /// With that many slots, none of them used.
    init(bits: Int, capacity: Int) {
      let slots: UnsafeMutablePointer<Entry> = TableMemory.allocate(capacity: capacity)
      slots.initialize(repeating: Entry(high: 0, low: 0), count: capacity)
      (self.bits, self.slots, self.capacity) = (bits, slots, capacity)
    }

    /// Slots for `live` entries that will be more: at most four fifths of them are used, where there are many. So a full
    /// shard of which nothing has expired goes into the next size of memory, which is larger by a seventh to a quarter.
    static func growingCapacity(for live: Int) -> Int { capacity(atLeast: live * 5 / 4 + 2) }

    /// Slots for as many entries as a restore brings: at most five sixths of them are used, where there are many.
    static func loadedCapacity(for live: Int) -> Int { capacity(atLeast: live * 6 / 5 + 2) }

    private static func capacity(atLeast capacity: Int) -> Int {
      TableMemory.wholeCapacity(max(smallestCapacity, capacity), of: Entry.self)
    }

    func deallocate() { TableMemory.deallocate(slots) }

    /// Whether another entry may come. At seven eighths a shard is built anew: a search for what is not there passes sixteen
    /// entries on average over all loads, and thirty-two at that one.
    var hasRoom: Bool {
      @inline(__always) get { (used &+ 1) &* 8 <= capacity &* 7 }
    }

    /// Where an entry is, or behind it with no empty slot between.
    @inline(__always)
    func place(of entry: Entry) -> Int {
      // The bits below those of the shard, spread over any capacity without a division (Lemire's fast range).
      Int(
        truncatingIfNeeded: (entry.identity &<< UInt64(truncatingIfNeeded: bits))
          .multipliedFullWidth(by: UInt64(truncatingIfNeeded: capacity)).high)
    }

    /// The slot of an entry of the same hash, or else the empty one where it would go; nil in a shard without slots.
    @inline(__always)
    func find(_ entry: Entry) -> UnsafeMutablePointer<Entry>? {
      guard let slots else { return nil }
      let end = slots + capacity
      var slot = slots + place(of: entry)
      while slot.pointee.field != Entry.emptyField {
        if slot.pointee.low == entry.low, slot.pointee.identity == entry.identity { break }
        slot += 1
        if slot == end { slot = slots }
      }
      return slot
    }

    /// Enters an entry in the empty slot that `find` gave.
    @inline(__always)
    mutating func enter(_ entry: Entry, at slot: UnsafeMutablePointer<Entry>) {
      slot.pointee = entry
      used &+= 1
    }

    /// Enters an entry that is not there.
    @inline(__always)
    mutating func insert(_ entry: Entry) {
      guard let slots else { return }
      let end = slots + capacity
      var slot = slots + place(of: entry)
      while slot.pointee.field != Entry.emptyField {
        slot += 1
        if slot == end { slot = slots }
      }
      enter(entry, at: slot)
    }

    /// Calls `body` with each live entry whose top 16 bits are within `prefixes`.
    func forEach(within prefixes: Range<UInt32>, of own: Range<UInt32>, _ body: (Entry) -> Void) {
      guard let slots else { return }
      let part = prefixes.clamped(to: own)
      func place(_ prefix: UInt32) -> Int { self.place(of: Entry(high: UInt64(prefix) << 48, low: 0)) }
      var slot = place(part.lowerBound)
      let places = (part.upperBound == own.upperBound ? capacity : place(part.upperBound)) - slot
      for passed in 0..<capacity {
        let entry = slots[slot]
        // Behind the last place, an empty slot is the end of all entries that belong before it.
        if passed >= places, entry.field == Entry.emptyField { return }
        if entry.isLive, part.contains(UInt32(entry.high >> 48)) { body(entry) }
        slot += 1
        if slot == capacity { slot = 0 }
      }
    }
  }
}
