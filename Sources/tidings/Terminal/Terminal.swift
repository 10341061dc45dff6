import Foundation
import Synchronization

/// What standard output or standard error is connected to.
struct Terminal: Sendable {
  let descriptor: Int32
  /// Whether lines may be drawn over: a terminal that knows how, and nobody asked for plain text.
  let isInteractive: Bool
  private let firstFailure = FirstFailure()

  /// Standard output.
  static let output = Terminal(STDOUT_FILENO)
  /// Standard error.
  static let error = Terminal(STDERR_FILENO)

  init(_ descriptor: Int32) {
    let variables = ProcessInfo.processInfo.environment
    let isPlain = variables["NO_COLOR"].map { !$0.isEmpty } ?? false || variables["TERM"] == "dumb"
    self.init(descriptor: descriptor, isInteractive: isatty(descriptor) == 1 && !isPlain)
  }

  init(descriptor: Int32, isInteractive: Bool) {
    self.descriptor = descriptor
    self.isInteractive = isInteractive
  }

  /// The width in columns; 80 where it is not known.
  var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Why something could not be written, in the system's words: the first time that was so. Nil where all was, and
  /// where nobody reads any more.
  var failure: String? {
    let code = firstFailure.code.load(ordering: .relaxed)
    return code == 0 ? nil : String(cString: strerror(code))
  }

  /// Writes text as it is.
  func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return firstFailure.note(errno) }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  /// Writes a line.
  func writeLine(_ line: String) { write(line + "\n") }
}

/// The system's number of the first write that failed; 0 where none did. All copies of a terminal have the same.
private final class FirstFailure: Sendable {
  let code = Atomic<Int32>(0)

  func note(_ number: Int32) {
    // Nobody reads any more (a pipe that was closed): there is nobody to tell either.
    guard number != EPIPE else { return }
    _ = code.compareExchange(expected: 0, desired: number, ordering: .relaxed)
  }
}
