/// What recipients do with what they got, and what becomes of it on its way: mostly of what was published just before.
extension Workload {
  mutating func engagement(now: Int64) -> PublishedRecord {
    let fact = drawEngagement(now: now)
    // Another partitioner: it is handed on to its home.
    let isAway = engages(0.1)
    let partition = isAway ? Int.random(in: 0..<partitionCount, using: &engaged) : home(fact.key)
    var kind = InputFact.Kind.engagement(fact)
    var text = Self.text(of: fact)
    if engages(0.03) {
      text =
        ["seen", "{\"specversion\":\"1.0\"}", text.replacing("tidings.engagement.", with: "tidings.")]
        .randomElement(using: &engaged) ?? ""
      kind = .broken
    }
    return PublishedRecord(
      topic: .engagement, partition: partition, key: engages(0.9) ? Array(fact.key.utf8) : nil,
      value: Array(text.utf8), headers: [("content-type", Array("application/cloudevents+json".utf8))],
      kind: kind)
  }

  private mutating func drawEngagement(now: Int64) -> EngagementFact {
    let last = published.count - 1
    let event = published[last - Int.random(in: 0...min(last, 15), using: &engaged)]
    // Of an event for an audience, somebody who may follow it.
    let concerned =
      event.audience == nil ? event.recipients : recipients.filter { $0.tenant == event.tenant }.map(\.id)
    let recipient = concerned.randomElement(using: &engaged) ?? "f0"
    let kinds = [
      "seen", "seen", "seen", "read", "clicked", "unsubscribed", "resubscribed", "resubscribed", "bounced",
      "complained",
    ]
    let number = Int.random(in: 0..<1_000_000, using: &engaged)
    var fact = EngagementFact(
      kind: kinds[Int.random(in: 0..<kinds.count, using: &engaged)], id: "g\(number)", tenant: event.tenant,
      recipient: recipient, channel: "inapp")
    switch fact.kind {
    case "unsubscribed", "resubscribed":
      fact.channel = engages(0.7) ? "email" : "inapp"
      // Whoever complained does so again, unless they want all again.
      fact.category = ["cards", "cards", "builds", "security", "urgent", "*"].randomElement(using: &engaged)
    case "bounced":
      fact.channel = "email"
      let address = addresses[fact.key] ?? "nobody@example.org"
      fact.address = engages(0.2) ? "old.\(address)" : address
    case "complained": fact.channel = "email"
    default:
      fact.events = [event.name]
      // What is still to come was seen elsewhere; what never comes does nothing.
      if engages(0.2), let other = published.randomElement(using: &engaged), other.tenant == event.tenant {
        fact.events.append(other.name)
      }
    }
    if engages(0.5) { fact.time = now - Int64.random(in: 0...5_000, using: &engaged) }
    return fact
  }

  private static func text(of fact: EngagementFact) -> String {
    var text = "{\"specversion\":\"1.0\",\"id\":\"\(fact.id)\",\"source\":\"/sim/inbox\","
    text += "\"type\":\"tidings.engagement.\(fact.kind)\",\"recipient\":\"\(fact.recipient)\","
    text += "\"channel\":\"\(fact.channel)\""
    if fact.tenant != "default" { text += ",\"tenant\":\"\(fact.tenant)\"" }
    if let category = fact.category { text += ",\"category\":\"\(category)\"" }
    if let time = fact.time { text += ",\"time\":\"\(instant(time))\"" }
    if let address = fact.address { text += ",\"data\":{\"address\":\"\(address)\"}" }
    if !fact.events.isEmpty {
      let events = fact.events.map { "{\"source\":\"\($0.source)\",\"id\":\"\($0.id)\"}" }
      text += ",\"data\":{\"events\":[\(events.joined(separator: ","))]}"
    }
    return text + "}"
  }

  mutating func engages(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &engaged) < probability
  }
}
