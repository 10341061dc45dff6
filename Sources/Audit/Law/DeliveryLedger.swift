import Contract
import Kafka

/// The delivery records of a partition against the decisions that name them. 100 to 150 bytes for each delivery.
struct DeliveryLedger {
  /// The widest fields first: there are millions of them.
  private struct Entry {
    var offset: Int64 = -1
    var decision: UInt64 = 0
    var time: Int64
    var events: Int32 = 0
    var decidedEvents: Int32 = 0
    var channel: Channel
    var found: UInt8 = 0
    /// Decisions up to the end of the cut whose delivery is kept.
    var decidedWithin: UInt8 = 0
    /// All decisions that were read.
    var decided: UInt8 = 0

    var isSound: Bool {
      decided > 0 && found >= decidedWithin && found <= decided && (found == 0 || events == decidedEvents)
    }
  }

  private var entries: [Hash128: Entry] = [:]
  private let partition: Int32
  private let topics: AuditTopics
  private var parser: DeliveryHeadParser
  /// Delivery records by channel, and what of them can no longer be proven.
  private(set) var found = 0
  private(set) var withoutDecision = 0
  private(set) var withoutDelivery = 0
  /// The first instant of a kept delivery by channel, where retention has cut the topic.
  private var keptSince: [Channel: Int64] = [:]
  private var isCut: Set<Channel> = []

  init(_ partition: Int32, _ topics: AuditTopics) throws(JSONError) {
    self.partition = partition
    self.topics = topics
    parser = try DeliveryHeadParser()
  }

  /// Retention has deleted the beginning of a channel's topic.
  mutating func noteCut(_ channel: Channel) { isCut.insert(channel) }

  mutating func take(_ record: ConsumedRecord, on channel: Channel, into findings: inout Findings) {
    let topic = topics.delivery(channel)
    guard let head = parser.read(record.value), head.channel == channel else {
      return findings.add(
        .unreadable, topic, partition, record.offset, "the record is no delivery by \(channel.name)")
    }
    found += 1
    if keptSince[channel] == nil { keptSince[channel] = head.time }
    var entry = entries[head.id] ?? Entry(time: head.time, channel: channel)
    entry.offset = record.offset
    entry.events = head.events
    entry.found = entry.found == 255 ? 255 : entry.found + 1
    entries[head.id] = entry
  }

  /// A decision names a delivery of so many events. All deliveries have to be known by then.
  ///
  /// What was delivered before the first record that is kept is gone. It gets no entry: decisions are kept for longer
  /// than deliveries. And the same may have been delivered again since, beyond the dedup horizon: that is another one.
  mutating func decided(
    _ id: Hash128, on channel: Channel, events: Int, by decision: UInt64, at time: Int64, isWithin: Bool
  ) {
    let isGone = isCut.contains(channel) && time < keptSince[channel] ?? .max
    if isGone, isWithin { withoutDelivery += 1 }
    let known = entries[id]
    if isGone, known == nil { return }
    var entry = known ?? Entry(time: time, channel: channel)
    entry.decision = decision
    entry.decidedEvents = Int32(clamping: events)
    entry.decided = entry.decided == 255 ? 255 : entry.decided + 1
    if isWithin, !isGone { entry.decidedWithin = entry.decidedWithin == 255 ? 255 : entry.decidedWithin + 1 }
    entries[id] = entry
  }

  /// Compares the two, once all were read.
  ///
  /// - Parameter decisionsSince: the instant of the first decision that is kept, where retention has deleted earlier
  ///   ones; nil where all are there.
  mutating func check(decisionsSince: Int64?, into findings: inout Findings) {
    let suspects = entries.filter { !$0.value.isSound }.sorted {
      ($0.value.channel.rawValue, $0.value.offset) < ($1.value.channel.rawValue, $1.value.offset)
    }
    for (id, entry) in suspects {
      let topic = topics.delivery(entry.channel)
      let offset = entry.offset < 0 ? nil : entry.offset
      if entry.decided == 0 {
        if let decisionsSince, entry.time <= decisionsSince {
          withoutDecision += 1
        } else {
          findings.add(
            .foreignDelivery, topic, partition, offset, id: "delivery \(id.hex)", "no decision names it")
        }
      } else if entry.found < entry.decidedWithin {
        if isCut.contains(entry.channel), entry.time <= keptSince[entry.channel] ?? Int64.max {
          withoutDelivery += 1
        } else {
          findings.add(
            .lostDelivery, topic, partition, offset, id: "delivery \(id.hex)",
            "decision \(partition)-\(entry.decision) names it, and it is there \(entry.found) times instead of "
              + "\(entry.decidedWithin)")
        }
      } else if entry.found > entry.decided {
        if let decisionsSince, entry.time <= decisionsSince {
          withoutDecision += 1
        } else {
          findings.add(
            .doubledDelivery, topic, partition, offset, id: "delivery \(id.hex)",
            "it is there \(entry.found) times, and was decided \(entry.decided) times "
              + "(decision \(partition)-\(entry.decision))")
        }
      } else if entry.found > 0, entry.events != entry.decidedEvents {
        findings.add(
          .wrongTotal, topic, partition, offset, id: "delivery \(id.hex)",
          "it says \(entry.events) events, decision \(partition)-\(entry.decision) has \(entry.decidedEvents)"
        )
      }
    }
  }
}

/// What an audit needs of a delivery, without its items.
struct DeliveryHeadView {
  var id: Hash128
  var time: Int64
  var channel: Channel
  var events: Int32
}

/// Reads the heads of deliveries.
final class DeliveryHeadParser {
  private var parser: JSONParser

  init() throws(JSONError) { parser = try JSONParser(maxDepth: EventLimits().maxDepth + 28) }

  func read(_ value: ByteView?) -> DeliveryHeadView? {
    guard let value, let root = try? parser.parse(value), let id = root["id"]?.hash,
      let time = root["time"].flatMap({ RFC3339.milliseconds(of: $0.rawString) }), let data = root["data"],
      let channel = data["channel"].flatMap({ Channel(name: $0.rawString) }),
      let events = data["totals"]?["events"]?.integer
    else { return nil }
    return DeliveryHeadView(id: id, time: time, channel: channel, events: Int32(clamping: events))
  }
}
