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
