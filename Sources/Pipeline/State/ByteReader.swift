import Contract

/// Reads the binary form of state from the front; every read is bounded, and nil where the bytes end too early.
struct ByteReader {
  private let start: UnsafePointer<UInt8>?
  private let count: Int
  /// The number of bytes read.
  private(set) var position = 0

  init(_ bytes: ByteView) {
    start = bytes.start
    count = bytes.count
  }

  var isAtEnd: Bool { position >= count }

  @inline(__always)
  mutating func byte() -> UInt8? {
    guard let start, position < count else { return nil }
    let value = start[position]
    position += 1
    return value
  }

  @inline(__always)
  mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
    let size = MemoryLayout<Integer>.size
    guard let start, count - position >= size else { return nil }
    let value = UnsafeRawPointer(start + position).loadUnaligned(as: Integer.self)
    position += size
    return Integer(littleEndian: value)
  }

  @inline(__always)
  mutating func varint() -> UInt64? {
    // Most are below 128.
    guard let first = byte() else { return nil }
    return first < 0x80 ? UInt64(first) : varint(after: first)
  }

  private mutating func varint(after first: UInt8) -> UInt64? {
    var value = UInt64(first & 0x7F)
    for shift in stride(from: UInt64(7), to: 64, by: 7) {
      guard let next = byte() else { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    return nil
  }

  @inline(__always)
  mutating func hash() -> Hash128? {
    guard let high = integer(UInt64.self), let low = integer(UInt64.self) else { return nil }
    return Hash128(high: high, low: low)
  }

  /// The hash behind a byte, if that byte comes next; nothing is read otherwise.
  mutating func hash(after mark: UInt8) -> Hash128? {
    guard let start, count - position >= 17, start[position] == mark else { return nil }
    position += 1
    return hash()
  }

  @inline(__always)
  mutating func take(_ length: Int) -> ByteView? {
    guard length >= 0, count - position >= length else { return nil }
    let view = ByteView(start: start.map { $0 + position }, count: length)
    position += length
    return view
  }

  @inline(__always)
  mutating func lengthPrefixed() -> ByteView? {
    guard let length = varint(), length <= UInt64(count) else { return nil }
    return take(Int(length))
  }
}
