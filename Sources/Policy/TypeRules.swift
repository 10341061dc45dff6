import Contract

/// What the catalog says about one notification type: the form that the pipeline reads for every event.
///
/// Plain values without references; the texts are looked up in the catalog only where they are written out.
public struct TypeRules: Equatable, Sendable {
  /// The category of an event that names none itself.
  public let category: TextID
  /// The mustache template of the title of one item.
  public let title: TextID
  /// The mustache template of the address that an item leads to, if it leads anywhere.
  public let link: TextID?
  /// The mustache template of the title of a digest; nil leaves the wording to the sink.
  public let digestTitle: TextID?
  /// The priority of an event that names none itself.
  public let priority: Priority
  /// What becomes of an event whose actor is its recipient.
  public let ownAction: OwnAction
  /// Whether an event that takes another one back is delivered itself.
  public let retracting: Retracting
  /// The channels of the type, at least one.
  public let channels: ChannelRules
}

/// What becomes of an event for the one who caused it.
public enum OwnAction: String, CaseIterable, Sendable {
  /// The actor is not told of it, except on mandatory channels.
  case skip
  /// The actor is told like everybody else.
  case deliver
}

/// What an event is that takes another one back (`retracts`).
public enum Retracting: String, CaseIterable, Sendable {
  /// A notification like any other: the news that goes in place of the old ones.
  case deliver
  /// A command alone.
  case silent
}

/// The rules of a type for each channel that it goes to.
public struct ChannelRules: Equatable, Sendable {
  private let rules: ChannelValues<ChannelRule>

  /// The number of channels: what one arrival of the type adds to `accepted` (design, the conservation law).
  public let count: Int

  init(_ rules: [Channel: ChannelRule]) {
    self.rules = ChannelValues(email: rules[.email], inapp: rules[.inapp])
    count = rules.count
  }

  /// The rule for a channel; nil where the type does not go to it.
  public subscript(channel: Channel) -> ChannelRule? { rules[channel] }

  /// Whether what the recipient saw already is left out on a channel.
  public func skipsSeen(on channel: Channel) -> Bool {
    switch channel {
    case .email: rules.email?.skipIfSeen ?? false
    case .inapp: rules.inapp?.skipIfSeen ?? false
    }
  }
}

/// How a type is delivered on one channel.
public struct ChannelRule: Equatable, Sendable {
  /// The channel.
  public let channel: Channel
  /// When it is delivered: at once, or with others.
  public let policy: ChannelPolicy
  /// Whether nobody's wish keeps it away here: opt-outs, mutes and the own-action rule have no force.
  public let mandatory: Bool
  /// How many of a category are delivered at once to a recipient in a period; nil: all.
  public let throttle: DeliveryLimitID?
  /// Whether what the recipient saw already is left out here.
  public let skipIfSeen: Bool
  /// The cadences among which recipients may choose here.
  public let choices: CadenceChoices
}

/// When a notification is handed to its channel.
public enum ChannelPolicy: Equatable, Sendable {
  /// By itself, at once.
  case immediate
  /// Together with the others of its window.
  case digest(DigestRule)
}

/// A window that opens at the first notification of its recipient, channel and digest key.
public struct DigestRule: Equatable, Sendable {
  /// When the window closes.
  public let window: WindowRule
  /// How many items the digest carries in full, 1 to 100; its totals count all. The options say which.
  public var itemLimit: Int { Int(items) }
  /// The digest key besides the recipient; nil means the category of the event (its own, or else the catalog's).
  public let group: TextID?
  /// What the window does besides closing at its time; nil: nothing.
  public let options: WindowOptionsID?
  /// Whether it takes what any type would deliver at once, so that no type's `digestTitle` is about what is in it.
  public private(set) var isOfAllTypes = false

  /// The item limit in one byte: rules are copied for every event.
  private let items: UInt8

  init(window: WindowRule, itemLimit: Int, group: TextID? = nil, options: WindowOptionsID? = nil) {
    self.window = window
    items = UInt8(clamping: itemLimit)
    self.group = group
    self.options = options
  }

  /// The same for what any type would deliver at once.
  var ofAllTypes: DigestRule {
    var rule = self
    rule.isOfAllTypes = true
    return rule
  }

  /// The lengths that a window of fixed length may have.
  public static let windowBounds = Duration.milliseconds(100)...Duration.seconds(31 * 86_400)
  /// The numbers of items that a digest may carry in full.
  public static let itemBounds = 1...100
  /// The number of items in full where the catalog says nothing.
  public static let defaultItems = 10
}

/// When a window closes, seen from the instant at which it opens.
public enum WindowRule: Equatable, Sendable {
  /// After a time in milliseconds, 100 to 31 days.
  case length(milliseconds: Int64)
  /// At the next time of a schedule, by the recipient's clock.
  case schedule(ScheduleID)
  /// At the next time of the cadence that the recipient chose, by the recipient's clock.
  case cadence(Cadence)
  /// When the recipient's quiet hours are over, by the recipient's clock: what they hold back that would be alone.
  case quietHours
}
