import Contract
import Pipeline

/// The report as JSON. The same report gives the same bytes; nothing of the run itself, such as its date, is in it.
extension ReplayReport: Encodable {
  private enum Key: String, CodingKey {
    case input, history, recipients, options, catalog, against, difference
  }

  /// As `docs/simulate.md` describes it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(input, forKey: .input)
    try container.encode(history, forKey: .history)
    try container.encode(recipients, forKey: .recipients)
    try container.encode(OptionsDocument(options), forKey: .options)
    try container.encode(RunDocument(run), forKey: .catalog)
    try container.encodeIfPresent(against.map { RunDocument($0) }, forKey: .against)
    try container.encodeIfPresent(difference, forKey: .difference)
  }

  /// The document as text, ending with a line break.
  ///
  /// - Throws: what the encoder says.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}

private struct OptionsDocument: Encodable {
  let partitions: Int32
  let dedupHorizonMilliseconds: Int64
  let timeZone: String
  let above: Int

  init(_ options: ReplayOptions) {
    timeZone = options.timeZone
    partitions = options.partitionCount
    dedupHorizonMilliseconds = options.dedupHorizon
    above = options.above
  }
}

private struct RunDocument: Encodable {
  let file: String
  let version: String
  let law: LawDocument
  let channels: [ChannelDocument]
  let categories: [CategoryDocument]
  let days: [DayDocument]
  let loads: [LoadDocument]
  let rejected: [RejectedLines]

  init(_ run: ReplayReport.Run) {
    file = run.file
    let outcome = run.outcome
    version = outcome.catalogVersion
    law = LawDocument(outcome.counters)
    channels = Channel.allCases.map { ChannelDocument($0, outcome) }
    categories = outcome.categories.map {
      CategoryDocument(channel: $0.channel.name, category: $0.category, sent: $0.total)
    }
    days = outcome.categories.flatMap { category in
      category.days.sorted { $0.key < $1.key }.map { day, count in
        DayDocument(
          channel: category.channel.name, category: category.category, day: day, messages: count.messages,
          digests: count.digests, notifications: count.notifications)
      }
    }
    loads = outcome.loads.map { LoadDocument($0) }
    rejected = outcome.rejected
  }
}

private struct LawDocument: Encodable {
  let consumed: Int64
  let decided: Int64
  let forwarded: Int64
  let forwards: Int64
  let rejected: Int64
  let tombstones: Int64
  let difference: Int64

  init(_ counters: Counters) {
    consumed = counters.consumed
    decided = counters.decided
    forwarded = counters.forwarded
    forwards = counters.forwards
    rejected = counters.rejected
    tombstones = counters.tombstones
    difference = counters.difference
  }
}

private struct ChannelDocument: Encodable {
  let channel: String
  let accepted: Int64
  let delivered: Int64
  let suppressed: [String: Int64]
  let expired: Int64
  let retracted: Int64
  let collapsed: Int64
  let open: Int64
  let sent: DayCount

  init(_ channel: Channel, _ outcome: CatalogOutcome) {
    let counters = outcome.counters[channel]
    self.channel = channel.name
    accepted = counters.accepted
    delivered = counters.delivered
    var reasons: [String: Int64] = [:]
    for reason in SuppressionReason.allCases {
      reasons[reason.literal.description] = counters.suppressed[reason]
    }
    suppressed = reasons
    expired = counters.expired
    retracted = counters.retracted
    collapsed = counters.collapsed
    open = counters.open
    sent = outcome.total(channel)
  }
}

private struct CategoryDocument: Encodable {
  let channel: String
  let category: String
  let sent: DayCount
}

private struct DayDocument: Encodable {
  let channel: String
  let category: String
  let day: Day
  let messages: Int
  let digests: Int
  let notifications: Int
}

private struct LoadDocument: Encodable {
  let channel: String
  let recipients: Int
  let recipientsAbove: Int
  let daysAbove: Int
  let largest: [RecipientDay]
  let histogram: [DayHistogramEntry]

  init(_ load: RecipientLoad) {
    channel = load.channel.name
    recipients = load.recipients
    recipientsAbove = load.recipientsAbove
    daysAbove = load.daysAbove
    largest = load.largest
    histogram = load.histogram
  }
}
