import Contract

/// A notification on one channel, as far as it matters whether and when it is delivered.
///
/// Views have to be valid while it is resolved.
public struct Candidate {
  /// What the catalog says of its type on the channel.
  public var rule: ChannelRule
  /// The category: the event's own, or else the catalog's.
  public var category: ByteView
  /// CloudEvents `subject`; empty where the event has none.
  public var subject: ByteView
  /// Whether its priority is critical.
  public var isCritical: Bool
  /// Whether the recipient is the event's actor, and its type is not delivered to them.
  public var isOwnAction: Bool
  /// What the recipient did with what they got before.
  public var engagement: EngagementMarks
  /// When it is decided, in milliseconds since the epoch.
  public var instant: Int64

  /// A candidate of those parts.
  @inlinable
  public init(
    rule: ChannelRule, category: ByteView, subject: ByteView = .empty, isCritical: Bool = false,
    isOwnAction: Bool = false, engagement: EngagementMarks = EngagementMarks(), instant: Int64
  ) {
    self.rule = rule
    self.category = category
    self.subject = subject
    self.isCritical = isCritical
    self.isOwnAction = isOwnAction
    self.engagement = engagement
    self.instant = instant
  }
}

/// What becomes of a candidate, before quiet hours.
public struct Resolution: Equatable, Sendable {
  /// What becomes of it.
  public enum Action: Equatable, Sendable {
    /// The channel gets nothing.
    case suppress(SuppressionReason)
    /// It is delivered by a policy: the catalog's, or what the recipient chose.
    case deliver(ChannelPolicy)
  }

  /// What becomes of it.
  public var action: Action
  /// The entry of a record that made the difference; nil where none did.
  public var preference: DecidingPreference?

  /// A resolution of those parts.
  @inlinable
  public init(action: Action, preference: DecidingPreference? = nil) {
    self.action = action
    self.preference = preference
  }
}

extension Candidate {
  /// Resolves what the catalog, the recipient and the tenant say. The one place of precedence; docs/recipients.md has
  /// it as a table.
  ///
  /// Pure, without allocation. Nil is a recipient without a record, or a tenant without defaults.
  @inlinable @inline(__always)
  public func resolved(_ recipient: RecipientProfileView?, tenant: RecipientProfileView?) -> Resolution {
    let channel = rule.channel
    let wish =
      recipient?.wish(for: category, on: channel) ?? tenant?.wish(for: category, on: channel)?.of(.tenant)
    if !rule.mandatory {
      if isOwnAction { return Resolution(action: .suppress(.ownAction)) }
      if let wish, wish.setting == .off {
        return Resolution(action: .suppress(.optedOut), preference: wish)
      }
      if engagement.isUnsubscribed { return Resolution(action: .suppress(.unsubscribed)) }
      if engagement.hasComplained { return Resolution(action: .suppress(.complained)) }
      if recipient?.mutes(subject, at: instant) ?? false { return Resolution(action: .suppress(.muted)) }
    }
    if channel.needsAddress {
      guard let address = recipient?.address(for: channel) else {
        return Resolution(action: .suppress(.noAddress))
      }
      if let bounced = engagement.bounced, bounced == EngagementMarks.hash(ofAddress: address) {
        return Resolution(action: .suppress(.bounced))
      }
    }
    if rule.skipIfSeen, engagement.isSeen { return Resolution(action: .suppress(.seen)) }
    guard !isCritical, let wish, let chosen = wish.setting.cadence,
      let cadence = rule.choices.nearest(to: chosen)
    else { return Resolution(action: .deliver(rule.policy)) }
    return Resolution(action: .deliver(rule.policy.at(cadence)), preference: wish)
  }
}

extension DecidingPreference {
  @usableFromInline
  func of(_ level: Level) -> DecidingPreference {
    var copy = self
    copy.level = level
    return copy
  }
}

extension Preference.Setting {
  /// The cadence that it chooses; nil for `on` and `off`.
  @inlinable
  public var cadence: Cadence? {
    switch self {
    case .off, .on: nil
    case .instant: .instant
    case .hourly: .hourly
    case .daily: .daily
    case .weekly: .weekly
    }
  }
}

extension ChannelPolicy {
  /// The policy with a recipient's cadence in place of the catalog's times: what shares a window among what has that
  /// cadence, and which items the digest has in full, stay as they are; all other options lapse.
  @usableFromInline
  func at(_ cadence: Cadence) -> ChannelPolicy {
    guard cadence != .instant else { return .immediate }
    switch self {
    case .immediate:
      return .digest(
        DigestRule(window: .cadence(cadence), itemLimit: DigestRule.defaultItems, group: nil))
    case .digest(let rule):
      return .digest(
        DigestRule(
          window: .cadence(cadence), itemLimit: rule.itemLimit, group: rule.group,
          options: rule.options?.atCadence))
    }
  }

  /// Whether it takes a time zone to say when it delivers.
  @inlinable
  public var goesByClock: Bool {
    guard case .digest(let rule) = self else { return false }
    return switch rule.window {
    case .schedule, .cadence: true
    case .length, .quietHours: false
    }
  }

  /// The name that decisions give it.
  @inlinable
  public var ground: DecisionGrounds.Policy {
    switch self {
    case .immediate: .immediate
    case .digest(let rule):
      switch rule.window {
      case .length: .digest
      case .schedule: .schedule
      case .cadence(.hourly): .hourly
      case .cadence(.daily): .daily
      case .cadence(.weekly): .weekly
      case .cadence(.instant), .quietHours: .immediate
      }
    }
  }
}

extension DigestRule {
  /// What holds back in quiet hours what would be delivered alone: all of a category together, with as many items as
  /// there may be.
  public static let untilQuietHoursEnd = DigestRule(
    window: .quietHours, itemLimit: itemBounds.upperBound, group: nil)

  /// What the digest key is before the group, or else the category; nil for the windows of the catalog.
  ///
  /// Windows whose time is not the catalog's are none of its own: what goes by the catalog, or by another cadence, would
  /// wait as long as they do.
  public var groupPrefix: StaticString? {
    switch window {
    case .length, .schedule, .cadence(.instant): nil
    case .cadence(.hourly): "hourly:"
    case .cadence(.daily): "daily:"
    case .cadence(.weekly): "weekly:"
    case .quietHours: "quiet:"
    }
  }
}

extension Channel {
  /// Whether nothing can be delivered there without an address.
  @inlinable
  public var needsAddress: Bool { self == .email }
}
