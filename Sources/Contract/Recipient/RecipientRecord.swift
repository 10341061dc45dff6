/// What the recipients topic says about a recipient.
public struct RecipientRecord: Equatable, Sendable {
  /// A category that the recipient does not want on a channel.
  public struct OptOut: Equatable, Hashable, Sendable {
    /// The category; nil stands for all (`*`).
    public var category: String?
    /// The channel; nil stands for all (`*`).
    public var channel: Channel?

    /// An opt-out; nil stands for all.
    public init(category: String?, channel: Channel?) {
      self.category = category
      self.channel = channel
    }
  }

  /// The address for email.
  public var email: String?
  /// The locale (BCP 47), not checked here.
  public var locale: String?
  /// The time zone (IANA), not checked here.
  public var timeZone: String?
  /// What the recipient does not want, before all preferences: at most `maxOptOuts`.
  public var optOut: [OptOut]
  /// What the recipient wants, at most `maxPreferences`, and one for each pair of category and channel.
  public var preferences: [Preference]
  /// When the recipient wants to be left alone; nil where the record does not say, so that the tenant's defaults hold.
  public var quietHours: QuietHours?
  /// Subjects of which the recipient wants to hear nothing: at most `maxMutes`.
  public var mutes: [Mute]

  /// The bytes that each text may have: those of the longest address (RFC 5321, section 4.5.3.1).
  public static let maxTextBytes = 320
  /// The opt-outs that a record may have.
  public static let maxOptOuts = 1000
  /// The preferences that a record may have.
  public static let maxPreferences = 1000
  /// The mutes that a record may have.
  public static let maxMutes = 1000

  /// A record of those parts.
  public init(
    email: String? = nil, locale: String? = nil, timeZone: String? = nil, optOut: [OptOut] = [],
    preferences: [Preference] = [], quietHours: QuietHours? = nil, mutes: [Mute] = []
  ) {
    self.email = email
    self.locale = locale
    self.timeZone = timeZone
    self.optOut = optOut
    self.preferences = preferences
    self.quietHours = quietHours
    self.mutes = mutes
  }

  /// Whether the recipient does not want that category on that channel.
  public func optsOut(of category: String, on channel: Channel) -> Bool {
    optOut.contains { ($0.category ?? category) == category && ($0.channel ?? channel) == channel }
  }
}
