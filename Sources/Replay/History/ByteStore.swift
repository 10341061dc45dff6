import Contract

/// Bytes that stay where they are until the store goes: the lines of a history. They are written once, and a run of
/// bytes never crosses two blocks.
final class ByteStore {
  /// Where a run of bytes is.
  struct Extent {
    fileprivate var block: UInt32
    fileprivate var offset: UInt32
    fileprivate var count: UInt32
  }

  private static let blockBytes = 4 << 20

  private var blocks: [UnsafeMutablePointer<UInt8>] = []
  /// Bytes of the last block, and how many of them are taken.
  private var capacity = 0
  private var used = 0

  /// Bytes stored.
  private(set) var count = 0

  deinit { for block in blocks { block.deallocate() } }

  /// Copies bytes into the store; at most 4 GiB at once.
  func append(_ bytes: ByteView) -> Extent {
    if used + bytes.count > capacity || blocks.isEmpty {
      capacity = max(Self.blockBytes, bytes.count)
      used = 0
      blocks.append(.allocate(capacity: capacity))
    }
    let block = blocks.count - 1
    if let start = bytes.start { (blocks[block] + used).initialize(from: start, count: bytes.count) }
    defer {
      used += bytes.count
      count += bytes.count
    }
    return Extent(
      block: UInt32(clamping: block), offset: UInt32(clamping: used), count: UInt32(clamping: bytes.count))
  }

  /// Bytes that were stored here; valid as long as the store.
  subscript(extent: Extent) -> ByteView {
    ByteView(start: blocks[Int(extent.block)] + Int(extent.offset), count: Int(extent.count))
  }
}
