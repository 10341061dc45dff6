/// Writes into room that an `OutputBuffer` has made: a whole record costs one look at the buffer's bound instead of one
/// for each of its parts, and what is known when it is compiled becomes stores of whole words.
///
/// Nothing is checked while it writes: whoever makes a cursor sees to the room. `OutputBuffer.write(atMost:_:)` counts
/// what was written, and stops the process where that is more than there was room for.
@usableFromInline
package struct OutputCursor {
  /// Where the next byte goes.
  @usableFromInline var next: UnsafeMutableRawPointer
  /// The day that its buffer wrote last; nil where it writes no instants.
  @usableFromInline let day: UnsafeMutablePointer<WrittenDay>?

  /// How many bytes behind its last one it may write as well: a number is stored as a whole word.
  @inlinable static var slack: Int { 8 }

  @inlinable
  init(at start: UnsafeMutableRawPointer, day: UnsafeMutablePointer<WrittenDay>? = nil) {
    next = start
    self.day = day
  }

  @inlinable @inline(__always)
  package mutating func byte(_ value: UInt8) {
    next.storeBytes(of: value, as: UInt8.self)
    next += 1
  }

  @inlinable @inline(__always)
  mutating func literal(_ text: StaticString) {
    next.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    next += text.utf8CodeUnitCount
  }

  @inlinable @inline(__always)
  package mutating func bytes(_ view: ByteView) {
    guard let start = view.start else { return }
    next.copyMemory(from: start, byteCount: view.count)
    next += view.count
  }

  /// As many bytes as the integer has, the lowest first.
  @inlinable @inline(__always)
  package mutating func integer<Integer: FixedWidthInteger>(_ value: Integer) {
    next.storeBytes(of: value.littleEndian, as: Integer.self)
    next += MemoryLayout<Integer>.size
  }

  /// A hash, its upper half first.
  @inlinable @inline(__always)
  package mutating func hash(_ hash: Hash128) {
    integer(hash.high)
    integer(hash.low)
  }

  /// The most bytes of an unsigned integer as LEB128.
  @inlinable package static var roomForVarint: Int { 10 }

  /// The bytes of an unsigned integer as LEB128.
  @inlinable @inline(__always)
  package static func count(ofVarint value: UInt64) -> Int {
    // A ninth of the bits and a bit: seven bits a byte, and one byte for 0.
    (640 &- 9 &* (value | 1).leadingZeroBitCount) >> 6
  }

  /// An unsigned integer as LEB128: seven bits a byte, the lowest first.
  @inlinable @inline(__always)
  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      byte(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    byte(UInt8(truncatingIfNeeded: rest))
  }

  /// The length of a view as a varint, then its bytes.
  @inlinable @inline(__always)
  package mutating func lengthPrefixed(_ view: ByteView) {
    varint(UInt64(truncatingIfNeeded: view.count))
    bytes(view)
  }
}

extension ByteView {
  /// The bytes that the view takes with its length as a varint in front of it.
  @inlinable package var framedCount: Int {
    count + OutputCursor.count(ofVarint: UInt64(truncatingIfNeeded: count))
  }
}

extension OutputBuffer {
  /// Appends what `body` writes, in one go.
  ///
  /// - Parameter room: the most bytes that it may write; the process stops where it was more.
  @inlinable @inline(__always)
  package mutating func write(atMost room: Int, _ body: (inout OutputCursor) -> Void) {
    reserve(room + OutputCursor.slack)
    let first = UnsafeMutableRawPointer(start + count)
    let written = withUnsafeMutablePointer(to: &day) { day in
      var cursor = OutputCursor(at: first, day: day)
      body(&cursor)
      return cursor.next - first
    }
    precondition(written <= room, "an encoder wrote more than it made room for")
    length += written
  }
}
