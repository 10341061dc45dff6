import CSimdjson
import Foundation

extension ByteView {
  /// Whether the bytes are UTF-8.
  @inline(__always)
  public var isUTF8: Bool {
    isASCII || csimdjson_validate_utf8(start, count)
  }

  /// Whether every byte is ASCII: most attributes are, and need no further look.
  @inline(__always)
  var isASCII: Bool {
    guard let start, count > 0 else { return true }
    let bytes = UnsafeRawPointer(start)
    var seen: UInt64 = 0
    // The last word overlaps the one before.
    if count >= 8 {
      let last = count &- 8
      seen = bytes.loadUnaligned(as: UInt64.self)
      var index = 8
      while index < last {
        seen |= bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        index &+= 8
      }
      seen |= bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    } else if count >= 4 {
      seen = UInt64(
        bytes.loadUnaligned(as: UInt32.self)
          | bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
    } else {
      seen = UInt64(start[0] | start[count &>> 1] | start[count &- 1])
    }
    return seen & 0x8080_8080_8080_8080 == 0
  }

  /// Whether every byte is a printing ASCII character other than `/`: most parts of keys are, and need no further look.
  @inline(__always)
  var isPlainASCII: Bool {
    guard let start else { return true }
    let bytes = UnsafeRawPointer(start)
    guard count >= 8 else {
      return buffer.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    }
    // The last word overlaps the one before.
    var marks = Self.unusual(bytes.loadUnaligned(as: UInt64.self))
    let last = count &- 8
    var index = 8
    while index < last {
      marks |= Self.unusual(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index &+= 8
    }
    marks |= Self.unusual(bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self))
    return marks & 0x8080_8080_8080_8080 == 0
  }

  /// The highest bit of a byte says that it is below 0x20, `/`, or above 0x7E. A borrow may mark a byte too many behind a
  /// marked one, never one too few.
  @inline(__always)
  private static func unusual(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let slashes = (word ^ ones &* 0x2F) &- ones
    let deletes = (word ^ ones &* 0x7F) &- ones
    return word | (word &- ones &* 0x20) | slashes | deletes
  }

  /// Whether the text, which must be UTF-8, holds a control character: U+0000-001F or U+007F-009F.
  var hasControlCharacter: Bool {
    var previous: UInt8 = 0
    for byte in buffer {
      if byte < 0x20 || byte == 0x7F { return true }
      if previous == 0xC2 && byte >= 0x80 && byte <= 0x9F { return true }
      previous = byte
    }
    return false
  }

  /// Whether the byte occurs.
  func contains(_ byte: UInt8) -> Bool { firstIndex(of: byte) != nil }

  /// Where the byte occurs first.
  func firstIndex(of byte: UInt8) -> Int? {
    guard let start, count > 0, let found = memchr(start, Int32(byte), count) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(start)
  }

  /// Whether the view begins with an ASCII literal.
  @inline(__always)
  func hasPrefix(_ literal: StaticString) -> Bool {
    guard let start, count >= literal.utf8CodeUnitCount else { return literal.utf8CodeUnitCount == 0 }
    return memoryEquals(start, literal.utf8Start, literal.utf8CodeUnitCount)
  }

  /// Whether the view begins with an ASCII literal, which is given in lower case, in any case.
  func hasPrefix(ignoringCase literal: StaticString) -> Bool {
    guard count >= literal.utf8CodeUnitCount else { return false }
    return slice(0..<literal.utf8CodeUnitCount).equals(ignoringCase: literal)
  }

  /// Whether the view is an ASCII literal, which is given in lower case, in any case.
  func equals(ignoringCase literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    for index in 0..<count {
      let byte = self[index]
      let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
      if lower != literal.utf8Start[index] { return false }
    }
    return true
  }

  /// The view without spaces and tabs at both ends.
  var trimmed: ByteView {
    var lower = 0
    var upper = count
    while lower < upper, self[lower] == 0x20 || self[lower] == 0x09 { lower += 1 }
    while upper > lower, self[upper - 1] == 0x20 || self[upper - 1] == 0x09 { upper -= 1 }
    return slice(lower..<upper)
  }

  /// The text for a sentence: at most `limit` bytes of it, repaired to be UTF-8.
  func excerpt(limit: Int = 64) -> String {
    count <= limit ? string : slice(0..<limit).string + "…"
  }

  /// A view of a literal, which lives as long as the process.
  @inlinable
  public init(_ literal: StaticString) {
    self.init(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
  }
}
