import Foundation

/// A growing run of bytes that encoders append to: the one place where the data path writes.
///
/// It owns its memory and keeps the capacity over `removeAll`, so that a buffer in steady use does not allocate. One that
/// shares large memory leaves it to others with `shrink`.
/// Not thread-safe: a buffer belongs to the thread of its worker for as long as it is written.
public struct OutputBuffer: ~Copyable {
  @usableFromInline var start: UnsafeMutablePointer<UInt8>
  /// The number of bytes that the buffer can hold before it grows.
  @usableFromInline var capacity: Int
  @usableFromInline var length: Int
  /// The bytes of its memory in front of what is written.
  private var headroom = 0
  /// The day of the instant that was written last.
  @usableFromInline var day = WrittenDay()

  /// Where large memory comes from and goes to; nil for the allocator.
  private let memory: OutputMemory?

  /// An empty buffer with room for `capacity` bytes (at least 64).
  public init(capacity: Int = 1024) { self.init(capacity: capacity, memory: nil) }

  /// An empty buffer for what a batch writes: it grows large now and then, and its large memory is that of other such buffers
  /// before and after. Who goes on using it behind a batch calls `shrink`.
  public static func ofBatch() -> OutputBuffer {
    OutputBuffer(capacity: OutputMemory.smallest, memory: .shared)
  }

  init(capacity: Int, memory: OutputMemory?) {
    self.memory = memory
    let piece = Self.take(max(64, capacity), memory)
    start = piece.start
    self.capacity = piece.capacity
    length = 0
  }

  deinit { Self.give(.init(start: start - headroom, capacity: headroom + capacity), memory) }

  private static func take(_ count: Int, _ memory: OutputMemory?) -> OutputMemory.Piece {
    memory?.take(count) ?? .init(start: .allocate(capacity: count), capacity: count)
  }

  private static func give(_ piece: consuming OutputMemory.Piece, _ memory: OutputMemory?) {
    if let memory { memory.give(piece) } else { piece.start.deallocate() }
  }

  /// The number of bytes written.
  @inlinable public var count: Int { length }

  /// What was written; valid until the next append, truncation or the end of the buffer.
  @inlinable public var view: ByteView { ByteView(start: UnsafePointer(start), count: count) }

  /// Forgets what was written and keeps the memory.
  @inlinable public mutating func removeAll() { length = 0 }

  /// Forgets what was written behind the first `length` bytes; a longer length changes nothing.
  public mutating func truncate(to length: Int) { self.length = min(count, max(0, length)) }

  /// Leaves memory of more than 4 KiB to other buffers, if that is room enough for what was written.
  public mutating func shrink() {
    guard headroom + capacity > OutputMemory.smallest, headroom + count <= OutputMemory.smallest else {
      return
    }
    reallocate(to: OutputMemory.smallest - headroom)
  }

  /// Gives large memory that is shared, and that no buffer of the process has needed since the last call, back to the
  /// allocator.
  ///
  /// To be called now and then while buffers are in use, and behind that: memory falls with what is written.
  public static func releaseUnusedMemory() { OutputMemory.shared.releaseUnused() }

  /// Makes room for `additional` more bytes.
  @inlinable @inline(__always)
  public mutating func reserve(_ additional: Int) {
    if count + additional > capacity { grow(additional) }
  }

  @inline(never) @usableFromInline
  mutating func grow(_ additional: Int) {
    reallocate(to: max(headroom + capacity * 2, count + additional))
  }

  private mutating func reallocate(to newCapacity: Int) {
    let piece = Self.take(headroom + newCapacity, memory)
    let grown = piece.start + headroom
    grown.update(from: start, count: count)
    Self.give(.init(start: start - headroom, capacity: headroom + capacity), memory)
    start = grown
    capacity = piece.capacity - headroom
  }

  /// Forgets what was written, and leaves room for so many bytes in front of what comes.
  public mutating func removeAll(headroom room: Int) {
    length = 0
    let total = headroom + capacity
    start -= headroom
    headroom = min(max(0, room), total - 64)
    start += headroom
    capacity = total - headroom
  }

  /// Puts bytes in front of what was written. Where there is headroom for them, the rest stays in its place.
  public mutating func prepend(_ bytes: ByteView) {
    guard let source = bytes.start else { return }
    if bytes.count <= headroom {
      headroom -= bytes.count
      start -= bytes.count
      capacity += bytes.count
    } else {
      reserve(bytes.count)
      (start + bytes.count).update(from: start, count: count)
    }
    start.update(from: source, count: bytes.count)
    length += bytes.count
  }

