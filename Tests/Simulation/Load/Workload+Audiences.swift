import Contract
import SeededTesting

/// Audiences that grow, shrink and are divided anew, and events for them.
extension Workload {
  /// One of them has no part, ever.
  private static let audiences: [(tenant: String, name: String)] = [
    ("default", "board:0"), ("default", "board:1"), ("acme", "board:0"), ("default", "nobody"),
  ]

  /// The next record that concerns an audience, published at `now`.
  mutating func audience(now: Int64) -> PublishedRecord {
    if parts.isEmpty || follows(0.5) { return part() }
    let roll = Double.random(in: 0..<1, using: &following)
    if roll < 0.03 { return brokenPart() }
    let known = published.filter { $0.audience != nil }
    if roll < 0.2, let fact = known.suffix(8).randomElement(using: &following) { return event(fact) }
    return event(audienceEvent(now: now))
  }

  private mutating func audienceEvent(now: Int64) -> EventFact {
    let drawn = Int.random(in: 0..<Self.audiences.count + 3, using: &following)
    let audience = Self.audiences[drawn < Self.audiences.count ? drawn : 0]
    nextID += 1
    var fact = EventFact(
      id: "e\(nextID)", type: types[Int.random(in: 0..<types.count, using: &following)], recipients: [])
    fact.source = source()
    fact.audience = audience.name
    fact.tenant = audience.tenant
    if follows(0.5) { fact.actor = recipients[Int.random(in: 0..<recipients.count, using: &following)].id }
    if follows(0.3) { fact.subject = "board/\(Int.random(in: 0..<3, using: &following))" }
    if follows(0.1) { fact.expiry = now + Int64.random(in: -500...12_000, using: &following) }
    if follows(0.15), let other = published.suffix(12).randomElement(using: &following) {
      fact.retracts = other.id
      fact.source = other.source
    }
    published.append(fact)
    return fact
  }

  /// A part of an audience: another member or some, fewer, none, or no part at all. Members go from part to part, by way
  /// of being in both.
  private mutating func part() -> PublishedRecord {
    let audience = Self.audiences[Int.random(in: 0..<Self.audiences.count - 1, using: &following)]
    let key = audience.tenant == "default" ? audience.name : "\(audience.tenant)/\(audience.name)"
    let part = ["", "1", "2"][Int.random(in: 0..<3, using: &following)]
    var members: Set<String>? = parts[key]?[part] ?? []
    switch Double.random(in: 0..<1, using: &following) {
    case ..<0.6:
      for _ in 0..<Int.random(in: 1...6, using: &following) { members?.insert(member(of: audience.tenant)) }
    case ..<0.75:
      // From another part, which has them as well until its own next record.
      for other in (parts[key] ?? [:]).sorted(by: { $0.key < $1.key }) where other.key != part {
        members?.formUnion(other.value.sorted().prefix(4))
      }
    case ..<0.93:
      for member in (members ?? []).sorted() where follows(0.4) { members?.remove(member) }
    case ..<0.96: members = []
    default: members = nil
    }
    parts[key, default: [:]][part] = members
    return record(of: key, part, members)
  }

  /// Somebody who may have a record of their own, or one of many who have none.
  private mutating func member(of tenant: String) -> String {
    let known = recipients.filter { $0.tenant == tenant }.map(\.id)
    if follows(0.4), let id = known.randomElement(using: &following) { return id }
    return "f\(Int.random(in: 0..<24, using: &following))"
  }

  private func record(of audience: String, _ part: String, _ members: Set<String>?) -> PublishedRecord {
    // A part is always published at home, or never: see the recipients' records.
    let isAway = part == "2"
    let list = members.map { $0.sorted().map { "\"\($0)\"" }.joined(separator: ",") }
    return PublishedRecord(
      topic: .subscriptions, partition: (home(audience) + (isAway ? 1 : 0)) % partitionCount,
      key: Array(partKey(audience, part).utf8), value: list.map { Array("{\"recipients\":[\($0)]}".utf8) },
      headers: [], kind: .part(audience: audience, part: part, members))
  }

  private mutating func brokenPart() -> PublishedRecord {
    let values = ["{\"recipients\":7}", "[]", "{\"recipients\":[\"a/b\"]}"]
    return PublishedRecord(
      topic: .subscriptions, partition: home("board:0"), key: Array("board:0#1".utf8),
      value: Array(values[Int.random(in: 0..<values.count, using: &following)].utf8), headers: [],
      kind: .broken)
  }

  mutating func follows(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &following) < probability
  }
}

/// The key of the record of an audience's part.
func partKey(_ audience: String, _ part: String) -> String { part.isEmpty ? audience : "\(audience)#\(part)" }
