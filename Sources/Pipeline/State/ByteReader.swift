import Contract

/// Reads the binary form of state from the front; every read is bounded, and nil where the bytes end too early.
struct ByteReader {
  private let bytes: ByteView
  /// The number of bytes read.
  private(set) var position = 0

  init(_ bytes: ByteView) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
    let size = MemoryLayout<Integer>.size
    guard let start = bytes.start, bytes.count - position >= size else { return nil }
    defer { position += size }
    return Integer(littleEndian: UnsafeRawPointer(start + position).loadUnaligned(as: Integer.self))
  }

  @inline(__always)
  mutating func varint() -> UInt64? {
    // Most lengths are below 128.
    guard position < bytes.count, bytes[position] >= 0x80 else { return byte().map { UInt64($0) } }
    return longVarint()
  }

  private mutating func longVarint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let next = byte() else { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    return nil
  }

  mutating func hash() -> Hash128? {
    guard let high = integer(UInt64.self), let low = integer(UInt64.self) else { return nil }
    return Hash128(high: high, low: low)
  }

  /// The hash behind a byte, if that byte comes next; nothing is read otherwise.
  mutating func hash(after mark: UInt8) -> Hash128? {
    guard bytes.count - position >= 17, bytes[position] == mark else { return nil }
    position += 1
    return hash()
  }

  mutating func take(_ count: Int) -> ByteView? {
    guard count >= 0, bytes.count - position >= count else { return nil }
    defer { position += count }
    return ByteView(start: bytes.start.map { $0 + position }, count: count)
  }

  mutating func lengthPrefixed() -> ByteView? {
    guard let count = varint(), count <= UInt64(bytes.count) else { return nil }
    return take(Int(count))
  }
}
