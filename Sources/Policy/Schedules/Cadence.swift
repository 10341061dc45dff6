/// How often a recipient wants a category on a channel: what their preference chooses among.
public enum Cadence: String, CaseIterable, Sendable {
  /// Each notification by itself, at once.
  case instant
  /// Together, at every full hour.
  case hourly
  /// Together, every day.
  case daily
  /// Together, every week.
  case weekly

  /// The name in catalogs and records.
  public var name: String { rawValue }

  /// The cadence of a name; nil for every other text.
  public init?(name: String) { self.init(rawValue: name) }

  /// The schedule that the cadence stands for; nil for `instant`.
  public var schedule: Schedule? {
    switch self {
    case .instant: nil
    case .hourly: .hourly
    case .daily: .daily
    case .weekly: .weekly
    }
  }
}
