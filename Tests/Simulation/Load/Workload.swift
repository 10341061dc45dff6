import Contract
import SeededTesting

/// A record on its way into an input topic, with what is true of it.
struct PublishedRecord {
  var topic: InputFacts.Topic
  var partition: Int
  var key: [UInt8]?
  var value: [UInt8]?
  var headers: [(name: String, value: [UInt8])]
  var kind: InputFact.Kind
}

/// What upstream teams and the directory of recipients publish in a run: events of all kinds, a good part of them
/// repeats, and recipients that come, change and go. It depends on the seed and the time alone, not on what the
/// processor does.
struct Workload {
  /// How busy it is.
  struct Shape {
    var recipients: Int
    /// The mean distance between two events, in milliseconds.
    var meanDistance: Int64
    /// The share of events that were published before.
    var repeats: Double
    /// The largest number of events at once.
    var burst: Int
    /// The longest time without an event, in milliseconds.
    var idle: Int64
    /// Whether ids are chosen so that they crowd in few shards of the dedup table, which then grow and are swept.
    var isCrowded: Bool
  }

  let shape: Shape
  let partitionCount: Int
  /// The types' names, of both catalogs.
  let types: [String]
  var random: SeededGenerator
  /// Draws what concerns the recipients' wishes.
  private var wishes: SeededGenerator
  /// Draws what recipients do with what they got.
  var engaged: SeededGenerator

  /// Draws what concerns audiences.
  var following: SeededGenerator
  /// Draws what concerns the names of events.
  private var naming: SeededGenerator
  /// The ids that were given to a second event.
  private var shared: Set<String> = []
  /// By audience and part who is in it, as published last.
  var parts: [String: [String: Set<String>]] = [:]

  private static let sources = ["/sim", "/sim/b"]

  let recipients: [(tenant: String, id: String)]
  var published: [EventFact] = []
  /// By key: the address that was published last.
  private(set) var addresses: [String: String] = [:]
  var nextID = 0
  private var burstLeft = 0
  private let hasBrokenRecipients: Bool

  init(shape: Shape, partitionCount: Int, types: [String], random: SeededGenerator) {
    self.shape = shape
    self.partitionCount = partitionCount
    self.types = types
    var random = random
    hasBrokenRecipients = Bool.random(using: &random)
    wishes = SeededGenerator(seed: random.seed &* 0xC2B2_AE35 &+ 3)
    engaged = SeededGenerator(seed: random.seed &* 0x27D4_EB2F &+ 4)
    following = SeededGenerator(seed: random.seed &* 0x1656_67B1 &+ 6)
    naming = SeededGenerator(seed: random.seed &* 0x9E37_79B1 &+ 7)
    self.random = random
    // The same names in both tenants.
    recipients = (0..<shape.recipients).map { $0 % 5 == 4 ? ("acme", "r\($0 / 5)") : ("default", "r\($0)") }
  }

  /// Most recipients are known before the first event.
  mutating func directory(now: Int64) -> [PublishedRecord] {
    var records: [PublishedRecord] = []
    for index in recipients.indices where !chance(0.15) {
      records.append(recipientRecord(of: index, fact: drawProfile(now: now)))
    }
    return records
  }

  /// How long until the next record, in milliseconds.
  mutating func pause() -> Int64 {
    if burstLeft > 0 {
      burstLeft -= 1
      return 0
    }
    if chance(0.01) {
      burstLeft = Int.random(in: 1...max(1, shape.burst), using: &random)
      return 0
    }
    if chance(0.006) { return Int64.random(in: 0...shape.idle, using: &random) }
    return Int64.random(in: 0...(2 * shape.meanDistance), using: &random)
  }

  /// The next record, published at `now`.
  mutating func next(now: Int64) -> PublishedRecord {
    if !published.isEmpty, engages(0.1) { return engagement(now: now) }
    if follows(0.12) { return audience(now: now) }
    let roll = Double.random(in: 0..<1, using: &random)
    if roll < 0.05 {
      let index = Int.random(in: 0..<recipients.count, using: &random)
      return recipientRecord(of: index, fact: chance(0.15) ? nil : drawProfile(now: now))
    }
    if hasBrokenRecipients, roll < 0.055 { return brokenRecipient() }
    if roll < 0.085 { return brokenEvent() }
    if !published.isEmpty, chance(shape.repeats) { return event(repeated()) }
    return event(newEvent(now: now))
  }

