import Logging
import Synchronization

/// Log lines that a test looks at: each as its message and metadata in one text.
final class CollectedLog: Sendable {
  private let collected = Mutex<[String]>([])

  var lines: [String] { collected.withLock { $0 } }

  func contains(_ parts: String...) -> Bool {
    lines.contains { line in parts.allSatisfy { line.contains($0) } }
  }

  var logger: Logger { Logger(label: "collected") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: CollectedLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let values = metadata.merging(event.metadata ?? [:]) { _, new in new }
        .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      log.collected.withLock {
        $0.append("\(event.level) \(event.message) \(values.joined(separator: " "))")
      }
    }
  }
}
