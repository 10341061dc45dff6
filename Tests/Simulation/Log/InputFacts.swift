import Contract

/// What is true of an event that was published, apart from its bytes.
struct EventFact: Equatable {
  var tenant = "default"
  var source = "/sim"
  var id: String
  var type: String
  var category: String?
  var actor: String?
  var subject: String?
  var isCritical = false
  var recipients: [String]
  /// What its data say: `{"n":1}`.
  var number = 1
  /// The audience that it is for; it has no recipients then.
  var audience: String?
  /// Milliseconds since the epoch.
  var expiry: Int64?
  /// The id of the event that it takes back.
  var retracts: String?
  var collapseKey: String?
  /// CloudEvents `time`, in milliseconds since the epoch.
  var time: Int64?

  func key(of recipient: String) -> String { tenant == "default" ? recipient : "\(tenant)/\(recipient)" }

  /// What names it within its tenant.
  var name: EventName { EventName(source: source, id: id) }

  /// The identity of the notification that it takes back.
  func retractedNotification(for recipient: String) -> String? {
    guard let retracts else { return nil }
    var other = self
    other.id = retracts
    return other.notification(for: recipient)
  }

  /// What names the notification, in full.
  func identity(for recipient: String) -> [String] { [tenant, source, id, recipient] }

  /// The identity of the notification, as decisions write it.
  func notification(for recipient: String) -> String {
    tenant.withByteView { tenant in
      source.withByteView { source in
        id.withByteView { id in
          recipient.withByteView {
            NotificationID.hash(tenant: tenant, source: source, id: id, recipient: $0).hex
          }
        }
      }
    }
  }
}

extension EventFact {
  /// The event for one of its recipients alone.
  func narrowed(to recipient: String) -> EventFact {
    var copy = self
    copy.recipients = [recipient]
    return copy
  }

  /// Whether it is decided where it was read: it has one recipient, who lives there.
  func isAtHome(_ partition: Int, _ partitionCount: Int) -> Bool {
    recipients.count == 1 && home(of: key(of: recipients[0]), partitionCount) == partition
  }
}

extension EventFact {
  /// Whether it is for an audience that is at home in a partition.
  func isFannedOut(in partition: Int, _ partitionCount: Int) -> Bool {
    audience.map { home(of: key(of: $0), partitionCount) == partition } ?? false
  }
}

/// The home partition of a recipient's or an audience's key.
func home(of key: String, _ partitionCount: Int) -> Int {
  Int(key.withByteView { Murmur2.partition(ofKey: $0, count: Int32(partitionCount)) })
}

/// What a recipient's record says.
struct RecipientFact: Equatable {
  var email: String?
  var locale: String?
  var timeZone: String?
  var optOut: [(category: String, channel: String)] = []
  /// Settings by category and channel, `*` for all.
  var preferences: [String: [String: String]] = [:]
  /// Ends by subject, in milliseconds since the epoch.
  var mutes: [String: Int64] = [:]
  /// Every day, in local minutes since midnight; the second is behind the first by less than a day.
  var quietHours: (from: Int64, until: Int64)?

  func optsOut(of category: String, _ channel: String) -> Bool {
    optOut.contains {
      ($0.category == "*" || $0.category == category) && ($0.channel == "*" || $0.channel == channel)
    }
  }

  static func == (left: RecipientFact, right: RecipientFact) -> Bool {
    left.email == right.email && left.locale == right.locale && left.timeZone == right.timeZone
      && left.optOut.elementsEqual(right.optOut) { $0 == $1 } && left.preferences == right.preferences
      && left.mutes == right.mutes && left.quietHours?.from == right.quietHours?.from
      && left.quietHours?.until == right.quietHours?.until
  }
}

/// As traces show it: the same for equal facts.
extension RecipientFact: CustomStringConvertible {
  var description: String {
    let wishes = preferences.sorted { $0.key < $1.key }.map { category, settings in
      let channels = settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
      return "\(category): [\(channels.joined(separator: ", "))]"
    }
    let muted = mutes.sorted { $0.key < $1.key }.map { "\($0.key) until \($0.value)" }
    let parts = [
      email.map { "email \($0)" }, locale.map { "locale \($0)" }, timeZone.map { "zone \($0)" },
      optOut.isEmpty ? nil : "optOut \(optOut.map { "\($0.category) on \($0.channel)" })",
      wishes.isEmpty ? nil : "wants \(wishes.joined(separator: ", "))",
      muted.isEmpty ? nil : "mutes \(muted.joined(separator: ", "))",
      quietHours.map { "quiet \($0.from) to \($0.until)" },
    ]
    return "recipient (\(parts.compactMap(\.self).joined(separator: "; ")))"
  }
}

