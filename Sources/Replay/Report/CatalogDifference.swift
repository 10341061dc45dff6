import Contract

/// What changes from one catalog to another on the same history.
public struct CatalogDifference: Equatable, Encodable, Sendable {
  /// Messages under both catalogs.
  public struct Change: Equatable, Encodable, Sendable {
    /// Under the new one.
    public var messages: Int
    /// Under the one that it is compared with.
    public var against: Int
    /// How many more there are.
    public var difference: Int

    init(_ messages: Int, against: Int) {
      self.messages = messages
      self.against = against
      difference = messages - against
    }

    /// How many more there are of a hundred; nil where there were none.
    public var percent: Double? { against == 0 ? nil : Double(difference) * 100 / Double(against) }
  }

  /// The messages of a category on a channel.
  public struct Category: Equatable, Encodable, Sendable {
    /// The channel's name.
    public var channel: String
    /// The category.
    public var category: String
    /// Its messages.
    public var change: Change
  }

  /// The messages of a channel, and those who get them.
  public struct ChannelChange: Equatable, Encodable, Sendable {
    /// The channel's name.
    public var channel: String
    /// Its messages.
    public var change: Change
    /// Recipients who get more messages than before.
    public var recipientsWithMore: Int
    /// Recipients who get fewer, but some.
    public var recipientsWithFewer: Int
    /// Recipients who get none any more.
    public var recipientsWithNone: Int
    /// Recipients who get as many as before.
    public var recipientsUnchanged: Int
    /// Days of recipients with more messages than the bound.
    public var daysAbove: Change
  }

  /// By channel.
  public let channels: [ChannelChange]
  /// By channel and category.
  public let categories: [Category]

  /// The difference of two outcomes of the same history.
  public init(_ outcome: CatalogOutcome, against other: CatalogOutcome) {
    channels = Channel.allCases.compactMap { channel in
      ChannelChange(channel, outcome, against: other)
    }
    var changes: [Category] = []
    for channel in Channel.allCases {
      let new = Self.messages(of: outcome, on: channel)
      let old = Self.messages(of: other, on: channel)
      for category in Set(new.keys).union(old.keys).sorted() {
        changes.append(
          Category(
            channel: channel.name, category: category,
            change: Change(new[category] ?? 0, against: old[category] ?? 0)))
      }
    }
    categories = changes
  }

  private static func messages(of outcome: CatalogOutcome, on channel: Channel) -> [String: Int] {
    let pairs = outcome.categories.filter { $0.channel == channel }.map { ($0.category, $0.total.messages) }
    return Dictionary(pairs) { $0 + $1 }
  }
}

extension CatalogDifference.ChannelChange {
  /// nil where neither catalog sends anything.
  init?(_ channel: Channel, _ outcome: CatalogOutcome, against other: CatalogOutcome) {
    let new = outcome.loads.first { $0.channel == channel }
    let old = other.loads.first { $0.channel == channel }
    guard new != nil || old != nil else { return nil }
    self.init(
      channel: channel.name,
      change: .init(outcome.total(channel).messages, against: other.total(channel).messages),
      recipientsWithMore: 0, recipientsWithFewer: 0, recipientsWithNone: 0, recipientsUnchanged: 0,
      daysAbove: .init(new?.daysAbove ?? 0, against: old?.daysAbove ?? 0))
    let (now, before) = (new?.totals ?? [:], old?.totals ?? [:])
    for (recipient, count) in now {
      let former = before[recipient] ?? 0
      if count > former { recipientsWithMore += 1 }
      if count < former { recipientsWithFewer += 1 }
      if count == former { recipientsUnchanged += 1 }
    }
    recipientsWithNone = before.keys.count { now[$0] == nil }
  }
}