  // MARK: - Events

  private mutating func newEvent(now: Int64) -> EventFact {
    let recipient = recipients[Int.random(in: 0..<recipients.count, using: &random)]
    var fact = EventFact(
      id: "", type: types[Int.random(in: 0..<types.count, using: &random)], recipients: [recipient.id])
    fact.tenant = recipient.tenant
    if chance(0.08) {
      let tenant = fact.tenant
      let others = recipients.filter { $0.tenant == tenant && $0.id != recipient.id }.shuffled(using: &random)
      fact.recipients += others.prefix(Int.random(in: 1...8, using: &random)).map(\.id)
    }
    if chance(0.8) { fact.actor = "a\(Int.random(in: 0..<4, using: &random))" }
    if chance(0.1) { fact.category = chance(0.5) ? "cards" : "urgent" }
    if chance(0.12) { fact.expiry = now + Int64.random(in: -500...12_000, using: &random) }
    if chance(0.01) { fact.type = CatalogSpec.unknownType }
    if wish(0.12) { fact.actor = recipient.id }
    if wish(0.4) { fact.subject = "board/\(Int.random(in: 0..<3, using: &wishes))" }
    if wish(0.08) { fact.isCritical = true }
    if chance(0.15) { fact.collapseKey = "k\(Int.random(in: 0..<2, using: &random))" }
    if chance(0.3) { fact.time = now + Int64.random(in: -3_000...500, using: &random) }
    fact.source = source()
    if chance(0.08) { takeBack(with: &fact) }
    fact.number = Int.random(in: 0..<4, using: &random)
    fact.id = newID(of: fact)
    if names(0.1) { shareID(&fact) }
    published.append(fact)
    return fact
  }

  /// Mostly what is recent, so that it may wait; sometimes what is still to come, or never comes.
  private mutating func takeBack(with fact: inout EventFact) {
    guard !published.isEmpty, chance(0.8) else { return fact.retracts = "e\(nextID + 5)" }
    let last = published.count - 1
    let other = published[last - Int.random(in: 0...min(last, 12), using: &random)]
    // An event for an audience is taken back by one for the same audience alone.
    fact.retracts = other.id
    fact.source = other.source
    guard other.audience == nil else { return }
    fact.tenant = other.tenant
    fact.recipients = other.recipients
  }

  mutating func source() -> String { names(0.3) ? Self.sources[1] : Self.sources[0] }

  /// Gives an event the id of another one that has another source, or is in another tenant.
  private mutating func shareID(_ fact: inout EventFact) {
    guard fact.retracts == nil, let other = published.suffix(20).randomElement(using: &naming),
      other.audience == nil, shared.insert(other.id).inserted
    else { return }
    fact.id = other.id
    guard fact.tenant == other.tenant else { return fact.source = other.source }
    fact.source = Self.sources.first { $0 != other.source } ?? ""
    if names(0.7) { fact.recipients = other.recipients }
  }

  private mutating func newID(of fact: EventFact) -> String {
    nextID += 1
    guard shape.isCrowded else { return "e\(nextID)" }
    var probe = fact
    for attempt in 0..<400 {
      probe.id = "e\(nextID).\(attempt)"
      // Half of one shard of 256.
      if probe.notification(for: fact.recipients[0]).hasPrefix("00") { return probe.id }
    }
    return probe.id
  }

  private mutating func repeated() -> EventFact {
    // Mostly what is recent; sometimes from around the horizon or far behind it.
    let last = published.count - 1
    let back =
      chance(0.7)
      ? Int.random(in: 0...min(last, 20), using: &random) : Int.random(in: 0...last, using: &random)
    var fact = published[last - back]
    if chance(0.1) { fact.actor = "somebody else" }
    return fact
  }

  mutating func event(_ fact: EventFact) -> PublishedRecord {
    let key = fact.key(of: fact.audience ?? fact.recipients[0])
    var partition = home(key)
    // Another partitioner, or an upstream team's own habits.
    if chance(0.05) { partition = Int.random(in: 0..<partitionCount, using: &random) }
    let isBroken = fact.type == CatalogSpec.unknownType
    return PublishedRecord(
      topic: .events, partition: partition, key: chance(0.9) ? Array(key.utf8) : nil,
      value: chance(0.3) ? Array("{\"n\":\(fact.number)}".utf8) : Array(Self.structured(fact).utf8),
      headers: [],
      kind: isBroken ? .broken : .event(fact)
    ).binaryIfData(fact)
  }

