/// The value of a record of `decisions` is written into a buffer of its own: the first decision opens the array,
/// `endDecisions` closes it.
extension OutputBuffer {
  /// Appends the decision about an arrival: a CloudEvent of type `tidings.decision.v1`.
  public mutating func append(arrival: ArrivalDecision, head: DecisionHead) {
    append(envelopeOf: head)
    append("{\"tenant\":")
    append(jsonString: arrival.tenant)
    append(comma: "recipient", text: arrival.recipient)
    append(comma: "source", text: arrival.source)
    append(comma: "event", text: arrival.event)
    append(comma: "type", text: arrival.type)
    append(comma: "category", present: arrival.category)
    append(comma: "notification", hash: arrival.notification)
    append(",\"at\":{\"topic\":")
    append(jsonString: arrival.topic)
    append(comma: "offset", number: arrival.offset)
    append("}")
    append(comma: "catalog", catalog: arrival.catalog)
    if arrival.isDuplicate { append(",\"duplicate\":true") }
    if let record = arrival.recipientRecord { append(comma: "recipientRecord", number: record) }
    if let retracted = arrival.retracts { append(comma: "retracts", hash: retracted) }
    append(",\"channels\":{")
    var isFirst = true
    for channel in Channel.allCases {
      guard let outcome = arrival.channels[channel] else { continue }
      if !isFirst { append(byte: UInt8(ascii: ",")) }
      isFirst = false
      append(byte: UInt8(ascii: "\""))
      append(channel.literal)
      append("\":")
      append(outcome: outcome)
      if let grounds = arrival.grounds[channel] {
        append(grounds: grounds, category: arrival.category, channel: channel)
      }
      append(byte: UInt8(ascii: "}"))
    }
    append("}}}")
  }

  /// Appends the decision about a window that was closed: a CloudEvent of type `tidings.decision.v1`.
  public mutating func append(closure: ClosureDecision, head: DecisionHead) {
    append(envelopeOf: head)
    append("{\"tenant\":")
    append(jsonString: closure.tenant)
    append(comma: "recipient", text: closure.recipient)
    append(comma: "channel", literal: closure.channel.literal)
    append(comma: "window", hash: closure.window)
    if let delivery = closure.delivery {
      append(comma: "outcome", literal: "delivered")
      append(comma: "delivery", hash: delivery)
    } else if closure.isSingly, !closure.members.isEmpty {
      append(comma: "outcome", literal: "delivered")
      append(",\"singly\":true")
    } else {
      append(comma: "outcome", literal: closure.expired.isEmpty ? "empty" : "expired")
    }
    append(comma: "events", number: Int64(closure.members.count))
    append(comma: "members")
    append(hashes: closure.members)
    if !closure.expired.isEmpty {
      append(comma: "expired")
      append(hashes: closure.expired)
    }
    append("}}")
  }

  /// Closes the array of decisions; a buffer without a decision stays empty.
  public mutating func endDecisions() {
    if count > 0 { append("]") }
  }

  mutating func append(envelopeOf head: DecisionHead) {
    append(count == 0 ? "[{\"specversion\":\"1.0\",\"id\":\"" : ",\n{\"specversion\":\"1.0\",\"id\":\"")
    append(decimal: Int64(head.partition))
    append(byte: UInt8(ascii: "-"))
    append(decimal: Int64(clamping: head.number))
    append("\",\"source\":\"tidings\",\"type\":\"tidings.decision.v1\"")
    append(comma: "time", instant: head.timeMilliseconds)
    append(comma: "data")
  }

  /// Appends the object of an outcome without its closing brace.
  private mutating func append(outcome: ChannelOutcome) {
    switch outcome {
    case .open(let window, let untilMilliseconds):
      append("{\"outcome\":\"open\"")
      append(comma: "window", hash: window)
      append(comma: "until", instant: untilMilliseconds)
    case .delivered(let delivery):
      append("{\"outcome\":\"delivered\"")
      append(comma: "delivery", hash: delivery)
    case .suppressed(let reason):
      append("{\"outcome\":\"suppressed\"")
      append(comma: "reason", literal: reason.literal)
    case .expired: append("{\"outcome\":\"expired\"")
    case .retracted: append("{\"outcome\":\"retracted\"")
    case .collapsed: append("{\"outcome\":\"collapsed\"")
    }
  }

  private mutating func append(hashes: UnsafeBufferPointer<Hash128>) {
    append(byte: UInt8(ascii: "["))
    reserve(hashes.count * 35 + 1)
    for index in 0..<hashes.count {
      if index > 0 { append(byte: UInt8(ascii: ",")) }
      append(quoted: hashes[index])
    }
    append(byte: UInt8(ascii: "]"))
  }
}
