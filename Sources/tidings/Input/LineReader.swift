import Contract
import Foundation

/// Reads lines, one at a time, in memory that does not grow with the input.
struct LineReader: ~Copyable {
  /// A line; its bytes are valid until the next one is read.
  struct Line {
    /// Counted from 1, blank lines included.
    let number: Int
    /// Without the line break.
    let bytes: ByteView
    /// Whether the line is longer than the reader's limit; then `bytes` is its beginning.
    let isCut: Bool
  }

  /// The longest line in bytes.
  let limit: Int

  private var file: InputFile
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var isAtEnd = false
  private var number = 0

  private static let chunk = 256 << 10

  /// A reader of a file, or of standard input for `-`, for lines of at most `limit` bytes.
  init(path: String, limit: Int, stop: StopSignal? = nil) throws(InputError) {
    self.init(try InputFile(path: path, stop: stop), limit: limit)
  }

  /// A reader of a file that is open, for lines of at most `limit` bytes.
  init(_ file: consuming InputFile, limit: Int) {
    self.limit = limit
    self.file = file
    buffer = .allocate(byteCount: limit + Self.chunk, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// The share of the file that was read, 0…1; nil where the size is not known.
  var progress: Double? {
    guard let size = file.size, size > 0 else { return nil }
    return min(1, Double(file.bytesRead) / Double(size))
  }

  /// The next line that is not blank; nil at the end of the input.
  mutating func next() throws(InputError) -> Line? {
    while let line = try nextLine() {
      if line.isCut || line.bytes.buffer.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
        return line
      }
    }
    return nil
  }

  private mutating func nextLine() throws(InputError) -> Line? {
    var searched = 0
    while true {
      if let length = lineBreak(from: searched) {
        defer { start += length + 1 }
        return line(length: length)
      }
      searched = end - start
      if searched > limit { return try cutLine() }
      guard try fill() else {
        guard end > start else { return nil }
        defer { start = end }
        return line(length: end - start)
      }
    }
  }

  /// The distance from the start of the line to its line break, if that is there.
  private func lineBreak(from offset: Int) -> Int? {
    guard let base = buffer.baseAddress, start + offset < end,
      let found = memchr(base + start + offset, 0x0A, end - start - offset)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base + start)
  }

  private mutating func line(length: Int) -> Line {
    number += 1
    var bytes = ByteView(UnsafeRawBufferPointer(rebasing: buffer[start..<start + length]))
    // A byte order mark, as some editors write at the beginning of a file.
    if number == 1, bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
      bytes = bytes.slice(3..<bytes.count)
    }
    if bytes.count > 0, bytes[bytes.count - 1] == 0x0D { bytes = bytes.slice(0..<bytes.count - 1) }
    return Line(number: number, bytes: bytes.slice(0..<limit), isCut: bytes.count > limit)
  }

  /// Keeps the beginning of a line that is too long, and passes over the rest.
  private mutating func cutLine() throws(InputError) -> Line {
    moveToFront()
    end = limit
    while true {
      let room = UnsafeMutableRawBufferPointer(rebasing: buffer[limit...])
      let count = try file.read(into: room)
      guard count > 0 else {
        isAtEnd = true
        break
      }
      let found = room.baseAddress.flatMap { memchr($0, 0x0A, count) }
      guard let found, let base = buffer.baseAddress else { continue }
      end = limit + count
      start = UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
      break
    }
    if isAtEnd {
      start = 0
      end = 0
    }
    number += 1
    let beginning = ByteView(UnsafeRawBufferPointer(rebasing: buffer[0..<limit]))
    return Line(number: number, bytes: beginning, isCut: true)
  }

  private mutating func fill() throws(InputError) -> Bool {
    guard !isAtEnd else { return false }
    moveToFront()
    let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
    if count == 0 { isAtEnd = true }
    end += count
    return count > 0
  }

  private mutating func moveToFront() {
    guard start > 0, let base = buffer.baseAddress else { return }
    memmove(base, base + start, end - start)
    end -= start
    start = 0
  }
}
