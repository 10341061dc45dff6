import CXXHash
import Contract

/// The recipients of one part of an audience, each once, in the order of fan-outs: by the 64-bit hash of the id, and
/// by the id where hashes are the same.
///
/// One piece of memory: a hash and the end of the id for each member, then all ids. A member takes its id and 12 bytes.
final class MemberBlock {
  private static let entryBytes = 12

  /// The number of members.
  let count: Int
  /// All its memory, in bytes.
  let byteCount: Int
  private let start: UnsafeMutableRawPointer

  /// A block of recipients in any order; repeated ones count once.
  init(_ recipients: [ByteView]) {
    var members = recipients.map { (hash: XXH3_64bits($0.start, $0.count), id: $0) }
    members.sort { $0.hash == $1.hash ? $0.id < $1.id : $0.hash < $1.hash }
    var kept = 0
    for index in members.indices {
      if kept > 0, members[kept - 1].hash == members[index].hash, members[kept - 1].id == members[index].id {
        continue
      }
      members[kept] = members[index]
      kept += 1
    }
    count = kept
    byteCount = kept * Self.entryBytes + members[..<kept].reduce(0) { $0 + $1.id.count }
    start = .allocate(byteCount: max(1, byteCount), alignment: 8)
    var end = kept * Self.entryBytes
    for index in 0..<kept {
      let (hash, id) = members[index]
      if let source = id.start { (start + end).copyMemory(from: source, byteCount: id.count) }
      end += id.count
      let entry = start + index * Self.entryBytes
      entry.storeBytes(of: hash, as: UInt64.self)
      (entry + 8).storeBytes(of: UInt32(end), as: UInt32.self)
    }
  }

  deinit { start.deallocate() }

  /// The hash of the member at an index.
  func hash(at index: Int) -> UInt64 {
    (start + index * Self.entryBytes).loadUnaligned(as: UInt64.self)
  }

  /// The id of the member at an index; valid as long as the block.
  func id(at index: Int) -> ByteView {
    let first = index == 0 ? count * Self.entryBytes : end(at: index - 1)
    return ByteView(
      start: UnsafePointer((start + first).assumingMemoryBound(to: UInt8.self)), count: end(at: index) - first
    )
  }

  /// The index of the first member whose hash is at least `hash`.
  func index(from hash: UInt64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self.hash(at: middle) < hash { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func end(at index: Int) -> Int {
    Int((start + index * Self.entryBytes + 8).loadUnaligned(as: UInt32.self))
  }
}
