/// The inbox: the section `inbox`.
public struct InboxSettings: Equatable, Sendable {
  /// The SQLite file.
  public var database: String
  /// The address to listen at.
  public var host: String
  /// The port to listen at; 0 for any free one.
  public var port: Int

  static let database = SettingKey(
    "inbox", "database", default: "inbox.sqlite", .text("path of a file"), "The SQLite file of the inbox.")
  static let host = SettingKey(
    "inbox", "host", default: "127.0.0.1", .host,
    """
    The address that the inbox listens at. It asks for no password: leave it on the loopback address unless something \
    in front of it does.
    """)
  static let port = SettingKey(
    "inbox", "port", default: 8_080, .integer(0...65_535), "The port of the inbox; 0 takes any free one.")
}

/// Metrics and health: the section `metrics`.
public struct MetricsSettings: Equatable, Sendable {
  /// The address to listen at.
  public var host: String
  /// The port to listen at; 0 for any free one.
  public var port: Int

  static let host = SettingKey(
    "metrics", "host", default: "127.0.0.1", .host,
    "The address of `/metrics`, `/livez` and `/readyz`. In a container: `0.0.0.0`.")
  static let port = SettingKey(
    "metrics", "port", default: 9_464, .integer(0...65_535),
    "The port of `/metrics`, `/livez` and `/readyz`; 0 takes any free one. Each process on a machine needs its own."
  )
}

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
