import Foundation

/// What standard output or standard error is connected to.
struct Terminal: Sendable {
  let descriptor: Int32
  /// Whether lines may be drawn over: a terminal that knows how, and nobody asked for plain text.
  let isInteractive: Bool

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

  /// Writes text as it is.
  func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        // Nobody reads any more (a pipe that was closed): there is nobody to tell either.
        guard count > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  /// Writes a line.
  func writeLine(_ line: String) { write(line + "\n") }
}