  private static func structured(_ fact: EventFact) -> String {
    var text = "{\"specversion\":\"1.0\",\"id\":\"\(fact.id)\",\"source\":\"\(fact.source)\","
    text += "\"type\":\"\(fact.type)\""
    if let audience = fact.audience {
      text += ",\"audience\":\"\(audience)\""
    } else {
      let name = fact.recipients.count > 1 ? "recipients" : "recipient"
      text += ",\"\(name)\":\"\(fact.recipients.joined(separator: ","))\""
    }
    if fact.tenant != "default" { text += ",\"tenant\":\"\(fact.tenant)\"" }
    if let actor = fact.actor { text += ",\"actor\":\"\(actor)\"" }
    if let category = fact.category { text += ",\"category\":\"\(category)\"" }
    if let subject = fact.subject { text += ",\"subject\":\"\(subject)\"" }
    if fact.isCritical { text += ",\"priority\":\"critical\"" }
    if let expiry = fact.expiry { text += ",\"expirytime\":\"\(instant(expiry))\"" }
    if let time = fact.time { text += ",\"time\":\"\(instant(time))\"" }
    if let retracts = fact.retracts { text += ",\"retracts\":\"\(retracts)\"" }
    if let key = fact.collapseKey { text += ",\"collapsekey\":\"\(key)\"" }
    return text + ",\"data\":{\"n\":\(fact.number)}}"
  }

  private mutating func brokenEvent() -> PublishedRecord {
    let values: [String?] = [
      "not JSON", "{\"specversion\":\"1.0\"}", nil,
      "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"/sim\",\"type\":\"login\"}",
      "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"/sim\",\"type\":\"login\",\"recipient\":\"a/b\"}",
    ]
    let value = values[Int.random(in: 0..<values.count, using: &random)]
    return PublishedRecord(
      topic: .events, partition: Int.random(in: 0..<partitionCount, using: &random), key: nil,
      value: value.map { Array($0.utf8) },
      headers: [("content-type", Array("application/cloudevents+json".utf8))], kind: .broken)
  }

  // MARK: - Recipients

  private mutating func drawProfile(now: Int64) -> RecipientFact {
    var fact = RecipientFact()
    if !chance(0.12) { fact.email = "u\(Int.random(in: 0..<1000, using: &random))@example.org" }
    if chance(0.3) { fact.locale = chance(0.5) ? "de" : "en" }
    if chance(0.6) {
      fact.timeZone = MinuteTimes.zones[Int.random(in: 0..<MinuteTimes.zones.count, using: &random)]
    }
    if chance(0.25) {
      fact.optOut.append(
        (["cards", "builds", "security", "*"][Int.random(in: 0..<4, using: &random)], "email"))
    }
    if chance(0.08) { fact.optOut.append(("cards", "inapp")) }
    drawWishes(&fact, now: now)
    return fact
  }

  private mutating func drawWishes(_ fact: inout RecipientFact, now: Int64) {
    let settings = ["on", "on", "off", "instant", "instant", "hourly", "daily", "weekly"]
    for category in ["*", "cards", "builds", "security", "urgent", "nobody's"] where wish(0.15) {
      for channel in ["*", "email", "inapp"] where wish(0.4) {
        fact.preferences[category, default: [:]][channel] =
          settings[Int.random(in: 0..<settings.count, using: &wishes)]
      }
    }
    if wish(0.2) {
      let from = MinuteTimes.minute(of: now, in: fact.timeZone) + Int64.random(in: -1...1, using: &wishes)
      let length = Int64.random(in: 1...2, using: &wishes)
      fact.quietHours = ((from + 1_440) % 1_440, (from + length + 1_440) % 1_440)
    }
    for board in 0..<3 where wish(0.12) {
      fact.mutes["board/\(board)"] = wish(0.2) ? .max : now + Int64.random(in: -500...20_000, using: &wishes)
    }
  }

  private mutating func recipientRecord(of index: Int, fact: RecipientFact?) -> PublishedRecord {
    let recipient = recipients[index]
    let key = EventFact(id: "", type: "", recipients: []).with(tenant: recipient.tenant).key(of: recipient.id)
    addresses[key] = fact?.email
    // Away from home it is republished; a repeat of the order of both would depend on chance alone, so that those
    // are always away, or never.
    let isAway = index % 7 == 3
    let partition = isAway ? (home(key) + 1) % partitionCount : home(key)
    return PublishedRecord(
      topic: .recipients, partition: partition, key: Array(key.utf8),
      value: fact.map { Array(Self.json($0).utf8) },
      headers: [], kind: .recipient(key: key, fact))
  }

