import Contract

/// A decision as a record of `decisions` holds it. Its JSON is valid until the decoder's next record.
struct Decision {
  /// What a decision is about.
  enum Subject {
    case arrival(Arrival)
    case closure(Closure)
    case withdrawal(Withdrawal)
    case fanOut(FanOut)
    /// A decision that this version does not know.
    case other
  }

  /// What became of a channel. Reasons are texts: newer processors have more of them than this program.
  enum Outcome: Equatable {
    case open(window: Hash128, until: Int64?)
    case delivered(Hash128)
    case suppressed(reason: String)
    case expired
    case retracted
    case collapsed
    case other(String)
  }

  struct Arrival {
    var notification: Hash128
    var topic: ByteView
    var offset: Int64
    var channels: [(channel: Channel, outcome: Outcome)]
    /// The channels on which it came too late to be delivered at once.
    var caughtUp: [Channel]
  }

  struct Closure {
    var channel: Channel
    var window: Hash128
    var delivery: Hash128?
    /// Whether each member was delivered by itself.
    var isSingly: Bool
    var members: [Hash128]
    var expired: [Hash128]
    /// Of which the channel gets nothing after all, and why.
    var suppressed: [Hash128] = []
    var reason: String?
  }

  /// A notification that left its window before that closed.
  struct Withdrawal {
    var channel: Channel
    var window: Hash128
    var notification: Hash128
    var outcome: Outcome
    /// The id of the event that is the cause.
    var cause: String?
  }

  /// What became of an event for an audience, in the audience's home.
  struct FanOut {
    var topic: ByteView
    var offset: Int64
    /// How many followers were served; nil where the event was not fanned out.
    var served: Int64?
  }

  /// The number in its partition: one that another may follow.
  var number: UInt64
  /// When it was decided, in milliseconds since the epoch.
  var time: Int64
  var subject: Subject
  /// The field `data`.
  var data: JSONValue

  /// The field of `data` as text; nil where it is absent.
  func text(_ name: StaticString) -> String? {
    guard let value = data[name], value.kind == .string else { return nil }
    return value.string
  }
}

/// Reads the records of `decisions`. Unknown fields are passed over, as everywhere.
final class DecisionDecoder {
  private var parser: JSONParser

  init() throws(JSONError) { parser = try JSONParser(maxDepth: 32) }

  /// Calls `body` with each decision of a record.
  ///
  /// - Returns: whether the whole record could be read.
  func decode(_ value: ByteView?, _ body: (Decision) throws -> Void) throws -> Bool {
    guard let value, let root = try? parser.parse(value), root.kind == .array else { return false }
    var isWhole = true
    for element in root.elements {
      if let decision = Decision(element) { try body(decision) } else { isWhole = false }
    }
    return isWhole
  }
}

extension Decision {
  fileprivate init?(_ element: JSONValue) {
    guard let id = element["id"]?.rawString, let dash = id.buffer.lastIndex(of: UInt8(ascii: "-")),
      let number = UInt64(id.slice(dash + 1..<id.count).string), number < .max, let data = element["data"],
      data.kind == .object, let time = element["time"].flatMap({ RFC3339.milliseconds(of: $0.rawString) })
    else { return nil }
    self.number = number
    self.time = time
    self.data = data
    subject = .other
    if data["notification"] != nil, data["channels"] != nil {
      guard let arrival = Arrival(data) else { return nil }
      subject = .arrival(arrival)
    } else if data["window"] != nil, data["members"] != nil {
      guard let closure = Closure(data) else { return nil }
      subject = .closure(closure)
    } else if data["window"] != nil, data["notification"] != nil {
      guard let withdrawal = Withdrawal(data) else { return nil }
      subject = .withdrawal(withdrawal)
    } else if data["audience"] != nil {
      guard let fanOut = FanOut(data) else { return nil }
      subject = .fanOut(fanOut)
    }
  }
}

