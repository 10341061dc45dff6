import Foundation

/// Runs Python, the tests' second opinion on mail: its `email` parser and its SMTP server (aiosmtpd).
enum PythonProcess {
  /// What a finished program left behind.
  struct Outcome {
    let status: Int32
    let output: String
  }

  /// The first Python 3 that can import `module`; nil when there is none.
  static func interpreter(with module: String) -> String? {
    ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"].first { path in
      FileManager.default.isExecutableFile(atPath: path)
        && (try? run(path, ["-c", "import \(module)"]))?.status == 0
    }
  }

  /// Runs a program to its end; its output is standard output and standard error together.
  static func run(_ path: String, _ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    // Not waitUntilExit(): it turns the run loop of its thread, which a thread of the cooperative pool has not.
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    ended.wait()
    return Outcome(status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }
}

/// A directory of its own for a test, removed at the end.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/tidings-email-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The names in a directory below, sorted.
  func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(directory)").sorted()
  }
}
