import Foundation

/// A growing run of bytes that encoders append to: the one place where the data path writes.
///
/// It owns its memory and keeps the capacity over `removeAll`, so that a buffer in steady use does not allocate.
/// Not thread-safe: a buffer belongs to the thread of its worker.
public struct OutputBuffer: ~Copyable {
  @usableFromInline var start: UnsafeMutablePointer<UInt8>
  /// The number of bytes that the buffer can hold before it grows.
  public private(set) var capacity: Int
  /// The number of bytes written.
  public internal(set) var count: Int

  /// An empty buffer with room for `capacity` bytes (at least 64).
  public init(capacity: Int = 1024) {
    self.capacity = max(64, capacity)
    self.start = .allocate(capacity: self.capacity)
    self.count = 0
  }

  deinit { start.deallocate() }

  /// What was written; valid until the next append, truncation or the end of the buffer.
  public var view: ByteView { ByteView(start: UnsafePointer(start), count: count) }

  /// Forgets what was written and keeps the memory.
  public mutating func removeAll() { count = 0 }

  /// Forgets what was written behind the first `length` bytes; a longer length changes nothing.
  public mutating func truncate(to length: Int) { count = min(count, max(0, length)) }

  /// Gives memory beyond `limit` back, if the buffer holds less than that.
  public mutating func shrink(to limit: Int) {
    guard capacity > limit, count <= limit else { return }
    reallocate(to: max(64, limit))
  }

  /// Makes room for `additional` more bytes.
  @inline(__always)
  public mutating func reserve(_ additional: Int) {
    if count + additional > capacity { grow(additional) }
  }

  @inline(never)
  private mutating func grow(_ additional: Int) {
    reallocate(to: max(capacity * 2, count + additional))
  }

  private mutating func reallocate(to newCapacity: Int) {
    let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
    grown.update(from: start, count: count)
    start.deallocate()
    start = grown
    capacity = newCapacity
  }

  /// Appends one byte.
  @inline(__always)
  public mutating func append(byte: UInt8) {
    reserve(1)
    start[count] = byte
    count += 1
  }

  /// Appends the bytes of a view.
  @inline(__always)
  public mutating func append(_ bytes: ByteView) {
    guard let source = bytes.start else { return }
    reserve(bytes.count)
    (start + count).update(from: source, count: bytes.count)
    count += bytes.count
  }

  /// Appends a literal.
  @inline(__always)
  public mutating func append(_ literal: StaticString) {
    let length = literal.utf8CodeUnitCount
    reserve(length)
    (start + count).update(from: literal.utf8Start, count: length)
    count += length
  }

  /// Appends text as UTF-8.
  public mutating func append(text: String) {
    text.withByteView { append($0) }
  }
}

// MARK: - Binary

extension OutputBuffer {
  /// Appends an integer in little-endian order.
  @inline(__always)
  public mutating func append<Integer: FixedWidthInteger>(littleEndian value: Integer) {
    reserve(MemoryLayout<Integer>.size)
    UnsafeMutableRawPointer(start + count).storeBytes(of: value.littleEndian, as: Integer.self)
    count += MemoryLayout<Integer>.size
  }

  /// Appends an unsigned integer as LEB128: seven bits a byte, the lowest first.
  @inline(__always)
  public mutating func append(varint value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      start[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      count += 1
      rest >>= 7
    }
    start[count] = UInt8(rest)
    count += 1
  }

  /// Appends a hash, its upper half first, each in little-endian order.
  @inline(__always)
  public mutating func append(_ hash: Hash128) {
    append(littleEndian: hash.high)
    append(littleEndian: hash.low)
  }

  /// Appends the length of a view as a varint, then its bytes.
  @inline(__always)
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
    reserve(20)
    if value < 0 { append(byte: UInt8(ascii: "-")) }
    var rest = value.magnitude
    var length = 1
    var bound = rest / 10
    while bound > 0 {
      length += 1
      bound /= 10
    }
    var index = count + length - 1
    count += length
    repeat {
      start[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      index -= 1
    } while rest > 0
  }

  /// Appends a hash as 32 lower-case hexadecimal digits.
  public mutating func append(hex hash: Hash128) {
    append(hex: hash.high)
    append(hex: hash.low)
  }

  /// Appends 16 lower-case hexadecimal digits.
  public mutating func append(hex value: UInt64) {
    reserve(16)
    let memory = UnsafeMutableRawPointer(start + count)
    memory.storeBytes(of: OutputBuffer.hexDigits(value >> 32).bigEndian, as: UInt64.self)
    memory.storeBytes(
      of: OutputBuffer.hexDigits(value & 0xFFFF_FFFF).bigEndian, toByteOffset: 8, as: UInt64.self)
    count += 16
  }

