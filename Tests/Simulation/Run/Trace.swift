import Logging

/// What happened in a run, line by line. Off, it costs nothing: a run that fails is made again with it.
final class Trace {
  /// Whether lines are kept.
  let isOn: Bool
  /// The true time, from which lines are stamped.
  var now: () -> Int64 = { 0 }
  private(set) var lines: [String] = []
  private let start: Int64

  init(isOn: Bool, start: Int64) {
    self.isOn = isOn
    self.start = start
  }

  func note(_ line: @autoclosure () -> String) {
    guard isOn else { return }
    add(now(), line())
  }

  func add(_ time: Int64, _ line: String) {
    let milliseconds = time - start
    let rest = String(1000 + milliseconds % 1000).dropFirst()
    let seconds = String(milliseconds / 1000)
    lines.append(String(repeating: " ", count: max(0, 5 - seconds.count)) + "\(seconds).\(rest)  \(line)")
  }

  /// A hash of all lines (FNV-1a): two runs took the same course exactly when theirs are the same.
  var hash: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for line in lines {
      for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      hash = (hash ^ 10) &* 0x100_0000_01b3
    }
    return hash
  }

  /// A logger of a worker, whose lines come into the trace.
  func logger(_ name: String) -> Logger {
    guard isOn else { return Logger(label: name) { _ in SwiftLogNoOpLogHandler() } }
    var logger = Logger(label: name) { _ in TraceLogHandler(trace: self, name: name) }
    logger.logLevel = .debug
    return logger
  }
}

/// Confined to the run's one thread, as the trace is.
private struct TraceLogHandler: LogHandler, @unchecked Sendable {
  let trace: Trace
  let name: String
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .debug

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata
    if let metadata = event.metadata { fields.merge(metadata) { $1 } }
    let text = fields.filter { $0.key != "worker" }.sorted { $0.key < $1.key }
      .map { " \($0.key)=\($0.value)" }.joined()
    trace.note("\(name): \(event.level): \(event.message)\(text)")
  }
}