  /// Appends one byte.
  @inlinable @inline(__always)
  public mutating func append(byte: UInt8) {
    reserve(1)
    start[count] = byte
    length += 1
  }

  /// Appends the bytes of a view.
  @inlinable @inline(__always)
  public mutating func append(_ bytes: ByteView) {
    guard let source = bytes.start else { return }
    reserve(bytes.count)
    (start + count).update(from: source, count: bytes.count)
    length += bytes.count
  }

  /// Appends a literal.
  @inlinable @inline(__always)
  public mutating func append(_ literal: StaticString) {
    let length = literal.utf8CodeUnitCount
    reserve(length)
    (start + count).update(from: literal.utf8Start, count: length)
    self.length += length
  }

  /// Appends text as UTF-8.
  public mutating func append(text: String) {
    text.withByteView { append($0) }
  }
}

// MARK: - Binary

extension OutputBuffer {
  /// Appends an integer in little-endian order.
  @inlinable @inline(__always)
  public mutating func append<Integer: FixedWidthInteger>(littleEndian value: Integer) {
    reserve(MemoryLayout<Integer>.size)
    UnsafeMutableRawPointer(start + count).storeBytes(of: value.littleEndian, as: Integer.self)
    length += MemoryLayout<Integer>.size
  }

  /// Appends an unsigned integer as LEB128: seven bits a byte, the lowest first.
  @inlinable @inline(__always)
  public mutating func append(varint value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      start[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      length += 1
      rest >>= 7
    }
    start[count] = UInt8(rest)
    length += 1
  }

  /// Appends a hash, its upper half first, each in little-endian order.
  @inlinable @inline(__always)
  public mutating func append(_ hash: Hash128) {
    append(littleEndian: hash.high)
    append(littleEndian: hash.low)
  }

  /// Appends the length of a view as a varint, then its bytes.
  @inlinable @inline(__always)
  public mutating func append(lengthPrefixed bytes: ByteView) {
    append(varint: UInt64(bytes.count))
    append(bytes)
  }

  /// Writes an integer over four bytes that were appended before, in little-endian order.
  ///
  /// - Parameter position: where the four bytes begin; they must have been written (otherwise nothing happens).
  public mutating func overwrite(at position: Int, littleEndian value: UInt32) {
    guard position >= 0, position + 4 <= count else { return }
    UnsafeMutableRawPointer(start + position).storeBytes(of: value.littleEndian, as: UInt32.self)
  }
}

// MARK: - JSON

extension OutputBuffer {
  /// Appends a decimal integer.
  public mutating func append(decimal value: Int64) {
    write(atMost: OutputCursor.roomForDecimal) { $0.decimal(value) }
  }

  /// Appends a hash as 32 lower-case hexadecimal digits.
  public mutating func append(hex hash: Hash128) {
    append(hex: hash.high)
    append(hex: hash.low)
  }

  /// Appends 16 lower-case hexadecimal digits.
  public mutating func append(hex value: UInt64) {
    write(atMost: 16) { $0.hex(value) }
  }

  /// Appends text as a JSON string with its quotes (RFC 8259 §7). The bytes must be UTF-8.
  public mutating func append(jsonString bytes: ByteView) {
    append(byte: UInt8(ascii: "\""))
    // In pieces: a long text is not worth six times its room.
    var position = 0
    while position < bytes.count {
      let piece = bytes.slice(position..<min(position + 4096, bytes.count))
      write(atMost: OutputCursor.room(forString: piece.count)) { $0.escaped(piece) }
      position += piece.count
    }
    append(byte: UInt8(ascii: "\""))
  }

  /// Appends text as a JSON string with its quotes (RFC 8259 §7).
  public mutating func append(jsonString text: String) {
    text.withByteView { append(jsonString: $0) }
  }

  /// Appends an instant as a JSON string in RFC 3339, UTC, with milliseconds.
  ///
  /// - Parameter milliseconds: since the epoch; years 0 to 9999 are represented, others are clamped.
  public mutating func append(jsonTime milliseconds: Int64) {
    write(atMost: OutputCursor.roomForTime) { $0.time(milliseconds) }
  }
}
