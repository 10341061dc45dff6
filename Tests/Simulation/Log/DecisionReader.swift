import Contract

/// One decision, read from the bytes of `decisions` as docs/formats.md describes them.
struct DecisionRecord {
  enum Outcome: Equatable {
    case open(window: String, until: Int64)
    case delivered(String)
    case suppressed(String)
    case expired
    case other(String)
  }

  enum Kind {
    case arrival(Arrival)
    case closure(Closure)
    case withdrawal(Withdrawal)
    case fanOut(FanOut)
  }

  /// What became of an event for an audience.
  struct FanOut {
    var audience: String
    var source: String
    var event: String
    var topic: String
    var offset: Int64
    /// `fannedOut`, `nobody` or `duplicate`.
    var outcome: String
    var reason: String?
    var recipients: Int64?
  }

  struct Arrival {
    var source: String
    var event: String
    var type: String
    var category: String
    var notification: String
    var topic: String
    var offset: Int64
    var catalog: String
    var isDuplicate: Bool
    /// The offset of the recipient's record.
    var recipientRecord: Int64?
    var channels: [(name: String, outcome: Outcome)]
    /// The policies that were applied, by channel.
    var policies: [String: String] = [:]
  }

  struct Withdrawal {
    var channel: String
    var window: String
    var notification: String
    var outcome: Outcome
    /// The event that is the cause.
    var event: String?
  }

  struct Closure {
    var channel: String
    var window: String
    var delivery: String?
    var isSingly: Bool
    var events: Int64
    var members: [String]
    var expired: [String]
    /// Those of which the channel gets nothing after all, and why.
    var suppressed: [String]
    var reason: String?
  }

  var partition: Int
  var number: UInt64
  var time: Int64
  var tenant: String
  var recipient: String
  var kind: Kind

  var recipientKey: String { tenant == "default" ? recipient : "\(tenant)/\(recipient)" }
}

/// Reads the JSON arrays of the decisions topic.
struct DecisionReader: ~Copyable {
  private var parser: JSONParser

  init() throws { parser = try JSONParser() }

  mutating func decisions(_ bytes: ByteView) throws(Violation) -> [DecisionRecord] {
    let root: JSONValue
    do {
      root = try parser.parse(bytes)
    } catch {
      throw Violation(.abort, "a decisions record is not JSON: \(error)")
    }
    var found: [DecisionRecord] = []
    for element in root.elements {
      guard let decision = DecisionRecord(element) else {
        throw Violation(.abort, "a decision cannot be read: \(element.raw.string)")
      }
      found.append(decision)
    }
    return found
  }
}

extension DecisionRecord {
  fileprivate init?(_ value: JSONValue) {
    guard let id = value["id"]?.string, let data = value["data"], let time = value["time"]?.instant,
      let tenant = data["tenant"]?.string
    else { return nil }
    let recipient = data["recipient"]?.string
    guard (recipient == nil) == (data["audience"] != nil) else { return nil }
    let parts = id.split(separator: "-")
    guard parts.count == 2, let partition = Int(parts[0]), let number = UInt64(parts[1]) else { return nil }
    self.partition = partition
    self.number = number
    self.time = time
    self.tenant = tenant
    self.recipient = recipient ?? ""
    if recipient == nil {
      guard let fanOut = FanOut(data) else { return nil }
      kind = .fanOut(fanOut)
    } else if let channels = data["channels"] {
      guard let arrival = Arrival(data, channels) else { return nil }
      kind = .arrival(arrival)
    } else if data["notification"] != nil {
      guard let withdrawal = Withdrawal(data) else { return nil }
      kind = .withdrawal(withdrawal)
    } else {
      guard let closure = Closure(data) else { return nil }
      kind = .closure(closure)
    }
  }
}

extension DecisionRecord.Arrival {
  fileprivate init?(_ data: JSONValue, _ channels: JSONValue) {
    guard let source = data["source"]?.string, let event = data["event"]?.string,
      let type = data["type"]?.string, let notification = data["notification"]?.string,
      let place = data["at"], let topic = place["topic"]?.string, let offset = place["offset"]?.integer,
      let catalog = data["catalog"]?.string
    else { return nil }
    self.source = source
    self.event = event
    self.type = type
    category = data["category"]?.string ?? ""
    self.notification = notification
    self.topic = topic
    self.offset = offset
    self.catalog = catalog
    isDuplicate = data["duplicate"]?.bool ?? false
    recipientRecord = data["recipientRecord"]?.integer
    self.channels = []
    for member in channels.members {
      guard let outcome = DecisionRecord.Outcome(member.value) else { return nil }
      self.channels.append((member.nameText, outcome))
      policies[member.nameText] = member.value["policy"]?.string
    }
  }
}

extension DecisionRecord.Outcome {
  fileprivate init?(_ value: JSONValue) {
    guard let name = value["outcome"]?.string else { return nil }
    switch name {
    case "open":
      guard let window = value["window"]?.string, let until = value["until"]?.instant else { return nil }
      self = .open(window: window, until: until)
    case "delivered":
      guard let delivery = value["delivery"]?.string else { return nil }
      self = .delivered(delivery)
    case "suppressed":
      guard let reason = value["reason"]?.string else { return nil }
      self = .suppressed(reason)
    case "expired": self = .expired
    default: self = .other(name)
    }
  }
}

extension DecisionRecord.FanOut {
  fileprivate init?(_ data: JSONValue) {
    guard let audience = data["audience"]?.string, let source = data["source"]?.string,
      let event = data["event"]?.string, let place = data["at"], let topic = place["topic"]?.string,
      let offset = place["offset"]?.integer, let outcome = data["outcome"]?.string
    else { return nil }
    self.audience = audience
    self.source = source
    self.event = event
    self.topic = topic
    self.offset = offset
    self.outcome = outcome
    reason = data["reason"]?.string
    recipients = data["recipients"]?.integer
  }
}

extension DecisionRecord.Withdrawal {
  fileprivate init?(_ data: JSONValue) {
    guard let channel = data["channel"]?.string, let window = data["window"]?.string,
      let notification = data["notification"]?.string, let outcome = DecisionRecord.Outcome(data)
    else { return nil }
    self.channel = channel
    self.window = window
    self.notification = notification
    self.outcome = outcome
    event = data["by"]?["event"]?.string
  }
}

extension DecisionRecord.Closure {
  fileprivate init?(_ data: JSONValue) {
    guard let channel = data["channel"]?.string, let window = data["window"]?.string,
      let events = data["events"]?.integer, let members = data["members"]
    else { return nil }
    self.channel = channel
    self.window = window
    delivery = data["delivery"]?.string
    isSingly = data["singly"]?.bool ?? false
    self.events = events
    self.members = members.elements.map(\.string)
    expired = data["expired"]?.elements.map(\.string) ?? []
    suppressed = data["suppressed"]?.elements.map(\.string) ?? []
    reason = data["reason"]?.string
  }
}

extension DecisionRecord.Closure {
  /// The ids of the single deliveries that its members became.
  var singles: [String] {
    guard isSingly else { return [] }
    return members.map { member in
      let hash = Hash128(
        high: UInt64(member.prefix(16), radix: 16) ?? 0, low: UInt64(member.suffix(16), radix: 16) ?? 0)
      return DeliveryID.single(hash, channel: channel == "email" ? .email : .inapp).hex
    }
  }
}

extension JSONValue {
  /// The instant that a string says, in milliseconds since the epoch.
  fileprivate var instant: Int64? { string.withByteView { RFC3339.milliseconds(of: $0) } }
}