/// What names an event within its tenant.
struct EventName: Equatable {
  var source: String
  var id: String
}

/// What an engagement record says.
struct EngagementFact: Equatable {
  /// Behind `tidings.engagement.`.
  var kind: String
  var id: String
  var tenant = "default"
  var recipient: String
  var channel: String
  var category: String?
  var address: String?
  /// The events whose notifications were seen.
  var events: [EventName] = []
  /// Milliseconds since the epoch.
  var time: Int64?

  var key: String { tenant == "default" ? recipient : "\(tenant)/\(recipient)" }
}

/// One record of an input topic: what the processor has to make of it.
struct InputFact {
  enum Kind: CustomStringConvertible {
    case event(EventFact)
    /// Cannot be read, or the catalog does not know it.
    case broken
    /// A recipient's record; nil deletes.
    case recipient(key: String, RecipientFact?)
    /// What became of notifications.
    case engagement(EngagementFact)
    /// Who is in a part of an audience; nil removes it.
    case part(audience: String, part: String, Set<String>?)

    /// The same text in every run: sets have an order of their own in each.
    var description: String {
      switch self {
      case .event(let event): "\(event)"
      case .broken: "broken"
      case .recipient(let key, let recipient): "recipient \(key): \(recipient.map { "\($0)" } ?? "deleted")"
      case .engagement(let engagement): "\(engagement)"
      case .part(let audience, let part, let members):
        "part \(part) of \(audience): \(members.map { "\($0.sorted())" } ?? "removed")"
      }
    }
  }

  var offset: Int64
  /// The broker's append time.
  var appended: Int64
  /// That of the record that it was forwarded from, and of the first one where that was forwarded, too; nil for what was
  /// not forwarded.
  var originAppended: Int64?
  var kind: Kind

  /// The broker's append time where it was read first.
  var firstAppended: Int64 { originAppended ?? appended }
}

/// All input records by topic and partition, in the order of their offsets. Those of transactions are entered when
/// these are committed, so that an aborted record is never in here.
struct InputFacts {
  enum Topic: Int, CaseIterable {
    case events = 0
    case routed = 1
    case recipients = 2
    case engagement = 3
    case subscriptions = 4

    var name: String {
      switch self {
      case .events: "events"
      case .routed: "routed"
      case .recipients: "recipients"
      case .engagement: "engagement"
      case .subscriptions: "subscriptions"
      }
    }
  }

  let partitionCount: Int
  private var facts: [[[InputFact]]]

  init(partitionCount: Int) {
    self.partitionCount = partitionCount
    facts = Array(
      repeating: Array(repeating: [], count: partitionCount), count: Topic.allCases.count)
  }

  mutating func add(_ fact: InputFact, to topic: Topic, partition: Int) {
    // Almost always behind the last one: only transactions that overlap come in another order.
    var index = facts[topic.rawValue][partition].count
    while index > 0, facts[topic.rawValue][partition][index - 1].offset > fact.offset { index -= 1 }
    facts[topic.rawValue][partition].insert(fact, at: index)
  }

  /// The records with their offset in a range.
  func records(_ topic: Topic, partition: Int, _ offsets: Range<Int64>) -> ArraySlice<InputFact> {
    let all = facts[topic.rawValue][partition]
    return all[lowerBound(all, offsets.lowerBound)..<lowerBound(all, offsets.upperBound)]
  }

  /// The record at an offset.
  func record(_ topic: Topic, partition: Int, at offset: Int64) -> InputFact? {
    records(topic, partition: partition, offset..<offset + 1).first
  }

  /// The versions of a recipient's record that a decision may have been made with: the last one before `known`, and
  /// all from there to `end`.
  func versions(
    of key: String, partition: Int, known: Int64, end: Int64
  ) -> [(offset: Int64, fact: RecipientFact)?] {
    var found: [(offset: Int64, fact: RecipientFact)?] = [nil]
    for record in facts[Topic.recipients.rawValue][partition] {
      guard record.offset < end else { break }
      guard case .recipient(key, let fact) = record.kind else { continue }
      let version = fact.map { (record.offset, $0) }
      if record.offset < known { found = [version] } else { found.append(version) }
    }
    return found
  }

  /// Whether any record of the partition cannot be read.
  func hasBroken(_ topic: Topic, partition: Int) -> Bool {
    facts[topic.rawValue][partition].contains { if case .broken = $0.kind { true } else { false } }
  }

  private func lowerBound(_ all: [InputFact], _ offset: Int64) -> Int {
    var low = 0
    var high = all.count
    while low < high {
      let middle = (low + high) / 2
      if all[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
