import Contract

/// The recipients whose home is this partition: the table that their compacted topic holds.
struct RecipientTable: ~Copyable {
  /// One recipient's record.
  struct Entry {
    var key: Hash128
    /// The profile in its stored form.
    var profile: [UInt8]
    /// The offset of the record in the recipients topic: the version that deliveries name.
    var offset: Int64
    /// Where the record was published first, if that was not here.
    var origin: RecordOrigin?
  }

  private var slots: [Entry?] = []
  private var freeSlots: [UInt32] = []
  private var index = SlotTable()

  /// The number of recipients.
  var count: Int { index.count }

  func find(_ key: Hash128) -> Entry? {
    index.find(key).flatMap { slots[Int($0)] }
  }

  /// Sets or removes the entry of a key, and returns the one before.
  @discardableResult
  mutating func set(_ key: Hash128, _ entry: Entry?) -> Entry? {
    if let slot = index.find(key) {
      let before = slots[Int(slot)]
      slots[Int(slot)] = entry
      if entry == nil {
        index.remove(key)
        freeSlots.append(slot)
      }
      return before
    }
    guard let entry else { return nil }
    if let free = freeSlots.popLast() {
      slots[Int(free)] = entry
      index.insert(key, slot: free)
    } else {
      index.insert(key, slot: UInt32(slots.count))
      slots.append(entry)
    }
    return nil
  }

  /// The offset of the newest record; nil where there is none. It looks at all of them.
  var newestOffset: Int64? { slots.lazy.compactMap { $0?.offset }.max() }

  /// Forgets everything.
  mutating func removeAll() {
    slots.removeAll()
    freeSlots.removeAll()
    index = SlotTable()
  }
}
