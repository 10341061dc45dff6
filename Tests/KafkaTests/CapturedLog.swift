import Logging
import Synchronization

/// A log that a test reads.
final class CapturedLog: LogHandler, Sendable {
  private let captured: Captured
  private let level: Mutex<Logger.Level>

  /// What was logged, shared by all copies of the logger.
  final class Captured: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func append(_ line: String) { lines.withLock { $0.append(line) } }
  }

  init(_ captured: Captured, level: Logger.Level = .info) {
    self.captured = captured
    self.level = Mutex(level)
  }

  /// A logger and what it will have logged.
  static func make(level: Logger.Level = .info) -> (Logger, Captured) {
    let captured = Captured()
    return (Logger(label: "test") { _ in CapturedLog(captured, level: level) }, captured)
  }

  func log(event: LogEvent) { captured.append("\(event.level): \(event.message)") }

  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }

  var logLevel: Logger.Level {
    get { level.withLock { $0 } }
    set { level.withLock { $0 = newValue } }
  }
}

extension Logger {
  /// A logger that says nothing.
  static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
