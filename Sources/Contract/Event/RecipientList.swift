import CXXHash

/// The distinct entries of a `recipients` attribute, in memory that is reused for every event.
struct RecipientList: ~Copyable {
  private let limit: Int
  private let entries: UnsafeMutablePointer<ByteView>
  /// Positions in `entries` plus one by hash, open addressing; 0 is free.
  private let slots: UnsafeMutablePointer<UInt32>
  private let slotMask: Int
  private(set) var count = 0

  init(limit: Int) {
    self.limit = min(max(1, limit), 1 << 20)
    var size = 16
    while size < self.limit * 2 { size *= 2 }
    slotMask = size - 1
    entries = .allocate(capacity: self.limit)
    slots = .allocate(capacity: size)
  }

  deinit {
    entries.deallocate()
    slots.deallocate()
  }

  var view: UnsafeBufferPointer<ByteView> { UnsafeBufferPointer(start: entries, count: count) }

  mutating func removeAll() { count = 0 }

  mutating func setSingle(_ recipient: ByteView) {
    entries.initialize(to: recipient)
    count = 1
  }

  /// Takes the entries of a comma-separated list exactly as they stand; a repeated one counts once.
  mutating func setList(_ list: ByteView) throws(Rejection) {
    count = 0
    var number = 1
    for byte in list.buffer where byte == UInt8(ascii: ",") { number += 1 }
    if number > limit {
      throw Rejection(
        .tooManyRecipients,
        "\"recipients\" names \(number), and at most \(limit) are allowed: split the event, with an id for each part."
      )
    }
    let usesTable = number > 16
    if usesTable { slots.initialize(repeating: 0, count: slotMask + 1) }
    var start = 0
    for position in 0..<number {
      let rest = list.slice(start..<list.count)
      let length = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
      let entry = rest.slice(0..<length)
      start += length + 1
      if entry.isEmpty {
        throw Rejection(.emptyRecipient, "Entry \(position + 1) of \"recipients\" is empty.")
      }
      if usesTable ? insert(entry) : !view.contains(entry) {
        (entries + count).initialize(to: entry)
        count += 1
      }
    }
  }

  /// Whether the entry was not there yet; notes that it will be the next one.
  private func insert(_ entry: ByteView) -> Bool {
    var slot = Int(truncatingIfNeeded: XXH3_64bits(entry.start, entry.count)) & slotMask
    while slots[slot] != 0 {
      if entries[Int(slots[slot]) - 1] == entry { return false }
      slot = (slot + 1) & slotMask
    }
    slots[slot] = UInt32(count + 1)
    return true
  }
}
