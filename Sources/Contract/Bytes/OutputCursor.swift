/// Writes into room that an `OutputBuffer` has made: a whole record costs one look at the buffer's bound instead of one
/// for each of its parts, and what is known when it is compiled becomes stores of whole words.
///
/// Nothing is checked while it writes: whoever makes a cursor sees to the room. `OutputBuffer.write(atMost:_:)` counts
/// what was written, and stops the process where that is more than there was room for.
@usableFromInline
struct OutputCursor {
  /// Where the next byte goes.
  @usableFromInline var next: UnsafeMutableRawPointer

  @inlinable
  init(at start: UnsafeMutableRawPointer) { next = start }

  @inlinable @inline(__always)
  mutating func byte(_ value: UInt8) {
    next.storeBytes(of: value, as: UInt8.self)
    next += 1
  }

  @inlinable @inline(__always)
  mutating func literal(_ text: StaticString) {
    next.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    next += text.utf8CodeUnitCount
  }

  @inlinable @inline(__always)
  mutating func bytes(_ view: ByteView) {
    guard let start = view.start else { return }
    next.copyMemory(from: start, byteCount: view.count)
    next += view.count
  }

  /// As many bytes as the integer has, the lowest first.
  @inlinable @inline(__always)
  mutating func integer<Integer: FixedWidthInteger>(_ value: Integer) {
    next.storeBytes(of: value.littleEndian, as: Integer.self)
    next += MemoryLayout<Integer>.size
  }
}

extension OutputBuffer {
  /// Appends what `body` writes, in one go.
  ///
  /// - Parameter room: the most bytes that it may write; the process stops where it was more.
  @inlinable @inline(__always)
  mutating func write(atMost room: Int, _ body: (inout OutputCursor) -> Void) {
    reserve(room)
    let first = UnsafeMutableRawPointer(start + count)
    var cursor = OutputCursor(at: first)
    body(&cursor)
    let written = cursor.next - first
    precondition(written <= room, "an encoder wrote more than it made room for")
    length += written
  }
}
