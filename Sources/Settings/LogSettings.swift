/// How much is logged: the levels of swift-log.
public enum LogLevel: String, CaseIterable, Sendable {
  /// Everything, for tracing a single record.
  case trace
  /// What a developer needs.
  case debug
  /// What happens in ordinary operation.
  case info
  /// What is rare, but in order.
  case notice
  /// What may need attention.
  case warning
  /// What went wrong.
  case error
  /// What needs attention at once.
  case critical
}

/// How log lines are written.
public enum LogFormat: String, CaseIterable, Sendable {
  /// For people.
  case text
  /// One JSON object per line, for machines.
  case json
}

/// The log: the section `log`.
public struct LogSettings: Equatable, Sendable {
  /// The least level that is written.
  public var level: LogLevel
  /// The form of a line.
  public var format: LogFormat

  static let level = SettingKey<LogLevel>(
    "log", "level", default: .info, .choice, "The least level that is written to standard error.")
  static let format = SettingKey<LogFormat>(
    "log", "format", default: .text, .choice, "The form of a line: for people, or one JSON object each.")
}
