import MarkedYAML
import Policy

/// When the windows of a state that is written are due.
public struct WindowsDue: Codable, Sendable {
  /// One after another, or together.
  public var kind: WindowsLoad.Kind
  /// When the first one is due, in milliseconds since the epoch; together: at a full minute.
  public var first: Int64
  /// How many are due a second where they come one after another.
  public var rate: Int
  /// Notifications in each.
  public var items: Int

  /// How long windows that are due one after another have been open then, in seconds: all were opened before the state was
  /// written.
  func windowSeconds(of windows: Int, writtenAt now: Int64) -> Int {
    windows / max(1, rate) + Int((first - now) / 1_000) + 2
  }

  /// The type of the events that open them.
  var type: String { kind == .steady ? LoadCatalog.waiting : LoadCatalog.scheduled }

  /// The catalog by which they are opened.
  func catalog(of windows: Int, writtenAt now: Int64) throws(YAMLProblems) -> Catalog {
    let minute = first / 60_000
    func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return try LoadCatalog.make(
      windowSeconds: windowSeconds(of: windows, writtenAt: now),
      scheduledAt: "\(digits(minute / 60 % 24)):\(digits(minute % 60))")
  }
}
