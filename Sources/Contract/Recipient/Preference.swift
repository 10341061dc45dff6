/// What a recipient, or a tenant for its recipients, wants of a category on a channel: one entry of `preferences`.
public struct Preference: Equatable, Hashable, Sendable {
  /// What is wanted.
  public enum Setting: UInt8, CaseIterable, Sendable {
    /// Nothing of it.
    case off = 0
    /// It, as the catalog says.
    case on = 1
    /// Each notification by itself, at once.
    case instant = 2
    /// Together, at every full hour.
    case hourly = 3
    /// Together, every day.
    case daily = 4
    /// Together, every week.
    case weekly = 5

    /// The name in records and decisions.
    public var literal: StaticString {
      switch self {
      case .off: "off"
      case .on: "on"
      case .instant: "instant"
      case .hourly: "hourly"
      case .daily: "daily"
      case .weekly: "weekly"
      }
    }

    /// The name in records, catalogs and decisions.
    public var name: String { literal.description }

    /// The setting of that name; nil for every other text.
    public init?(name: String) {
      guard let setting = Setting.allCases.first(where: { $0.name == name }) else { return nil }
      self = setting
    }
  }

  /// The category; nil stands for all (`*`).
  public var category: String?
  /// The channel; nil stands for all (`*`).
  public var channel: Channel?
  /// What is wanted.
  public var setting: Setting

  /// A preference; nil stands for all.
  public init(category: String?, channel: Channel?, _ setting: Setting) {
    self.category = category
    self.channel = channel
    self.setting = setting
  }
}

/// A subject of which a recipient wants to hear nothing for a time: a board, a thread.
public struct Mute: Equatable, Hashable, Sendable {
  /// The CloudEvents `subject`, exactly as events have it.
  public var subject: String
  /// The first instant at which it is over, in milliseconds since the epoch; nil: it is over when the record no
  /// longer holds it.
  public var until: Int64?

  /// A mute of a subject until an instant.
  public init(subject: String, until: Int64? = nil) {
    self.subject = subject
    self.until = until
  }
}
