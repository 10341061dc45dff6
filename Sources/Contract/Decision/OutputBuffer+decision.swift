/// The value of a record of `decisions` is written into a buffer of its own: the first decision opens the array,
/// `endDecisions` closes it.
extension OutputBuffer {
  /// Appends the decision about an arrival: a CloudEvent of type `tidings.decision.v1`.
  public mutating func append(arrival: ArrivalDecision, head: DecisionHead) {
    // The category once more in the grounds of each channel.
    let texts =
      arrival.tenant.count + arrival.recipient.count + arrival.source.count + arrival.event.count
      + arrival.type.count + arrival.topic.count + arrival.category.count * (1 + Channel.allCases.count)
    let isFirst = count == 0
    write(atMost: 2304 + 6 * texts) {
      $0.write(head, isFirst: isFirst)
      $0.write(arrival)
    }
  }

  /// Appends the decision about a window that was closed: a CloudEvent of type `tidings.decision.v1`.
  public mutating func append(closure: ClosureDecision, head: DecisionHead) {
    let isFirst = count == 0
    let hashes = closure.members.count + closure.expired.count + closure.suppressed.count
    write(atMost: 1280 + 6 * (closure.tenant.count + closure.recipient.count) + 35 * hashes) {
      $0.write(head, isFirst: isFirst)
      $0.write(closure)
    }
  }

  /// Closes the array of decisions; a buffer without a decision stays empty.
  public mutating func endDecisions() {
    if count > 0 { append("]") }
  }

  mutating func append(envelopeOf head: DecisionHead) {
    let isFirst = count == 0
    write(atMost: 256) { $0.write(head, isFirst: isFirst) }
  }
}

extension OutputCursor {
  fileprivate mutating func write(_ head: DecisionHead, isFirst: Bool) {
    if isFirst { byte(UInt8(ascii: "[")) } else { literal(",\n") }
    literal(#"{"specversion":"1.0","id":""#)
    decimal(Int64(head.partition))
    byte(UInt8(ascii: "-"))
    decimal(Int64(clamping: head.number))
    literal(#"","source":"tidings","type":"tidings.decision.v1","time":"#)
    time(head.timeMilliseconds)
    literal(#","data":"#)
  }

  fileprivate mutating func write(_ arrival: ArrivalDecision) {
    literal(#"{"tenant":"#)
    string(arrival.tenant)
    literal(#","recipient":"#)
    string(arrival.recipient)
    literal(#","source":"#)
    string(arrival.source)
    literal(#","event":"#)
    string(arrival.event)
    literal(#","type":"#)
    string(arrival.type)
    if !arrival.category.isEmpty {
      literal(#","category":"#)
      string(arrival.category)
    }
    literal(#","notification":"#)
    quoted(arrival.notification)
    literal(#","at":{"topic":"#)
    string(arrival.topic)
    literal(#","offset":"#)
    decimal(arrival.offset)
    literal(#"},"catalog":"#)
    quoted(catalog: arrival.catalog)
    if arrival.isDuplicate { literal(#","duplicate":true"#) }
    if let record = arrival.recipientRecord {
      literal(#","recipientRecord":"#)
      decimal(record)
    }
    if let retracted = arrival.retracts {
      literal(#","retracts":"#)
      quoted(retracted)
    }
    literal(#","channels":{"#)
    if let outcome = arrival.channels.email {
      literal(#""email":"#)
      write(outcome, arrival.grounds.email, category: arrival.category, channel: .email)
    }
    if let outcome = arrival.channels.inapp {
      if arrival.channels.email != nil { byte(UInt8(ascii: ",")) }
      literal(#""inapp":"#)
      write(outcome, arrival.grounds.inapp, category: arrival.category, channel: .inapp)
    }
    literal("}}}")
  }

  private mutating func write(
    _ outcome: ChannelOutcome, _ grounds: DecisionGrounds?, category: ByteView, channel: Channel
  ) {
    switch outcome {
    case .open(let window, let untilMilliseconds):
      literal(#"{"outcome":"open","window":"#)
      quoted(window)
      literal(#","until":"#)
      time(untilMilliseconds)
    case .delivered(let delivery):
      literal(#"{"outcome":"delivered","delivery":"#)
      quoted(delivery)
    case .suppressed(let reason):
      literal(#"{"outcome":"suppressed","reason":"#)
      quoted(reason.literal)
    case .expired: literal(#"{"outcome":"expired""#)
    case .retracted: literal(#"{"outcome":"retracted""#)
    case .collapsed: literal(#"{"outcome":"collapsed""#)
    }
    if let grounds { write(grounds, category: category, channel: channel) }
    byte(UInt8(ascii: "}"))
  }

  fileprivate mutating func write(_ closure: ClosureDecision) {
    literal(#"{"tenant":"#)
    string(closure.tenant)
    literal(#","recipient":"#)
    string(closure.recipient)
    literal(#","channel":"#)
    quoted(closure.channel.literal)
    literal(#","window":"#)
    quoted(closure.window)
    if let delivery = closure.delivery {
      literal(#","outcome":"delivered","delivery":"#)
      quoted(delivery)
    } else if closure.isSingly, !closure.members.isEmpty {
      literal(#","outcome":"delivered","singly":true"#)
    } else if !closure.suppressed.isEmpty {
      literal(#","outcome":"suppressed","reason":"#)
      quoted(closure.suppressionReason.literal)
    } else if closure.expired.isEmpty {
      literal(#","outcome":"empty""#)
    } else {
      literal(#","outcome":"expired""#)
    }
    literal(#","events":"#)
    decimal(Int64(closure.members.count))
    literal(#","members":"#)
    write(closure.members)
    if !closure.expired.isEmpty {
      literal(#","expired":"#)
      write(closure.expired)
    }
    if !closure.suppressed.isEmpty {
      literal(#","suppressed":"#)
      write(closure.suppressed)
    }
    literal("}}")
  }

  private mutating func write(_ hashes: UnsafeBufferPointer<Hash128>) {
    byte(UInt8(ascii: "["))
    for index in 0..<hashes.count {
      if index > 0 { byte(UInt8(ascii: ",")) }
      quoted(hashes[index])
    }
    byte(UInt8(ascii: "]"))
  }
}
