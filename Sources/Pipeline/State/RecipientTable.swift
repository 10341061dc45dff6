import CXXHash
import Contract

/// The recipients whose home is this partition: the table that their compacted topic holds.
///
/// A recipient is one piece of memory, a row, whose address the index holds: finding one takes a look at the index and
/// one at the row.
struct RecipientTable: ~Copyable {
  private var index = SlotTable<RecipientRow.Address>()

  deinit { index.forEach { RecipientRow.free($0) } }

  /// The number of recipients.
  var count: Int { index.count }

  /// What is known of a recipient; valid until the table changes.
  func find(_ key: Hash128) -> Recipient? { index.find(key).map { RecipientRow.read($0) } }

  /// Asks for the index entry of a key.
  func prefetch(_ key: Hash128) { index.prefetch(key) }

  /// Asks for the row of a key, whose index entry should be there already.
  func prefetchRow(_ key: Hash128) {
    if let address = index.find(key) { prefetch_memory(address) }
  }

  /// Sets or removes the row of a key, and hands out the one before.
  @discardableResult
  mutating func set(_ key: Hash128, _ row: consuming RecipientRow?) -> RecipientRow? {
    let before = index.find(key).map { RecipientRow(owning: $0) }
    if let row {
      if before == nil { index.insert(key, slot: row.take()) } else { index.update(key, slot: row.take()) }
    } else if before != nil {
      index.remove(key)
    }
    return before
  }

  /// The offset of the newest record; nil where there is none. It looks at all of them.
  var newestOffset: Int64? {
    var newest: Int64?
    index.forEach { newest = max(newest ?? .min, RecipientRow.read($0).offset) }
    return newest
  }

  /// Forgets everything.
  mutating func removeAll() {
    index.forEach { RecipientRow.free($0) }
    index = SlotTable()
  }
}

/// What is known of a recipient. Its view is valid until the table that it was found in changes.
struct Recipient {
  /// The profile in its stored form.
  var profile: ByteView
  /// The offset of the record in the recipients topic: the version that deliveries name.
  var offset: Int64
  /// Where the record was published first, if that was not here.
  var origin: RecordOrigin?
}

/// The memory of one recipient while no table holds it.
final class RecipientRow {
  typealias Address = UnsafeMutableRawPointer

  /// What stands before the bytes of the profile.
  private struct Head {
    var offset: Int64
    var origin: RecordOrigin?
    var profileCount: Int
  }

  private var address: Address?

  init(profile: ByteView, offset: Int64, origin: RecordOrigin?) {
    let size = MemoryLayout<Head>.stride
    let memory = Address.allocate(byteCount: size + profile.count, alignment: MemoryLayout<Head>.alignment)
    memory.storeBytes(
      of: Head(offset: offset, origin: origin, profileCount: profile.count), as: Head.self)
    if let start = profile.start { (memory + size).copyMemory(from: start, byteCount: profile.count) }
    address = memory
  }

  fileprivate init(owning address: Address) { self.address = address }

  deinit { if let address { Self.free(address) } }

  /// Hands the memory over.
  fileprivate func take() -> Address {
    guard let taken = address else { preconditionFailure("a row goes into one table, once") }
    address = nil
    return taken
  }

  fileprivate static func free(_ address: Address) { address.deallocate() }

  fileprivate static func read(_ address: Address) -> Recipient {
    let head = address.load(as: Head.self)
    let profile = UnsafeRawBufferPointer(
      start: UnsafeRawPointer(address) + MemoryLayout<Head>.stride, count: head.profileCount)
    return Recipient(profile: ByteView(profile), offset: head.offset, origin: head.origin)
  }
}