  private static func json(_ fact: RecipientFact) -> String {
    var fields: [String] = []
    if let email = fact.email { fields.append("\"email\":\"\(email)\"") }
    if let locale = fact.locale { fields.append("\"locale\":\"\(locale)\"") }
    if let timeZone = fact.timeZone { fields.append("\"timeZone\":\"\(timeZone)\"") }
    if !fact.optOut.isEmpty {
      let entries = fact.optOut.map { "{\"category\":\"\($0.category)\",\"channel\":\"\($0.channel)\"}" }
      fields.append("\"optOut\":[\(entries.joined(separator: ","))]")
    }
    if !fact.preferences.isEmpty {
      let categories = fact.preferences.sorted { $0.key < $1.key }.map { category, channels in
        let settings = channels.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
        return "\"\(category)\":{\(settings.joined(separator: ","))}"
      }
      fields.append("\"preferences\":{\(categories.joined(separator: ","))}")
    }
    if let hours = fact.quietHours {
      let (from, until) = (MinuteTimes.clock(hours.from), MinuteTimes.clock(hours.until))
      fields.append("\"quietHours\":{\"from\":\"\(from)\",\"until\":\"\(until)\"}")
    }
    if !fact.mutes.isEmpty {
      let mutes = fact.mutes.sorted { $0.key < $1.key }.map { subject, until in
        "{\"subject\":\"\(subject)\"\(until == .max ? "" : ",\"until\":\"\(instant(until))\"")}"
      }
      fields.append("\"mutes\":[\(mutes.joined(separator: ","))]")
    }
    return "{\(fields.joined(separator: ","))}"
  }

  private mutating func brokenRecipient() -> PublishedRecord {
    let recipient = recipients[Int.random(in: 0..<recipients.count, using: &random)].id
    return PublishedRecord(
      topic: .recipients, partition: home(recipient), key: Array(recipient.utf8),
      value: Array("{\"email\":7}".utf8), headers: [], kind: .broken)
  }

  // MARK: -

  func home(_ key: String) -> Int {
    Int(key.withByteView { Murmur2.partition(ofKey: $0, count: Int32(partitionCount)) })
  }

  private mutating func chance(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &random) < probability
  }

  private mutating func names(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &naming) < probability
  }

  private mutating func wish(_ probability: Double) -> Bool {
    Double.random(in: 0..<1, using: &wishes) < probability
  }
}

extension EventFact {
  fileprivate func with(tenant: String) -> EventFact {
    var copy = self
    copy.tenant = tenant
    return copy
  }
}

extension PublishedRecord {
  /// Gives a record whose value is the data alone its attributes in headers; others their content type.
  fileprivate func binaryIfData(_ fact: EventFact) -> PublishedRecord {
    var record = self
    guard value?.count == 7 else {
      record.headers = [("content-type", Array("application/cloudevents+json; charset=utf-8".utf8))]
      return record
    }
    func header(_ name: String, _ value: String?) {
      if let value { record.headers.append((name, Array(value.utf8))) }
    }
    header("ce_specversion", "1.0")
    header("ce_id", fact.id)
    header("ce_source", fact.source)
    header("ce_type", fact.type)
    if let audience = fact.audience {
      header("ce_audience", audience)
    } else {
      header(
        fact.recipients.count > 1 ? "ce_recipients" : "ce_recipient", fact.recipients.joined(separator: ","))
    }
    if fact.tenant != "default" { header("ce_tenant", fact.tenant) }
    header("ce_actor", fact.actor)
    header("ce_category", fact.category)
    header("ce_subject", fact.subject)
    header("ce_priority", fact.isCritical ? "critical" : nil)
    header("ce_expirytime", fact.expiry.map(instant))
    header("ce_time", fact.time.map(instant))
    header("ce_retracts", fact.retracts)
    header("ce_collapsekey", fact.collapseKey)
    header("content-type", "application/json")
    return record
  }
}

/// An instant in milliseconds since the epoch as RFC 3339.
func instant(_ milliseconds: Int64) -> String {
  var buffer = OutputBuffer(capacity: 32)
  buffer.append(jsonTime: milliseconds)
  return String(buffer.view.string.dropFirst().dropLast())
}
