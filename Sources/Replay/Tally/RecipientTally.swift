import Contract

/// Counts what each recipient gets on a day and channel. It holds a number for each recipient, not one for each day:
/// the messages of a recipient come in the order of time.
struct RecipientTally {
  private struct Count {
    var day = Day(number: .min)
    var messages = 0
    var total = 0
    var daysAbove = 0
  }

  /// So many recipient-days are named at most.
  static let namedDays = 20

  private let above: Int
  private var indices: [Hash128: Int] = [:]
  private var keys: [String] = []
  /// By channel, then by recipient.
  private var counts = [[Count]](repeating: [], count: Channel.allCases.count)
  private var histograms = [[Int: Int]](repeating: [:], count: Channel.allCases.count)
  private var largest = [[RecipientDay]](repeating: [], count: Channel.allCases.count)

  init(above: Int) { self.above = above }

  mutating func count(_ message: MessageTally.Message) {
    let recipient = index(of: message.recipient)
    let channel = Int(message.channel.rawValue)
    if counts[channel][recipient].day != message.day {
      endDay(of: recipient, on: channel)
      counts[channel][recipient].day = message.day
    }
    counts[channel][recipient].messages += 1
    counts[channel][recipient].total += 1
  }

  private mutating func index(of key: ByteView) -> Int {
    let hash = Hash128(of: key)
    if let known = indices[hash] { return known }
    indices[hash] = keys.count
    keys.append(key.string)
    for channel in counts.indices { counts[channel].append(Count()) }
    return keys.count - 1
  }

  private mutating func endDay(of recipient: Int, on channel: Int) {
    let count = counts[channel][recipient]
    guard count.messages > 0 else { return }
    counts[channel][recipient].messages = 0
    histograms[channel][count.messages, default: 0] += 1
    guard count.messages > above else { return }
    counts[channel][recipient].daysAbove += 1
    if let least = largest[channel].last, largest[channel].count == Self.namedDays,
      count.messages < least.messages
    {
      return
    }
    let named = RecipientDay(recipient: keys[recipient], day: count.day, messages: count.messages)
    let position = largest[channel].firstIndex { named < $0 } ?? largest[channel].count
    largest[channel].insert(named, at: position)
    if largest[channel].count > Self.namedDays { largest[channel].removeLast() }
  }

  consuming func finish() -> [RecipientLoad] {
    for channel in counts.indices {
      for recipient in keys.indices { endDay(of: recipient, on: channel) }
    }
    return Channel.allCases.compactMap { channel in
      let index = Int(channel.rawValue)
      guard !histograms[index].isEmpty else { return nil }
      var totals: [String: Int] = [:]
      for (key, count) in zip(keys, counts[index]) where count.total > 0 { totals[key] = count.total }
      return RecipientLoad(
        channel: channel, recipients: totals.count, above: above,
        recipientsAbove: counts[index].count { $0.daysAbove > 0 },
        daysAbove: counts[index].reduce(0) { $0 + $1.daysAbove }, largest: largest[index],
        histogram: histograms[index].sorted { $0.key < $1.key }.map {
          DayHistogramEntry(messages: $0.key, recipientDays: $0.value)
        }, totals: totals)
    }
  }
}

/// How much recipients get of one channel.
public struct RecipientLoad: Equatable, Sendable {
  /// The channel.
  public let channel: Channel
  /// Recipients who get anything.
  public let recipients: Int
  /// The number of messages a day above which they are counted.
  public let above: Int
  /// Recipients who get more than that on at least one day.
  public let recipientsAbove: Int
  /// Days of recipients with more than that.
  public let daysAbove: Int
  /// The largest of these, the largest first; at most 20.
  public let largest: [RecipientDay]
  /// How many days of recipients have how many messages, the least first; days without one are left out.
  public let histogram: [DayHistogramEntry]
  /// All messages of each recipient by key.
  public let totals: [String: Int]
}

/// How many days of recipients have a number of messages.
public struct DayHistogramEntry: Equatable, Encodable, Sendable {
  /// Messages on the day.
  public let messages: Int
  /// Days of recipients that have as many.
  public let recipientDays: Int
}

/// A recipient's day, by UTC.
public struct RecipientDay: Equatable, Comparable, Encodable, Sendable {
  /// The recipient's key: `id`, or `tenant/id`.
  public let recipient: String
  /// The day.
  public let day: Day
  /// Messages on it.
  public let messages: Int

  /// The one with more messages goes first, then the earlier, then by recipient.
  public static func < (left: RecipientDay, right: RecipientDay) -> Bool {
    (right.messages, left.day, left.recipient) < (left.messages, right.day, right.recipient)
  }
}
