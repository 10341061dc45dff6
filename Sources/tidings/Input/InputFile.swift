import Foundation

/// The bytes of a file or of standard input, decompressed if they are gzip, whatever the file's name.
struct InputFile: ~Copyable {
  /// As the user named it; `standard input` for `-`.
  let name: String
  /// The size on disk in bytes; nil where there is none, as for a pipe.
  let size: Int64?
  /// Bytes taken from the file so far, before decompression.
  private(set) var bytesRead: Int64 = 0

  private static let chunk = 256 << 10

  private let descriptor: Int32
  private let stop: StopSignal?
  private let raw: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var isAtEnd = false
  private var hasLooked = false
  private var gzip: GzipStream?

  /// Opens a file, or standard input for `-`.
  ///
  /// - Parameter stop: ends the input early.
  init(path: String, stop: StopSignal? = nil) throws(InputError) {
    self.stop = stop
    if path == "-" {
      name = "standard input"
      descriptor = STDIN_FILENO
    } else {
      name = path
      descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw InputError("cannot open \(path): \(String(cString: strerror(errno)))")
      }
    }
    var status = stat()
    let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    size = isFile ? Int64(status.st_size) : nil
    raw = .allocate(byteCount: Self.chunk, alignment: 16)
  }

  /// Whether what is at a path can be read once only: standard input, a pipe, anything but a regular file. Opens
  /// nothing, since a FIFO whose reader goes away loses its writer. Where there is nothing, opening it tells.
  static func isReadOnce(path: String) -> Bool {
    if path == "-" { return true }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
  }

  deinit {
    raw.deallocate()
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  /// Fills a part of the buffer; 0 at the end.
  ///
  /// - Throws: what the system says, or that compressed data is damaged or cut off.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
    while true {
      if start == end {
        if !isAtEnd { try fill() }
        guard start < end else {
          if let isComplete = gzip?.isComplete, !isComplete, stop?.isStopped != true {
            throw InputError("\(name) is cut off: the gzip data does not end")
          }
          return 0
        }
      }
      if !hasLooked {
        hasLooked = true
        if end - start >= 2, raw[start] == 0x1F, raw[start + 1] == 0x8B { gzip = try GzipStream() }
      }
      let rest = UnsafeMutableRawBufferPointer(rebasing: raw[start..<end])
      guard let (taken, made) = try gzip?.decompress(rest, into: buffer) else {
        let count = min(rest.count, buffer.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
        start += count
        return count
      }
      start += taken
      if made > 0 { return made }
    }
  }

  private mutating func fill() throws(InputError) {
    start = 0
    end = 0
    // Two bytes at least are needed to know gzip.
    repeat {
      guard try waitForInput() else {
        isAtEnd = true
        return
      }
      let count = Foundation.read(descriptor, raw.baseAddress.map { $0 + end }, raw.count - end)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw InputError("cannot read \(name): \(String(cString: strerror(errno)))")
      }
      if count == 0 {
        isAtEnd = true
        return
      }
      end += count
      bytesRead += Int64(count)
    } while end < 2
  }

  /// Waits until there is input, or returns false when it is to end.
  private func waitForInput() throws(InputError) -> Bool {
    guard let stop else { return true }
    while !stop.isStopped {
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&request, 1, 100)
      if ready > 0 { return true }
      if ready < 0, errno != EINTR {
        throw InputError("cannot wait for \(name): \(String(cString: strerror(errno)))")
      }
    }
    return false
  }
}
