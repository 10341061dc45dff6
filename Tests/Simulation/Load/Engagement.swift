/// What the checkers know of one recipient's engagement, held against docs/engagement.md and not against the code.
struct EngagementModel: Equatable {
  /// Categories by channel, `*` for all.
  private var unsubscribed: [String: Set<String>] = [:]
  private var complained: Set<String> = []
  private var bounced: [String: String] = [:]

  mutating func apply(_ fact: EngagementFact) {
    switch fact.kind {
    case "unsubscribed": unsubscribed[fact.channel, default: []].insert(fact.category ?? "")
    case "resubscribed":
      unsubscribed[fact.channel]?.remove(fact.category ?? "")
      if fact.category == "*" { complained.remove(fact.channel) }
    case "complained": complained.insert(fact.channel)
    case "bounced": bounced[fact.channel] = fact.address
    default: break
    }
  }

  func isUnsubscribed(_ category: String, _ channel: String) -> Bool {
    let categories = unsubscribed[channel] ?? []
    return categories.contains(category) || categories.contains("*")
  }

  func hasComplained(_ channel: String) -> Bool { complained.contains(channel) }

  func hasBounced(_ address: String?, _ channel: String) -> Bool {
    address != nil && bounced[channel] == address
  }
}

extension EngagementFact {
  /// Whether it says that notifications came to the recipient's eyes.
  var isSight: Bool { ["seen", "read", "clicked"].contains(kind) }

  /// The identities of the notifications that were seen, as decisions write them.
  var notifications: [String] {
    events.map { name in
      var event = EventFact(source: name.source, id: name.id, type: "", recipients: [recipient])
      event.tenant = tenant
      return event.notification(for: recipient)
    }
  }
}

/// What a decision may have been made with, where the order of several topics is not in the log: a version of the
/// recipient's record, what was known of the engagement, and whether the notification had been seen.
struct Circumstances {
  var record: (offset: Int64, fact: RecipientFact)?
  var engagement: EngagementModel
  var isSeen: Bool
}
