/// How often a recipient wants a category on a channel: what their preference chooses among.
public enum Cadence: UInt8, CaseIterable, Sendable {
  /// Each notification by itself, at once.
  case instant = 0
  /// Together, at every full hour.
  case hourly = 1
  /// Together, every day.
  case daily = 2
  /// Together, every week.
  case weekly = 3

  /// The name in catalogs and records.
  public var name: String {
    switch self {
    case .instant: "instant"
    case .hourly: "hourly"
    case .daily: "daily"
    case .weekly: "weekly"
    }
  }

  /// The cadence of a name; nil for every other text.
  public init?(name: String) {
    guard let cadence = Cadence.allCases.first(where: { $0.name == name }) else { return nil }
    self = cadence
  }

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