extension Decision.Arrival {
  fileprivate init?(_ data: JSONValue) {
    guard let notification = data["notification"]?.hash, let place = data["at"],
      let topic = place["topic"]?.rawString, let offset = place["offset"]?.integer,
      let channels = data["channels"]
    else { return nil }
    self.notification = notification
    self.topic = topic
    self.offset = offset
    self.channels = []
    caughtUp = []
    for channel in Channel.allCases {
      guard let value = channels[channel.literal] else { continue }
      guard let outcome = Decision.Outcome(value) else { return nil }
      self.channels.append((channel, outcome))
      if let policy = value["policy"], policy.rawString.equals(DecisionGrounds.Policy.catchUp.literal) {
        caughtUp.append(channel)
      }
    }
  }
}

extension Decision.Outcome {
  fileprivate init?(_ value: JSONValue) {
    guard let name = value["outcome"]?.string else { return nil }
    switch name {
    case "open":
      guard let window = value["window"]?.hash else { return nil }
      self = .open(
        window: window, until: value["until"].flatMap { RFC3339.milliseconds(of: $0.rawString) })
    case "delivered":
      guard let delivery = value["delivery"]?.hash else { return nil }
      self = .delivered(delivery)
    case "suppressed": self = .suppressed(reason: value["reason"]?.string ?? "")
    case "expired": self = .expired
    case "retracted": self = .retracted
    case "collapsed": self = .collapsed
    default: self = .other(name)
    }
  }
}

extension Decision.Withdrawal {
  fileprivate init?(_ data: JSONValue) {
    guard let channel = data["channel"].flatMap({ Channel(name: $0.rawString) }),
      let window = data["window"]?.hash, let notification = data["notification"]?.hash,
      let outcome = Decision.Outcome(data)
    else { return nil }
    self.channel = channel
    self.window = window
    self.notification = notification
    self.outcome = outcome
    cause = data["by"]?["event"]?.string
  }
}

extension Decision.FanOut {
  fileprivate init?(_ data: JSONValue) {
    guard let place = data["at"], let topic = place["topic"]?.rawString,
      let offset = place["offset"]?.integer, let outcome = data["outcome"]?.string
    else { return nil }
    self.topic = topic
    self.offset = offset
    if outcome == "fannedOut" {
      guard let served = data["recipients"]?.integer else { return nil }
      self.served = served
    }
  }
}

extension Decision.Closure {
  fileprivate init?(_ data: JSONValue) {
    guard let channel = data["channel"].flatMap({ Channel(name: $0.rawString) }),
      let window = data["window"]?.hash, let members = data["members"]
    else { return nil }
    self.channel = channel
    self.window = window
    delivery = data["delivery"]?.hash
    isSingly = data["singly"]?.bool ?? false
    self.members = []
    expired = []
    for member in members.elements {
      guard let hash = member.hash else { return nil }
      self.members.append(hash)
    }
    if let left = data["expired"] {
      for member in left.elements {
        guard let hash = member.hash else { return nil }
        expired.append(hash)
      }
    }
    if let left = data["suppressed"] {
      reason = data["reason"]?.string
      for member in left.elements {
        guard let hash = member.hash else { return nil }
        suppressed.append(hash)
      }
    }
  }
}

extension JSONValue {
  /// A string of 32 hexadecimal digits as the hash that it stands for.
  var hash: Hash128? { Hash128(hex: rawString) }
}

extension Hash128 {
  /// The hash that 32 hexadecimal digits stand for.
  init?(hex text: ByteView) {
    guard text.count == 32 else { return nil }
    var halves: (UInt64, UInt64) = (0, 0)
    for index in 0..<32 {
      let byte = text[index]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      if index < 16 {
        halves.0 = halves.0 << 4 | UInt64(digit)
      } else {
        halves.1 = halves.1 << 4 | UInt64(digit)
      }
    }
    self.init(high: halves.0, low: halves.1)
  }
}
