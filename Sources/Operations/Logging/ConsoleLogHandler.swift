import Contract
import Foundation
import Logging

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
  /// For people: time, level, logger, message, metadata as `key=value`.
  case text
  /// One JSON object a line, for collectors.
  case json
}

/// Writes log lines to standard error, each with one write, so that lines of several threads do not mix.
public struct ConsoleLogHandler: LogHandler {
  /// Levels below are left out.
  public var logLevel: Logger.Level
  /// What every line of this logger carries.
  public var metadata: Logger.Metadata = [:]
  /// Where further metadata comes from.
  public var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let format: LogFormat
  private let write: @Sendable (ByteView) -> Void

  /// A handler.
  ///
  /// - Parameter write: takes each finished line with its line feed; standard error unless given.
  public init(
    label: String, format: LogFormat, level: Logger.Level,
    write: @escaping @Sendable (ByteView) -> Void = ConsoleLogHandler.writeToStandardError
  ) {
    self.label = label
    self.format = format
    self.logLevel = level
    self.write = write
  }

  /// One entry of the metadata that every line of this logger carries.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Writes one line.
  public func log(event: LogEvent) {
    var merged = metadata
    if let provided = metadataProvider?.get() { merged.merge(provided) { _, new in new } }
    if let own = event.metadata { merged.merge(own) { _, new in new } }
    let entries = merged.sorted { $0.key < $1.key }
    var line = OutputBuffer(capacity: 256)
    let now = Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))
    switch format {
    case .text: appendText(event, entries, at: now, to: &line)
    case .json: appendJSON(event, entries, at: now, to: &line)
    }
    line.append(byte: UInt8(ascii: "\n"))
    write(line.view)
  }

  /// Writes bytes to standard error.
  @Sendable public static func writeToStandardError(_ bytes: ByteView) {
    // What cannot be written to standard error can be told nowhere.
    var rest = bytes
    while rest.count > 0 {
      let written = Foundation.write(STDERR_FILENO, rest.start, rest.count)
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { return }
      rest = rest.slice(written..<rest.count)
    }
  }
}

extension ConsoleLogHandler {
  private func appendText(
    _ event: LogEvent, _ entries: [(key: String, value: Logger.Metadata.Value)], at now: Int64,
    to line: inout OutputBuffer
  ) {
    line.append(jsonTime: now)
    let quoted = line.view.string
    line.removeAll()
    line.append(text: String(quoted.dropFirst().dropLast()))
    let level = event.level.rawValue.uppercased()
    line.append(text: " " + level + String(repeating: " ", count: max(1, 9 - level.count)))
    line.append(text: label + ": " + Self.onOneLine(event.message.description))
    for (key, value) in entries {
      let text = Self.onOneLine(value.description)
      line.append(text: " \(key)=")
      if text.isEmpty || text.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) {
        line.append(jsonString: text)
      } else {
        line.append(text: text)
      }
    }
  }

  /// The text without control characters: a message that quotes input cannot forge a line or move the cursor.
  private static func onOneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
      || scalar.value == 0x2029
  }

  private func appendJSON(
    _ event: LogEvent, _ entries: [(key: String, value: Logger.Metadata.Value)], at now: Int64,
    to line: inout OutputBuffer
  ) {
    line.append("{\"time\":")
    line.append(jsonTime: now)
    line.append(",\"level\":")
    line.append(jsonString: event.level.rawValue)
    line.append(",\"logger\":")
    line.append(jsonString: label)
    line.append(",\"message\":")
    line.append(jsonString: event.message.description)
    if !entries.isEmpty {
      line.append(",\"metadata\":")
      Self.append(entries, to: &line)
    }
    line.append(byte: UInt8(ascii: "}"))
  }

  private static func append(
    _ entries: [(key: String, value: Logger.Metadata.Value)], to line: inout OutputBuffer
  ) {
    line.append(byte: UInt8(ascii: "{"))
    for (index, entry) in entries.enumerated() {
      if index > 0 { line.append(byte: UInt8(ascii: ",")) }
      line.append(jsonString: entry.key)
      line.append(byte: UInt8(ascii: ":"))
      append(entry.value, to: &line)
    }
    line.append(byte: UInt8(ascii: "}"))
  }

  private static func append(_ value: Logger.Metadata.Value, to line: inout OutputBuffer) {
    switch value {
    case .dictionary(let entries): append(entries.sorted { $0.key < $1.key }, to: &line)
    case .array(let values):
      line.append(byte: UInt8(ascii: "["))
      for (index, element) in values.enumerated() {
        if index > 0 { line.append(byte: UInt8(ascii: ",")) }
        append(element, to: &line)
      }
      line.append(byte: UInt8(ascii: "]"))
    default: line.append(jsonString: value.description)
    }
  }
}
