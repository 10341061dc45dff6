import Contract

/// Counts messages by channel, category and day, and by recipient and day.
///
/// The messages of a recipient on a channel have to come in the order of time; apart from that, no order counts.
struct MessageTally {
  /// One delivery to one recipient.
  struct Message {
    var channel: Channel
    var category: ByteView
    /// The key of the recipient.
    var recipient: ByteView
    var day: Day
    var isDigest: Bool
    /// The events that it stands for.
    var notifications: Int
  }

  private struct Kind: Hashable {
    var channel: Channel
    var category: Hash128
  }

  /// Events may name categories of their own: beyond so many, further ones are counted together.
  static let categoryLimit = 1000
  /// What the rest is counted as.
  static let otherCategories = "(other categories)"

  private var kinds: [Kind: Int] = [:]
  private var counts: [(channel: Channel, category: String, days: [Day: DayCount])] = []
  private var recipients: RecipientTally

  init(above: Int) { recipients = RecipientTally(above: above) }

  mutating func count(_ message: Message) {
    let kind = index(of: message)
    counts[kind].days[message.day, default: DayCount()].add(message)
    recipients.count(message)
  }

  private mutating func index(of message: Message) -> Int {
    let kind = Kind(channel: message.channel, category: Hash128(of: message.category))
    if let known = kinds[kind] { return known }
    guard kinds.count < Self.categoryLimit else {
      return counts.firstIndex { $0.channel == message.channel && $0.category == Self.otherCategories }
        ?? append(message.channel, Self.otherCategories)
    }
    let index = append(message.channel, message.category.string)
    kinds[kind] = index
    return index
  }

  private mutating func append(_ channel: Channel, _ category: String) -> Int {
    counts.append((channel, category, [:]))
    return counts.count - 1
  }

  consuming func finish() -> MessageTotals {
    let sorted = counts.sorted { ($0.channel.rawValue, $0.category) < ($1.channel.rawValue, $1.category) }
    return MessageTotals(
      categories: sorted.map { CategoryDays(channel: $0.channel, category: $0.category, days: $0.days) },
      loads: recipients.finish())
  }
}

/// What is sent on one day.
public struct DayCount: Equatable, Encodable, Sendable {
  /// Deliveries: mails, or entries of an inbox.
  public var messages = 0
  /// Those that are digests.
  public var digests = 0
  /// The events that the messages stand for.
  public var notifications = 0

  /// Nothing.
  public init() {}

  mutating func add(_ message: MessageTally.Message) {
    messages += 1
    if message.isDigest { digests += 1 }
    notifications += message.notifications
  }

  /// The sums of two.
  public static func + (left: DayCount, right: DayCount) -> DayCount {
    var sum = left
    sum.messages += right.messages
    sum.digests += right.digests
    sum.notifications += right.notifications
    return sum
  }
}

/// What is sent of one category on one channel.
public struct CategoryDays: Equatable, Sendable {
  /// The channel.
  public let channel: Channel
  /// The category; of a digest the one that its window was opened with.
  public let category: String
  /// Days without a message are left out.
  public let days: [Day: DayCount]

  /// All days together.
  public var total: DayCount { days.values.reduce(DayCount(), +) }
}

/// All that is counted of messages.
struct MessageTotals: Equatable {
  var categories: [CategoryDays]
  var loads: [RecipientLoad]
}