  /// The eight digits of a number of 32 bits, the first one in the highest byte: all at once, without branches.
  private static func hexDigits(_ value: UInt64) -> UInt64 {
    var nibbles = (value << 16 | value) & 0x0000_FFFF_0000_FFFF
    nibbles = (nibbles << 8 | nibbles) & 0x00FF_00FF_00FF_00FF
    nibbles = (nibbles << 4 | nibbles) & 0x0F0F_0F0F_0F0F_0F0F
    // Plus 6, a nibble from 10 on carries into the next four bits: those get the distance from "9" to "a".
    let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles + 0x3030_3030_3030_3030 + letters * 0x27
  }

  /// Appends text as a JSON string with its quotes (RFC 8259 §7). The bytes must be UTF-8.
  public mutating func append(jsonString bytes: ByteView) {
    append(byte: UInt8(ascii: "\""))
    reserve(bytes.count)
    var clean = 0
    var index = OutputBuffer.lengthWithoutEscapes(bytes, from: 0)
    while index < bytes.count {
      append(bytes.slice(clean..<index))
      append(escaped: bytes[index])
      clean = index + 1
      index = OutputBuffer.lengthWithoutEscapes(bytes, from: clean)
    }
    append(bytes.slice(clean..<bytes.count))
    append(byte: UInt8(ascii: "\""))
  }

  /// Appends text as a JSON string with its quotes (RFC 8259 §7).
  public mutating func append(jsonString text: String) {
    text.withByteView { append(jsonString: $0) }
  }

  /// Where the first byte from `first` on stands that a JSON string has to escape, or the count of the bytes.
  private static func lengthWithoutEscapes(_ bytes: ByteView, from first: Int) -> Int {
    guard let start = bytes.start else { return 0 }
    let raw = UnsafeRawPointer(start)
    var index = first
    while index + 8 <= bytes.count {
      // Eight bytes at once: the highest bit of a byte says that it is below 0x20, a quote or a backslash. A borrow
      // may mark a byte too many behind a marked one, never one too few.
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let quotes = word ^ 0x2222_2222_2222_2222
      let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
      let ones: UInt64 = 0x0101_0101_0101_0101
      let marks =
        (word &- 0x2020_2020_2020_2020) & ~word | (quotes &- ones) & ~quotes | (backslashes &- ones)
        & ~backslashes
      if marks & 0x8080_8080_8080_8080 != 0 { break }
      index += 8
    }
    while index < bytes.count {
      let byte = start[index]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C { return index }
      index += 1
    }
    return index
  }

  private mutating func append(escaped byte: UInt8) {
    append(byte: UInt8(ascii: "\\"))
    switch byte {
    case 0x22, 0x5C: append(byte: byte)
    case 0x0A: append(byte: UInt8(ascii: "n"))
    case 0x0D: append(byte: UInt8(ascii: "r"))
    case 0x09: append(byte: UInt8(ascii: "t"))
    default:
      append("u00")
      let digits: StaticString = "0123456789abcdef"
      append(byte: digits.utf8Start[Int(byte >> 4)])
      append(byte: digits.utf8Start[Int(byte & 15)])
    }
  }

  /// Appends an instant as a JSON string in RFC 3339, UTC, with milliseconds.
  ///
  /// - Parameter milliseconds: since the epoch; years 0 to 9999 are represented, others are clamped.
  public mutating func append(jsonTime milliseconds: Int64) {
    let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let (seconds, millis) = clamped.flooredQuotientAndRemainder(dividingBy: 1000)
    let (days, rest) = seconds.flooredQuotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = CivilDate.date(ofDay: days)
    append(byte: UInt8(ascii: "\""))
    append(padded: year, width: 4)
    append(byte: UInt8(ascii: "-"))
    append(padded: month, width: 2)
    append(byte: UInt8(ascii: "-"))
    append(padded: day, width: 2)
    append(byte: UInt8(ascii: "T"))
    append(padded: rest / 3600, width: 2)
    append(byte: UInt8(ascii: ":"))
    append(padded: rest / 60 % 60, width: 2)
    append(byte: UInt8(ascii: ":"))
    append(padded: rest % 60, width: 2)
    append(byte: UInt8(ascii: "."))
    append(padded: millis, width: 3)
    append("Z\"")
  }

  private mutating func append(padded value: Int64, width: Int) {
    reserve(width)
    var rest = value
    for index in stride(from: count + width - 1, through: count, by: -1) {
      start[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += width
  }
}
