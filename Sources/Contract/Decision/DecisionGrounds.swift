/// What decided about a notification on one channel, besides the catalog.
public struct DecisionGrounds: Equatable, Sendable {
  /// The policy as the decision names it.
  public enum Policy: UInt8, CaseIterable, Sendable {
    /// By itself, at once.
    case immediate = 0
    /// In a window of the catalog.
    case digest = 1
    /// In a window that closes by a schedule of the catalog.
    case schedule = 2
    /// Together at every full hour, as the recipient chose.
    case hourly = 3
    /// Together every day, as the recipient chose.
    case daily = 4
    /// Together every week, as the recipient chose.
    case weekly = 5
    /// In a window, because as many of the category were delivered at once as the catalog allows.
    case throttle = 6
    /// In a window, because as many were delivered at once to the recipient as the catalog's budget allows.
    case budget = 7
    /// In a window, because it was older than the catalog's bound when it was decided.
    case catchUp = 8

    /// The name in decisions.
    public var literal: StaticString {
      switch self {
      case .immediate: "immediate"
      case .digest: "digest"
      case .schedule: "schedule"
      case .hourly: "hourly"
      case .daily: "daily"
      case .weekly: "weekly"
      case .throttle: "throttle"
      case .budget: "budget"
      case .catchUp: "catchUp"
      }
    }
  }

  /// The policy that was applied; nil where the channel gets nothing.
  public var policy: Policy?
  /// The entry of a record that decided; nil where nobody wished anything, or the wish had no force.
  public var preference: DecidingPreference?
  /// Whether quiet hours hold it back, or make its window due later.
  public var isQuiet: Bool
  /// Whose time zone is none that is known, so that another one decided when it is sent; nil where that did not matter.
  public var unknownZone: DecidingPreference.Level?

  /// Grounds of those parts.
  public init(
    policy: Policy? = nil, preference: DecidingPreference? = nil, isQuiet: Bool = false,
    unknownZone: DecidingPreference.Level? = nil
  ) {
    self.policy = policy
    self.preference = preference
    self.isQuiet = isQuiet
    self.unknownZone = unknownZone
  }
}

/// The entry of a recipient's or a tenant's record that decides about a category on a channel.
public struct DecidingPreference: Equatable, Sendable {
  /// Whose record it is.
  public enum Level: UInt8, CaseIterable, Sendable {
    /// The recipient's own.
    case recipient = 0
    /// The tenant's defaults.
    case tenant = 1

    /// The name in decisions.
    public var literal: StaticString {
      switch self {
      case .recipient: "recipient"
      case .tenant: "tenant"
      }
    }
  }

  /// Whose record it is.
  public var level: Level
  /// What is wanted.
  public let setting: Preference.Setting
  /// Whether the entry names the category, rather than `*`.
  public let namesCategory: Bool
  /// Whether the entry names the channel, rather than `*`.
  public let namesChannel: Bool
  /// Whether it is an entry of `optOut`.
  public let isOptOut: Bool

  /// An entry with what it says and names.
  public init(
    level: Level = .recipient, setting: Preference.Setting, namesCategory: Bool, namesChannel: Bool,
    isOptOut: Bool = false
  ) {
    self.level = level
    self.setting = setting
    self.namesCategory = namesCategory
    self.namesChannel = namesChannel
    self.isOptOut = isOptOut
  }

  /// Of two entries of one record, that with the higher rank decides: an opt-out before all, then what names both
  /// category and channel, then the category, then the channel.
  public var rank: Int { (isOptOut ? 4 : 0) + (namesCategory ? 2 : 0) + (namesChannel ? 1 : 0) }
}

extension OutputCursor {
  /// The members of a channel's outcome that say what decided.
  mutating func write(_ grounds: DecisionGrounds, category: ByteView, channel: Channel) {
    if let policy = grounds.policy {
      literal(#","policy":"#)
      quoted(policy.literal)
    }
    if let preference = grounds.preference {
      literal(#","preference":{"of":"#)
      quoted(preference.level.literal)
      literal(#","category":"#)
      string(preference.namesCategory ? category : ByteView("*"))
      literal(#","channel":"#)
      quoted(preference.namesChannel ? channel.literal : "*")
      literal(#","setting":"#)
      quoted(preference.setting.literal)
      literal(preference.isOptOut ? #","optOut":true}"# : "}")
    }
    if grounds.isQuiet { literal(#","quietHours":true"#) }
    if let level = grounds.unknownZone {
      literal(#","unknownZone":"#)
      quoted(level.literal)
    }
  }
}
