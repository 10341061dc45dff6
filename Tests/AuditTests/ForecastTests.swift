import Contract
import Policy
import Testing

@testable import Audit

@Suite("What would become of an event")
struct ForecastTests {
  private static let catalog = """
    unknownTypes: reject
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate, mandatory: true }
          email: { policy: schedule, cadence: daily, items: 3 }
      card.due:
        category: due
        title: due
        channels:
          email: { policy: digest, window: 5m, group: soon }
    """
  /// A Saturday before clocks go forward in Berlin.
  private static let saturday = "2025-03-29T12:00:00Z"

  private func forecast(
    _ type: String = "card.moved", _ record: String?, yaml: String = catalog,
    _ change: (inout Forecast.Question) -> Void = { _ in }
  ) throws -> Forecast {
    let instant = try #require(Self.saturday.withByteView { RFC3339.milliseconds(of: $0) })
    var question = Forecast.Question(type: type, recipient: "ada", at: instant)
    change(&question)
    return try Forecast(
      question, record: record.map { Forecast.Record(value: $0) },
      catalog: try Catalog.parse(yaml: yaml, file: "catalog.yaml"))
  }

  private func channel(_ forecast: Forecast, _ name: String) throws -> Forecast.ChannelForecast {
    try #require(forecast.channels.first { $0.channel == name })
  }

  @Test("what a window does besides closing at its time is said in words")
  func windowOptions() throws {
    let yaml = """
      types:
        card.moved:
          title: moved
          channels:
            email: { policy: digest, window: 10m, sliding: true, maxWindow: 2h, maxItems: 20, minItems: 3,
                     fewer: single, leadingEdge: true, key: [actor, /board/id], items: { top: 5, by: /votes } }
            inapp: { policy: schedule, cadence: daily, minItems: 2, fewer: hold, items: { last: 4 } }
      """
    let forecast = try forecast("card.moved", #"{"email":"ada@example.org"}"#, yaml: yaml)
    #expect(
      try channel(forecast, "email").rule
        == "together, 10m after the last, 2h after the first at the latest, with what has its category, "
        + "by the values of actor, /board/id, the first of a window alone, at once, closing early with number 20, "
        + "fewer than 3 are delivered each alone, the top (by /votes) 5 items in full")
    // The leading edge: nothing was sent before.
    #expect(try channel(forecast, "email").outcome == "delivered")
    #expect(
      try channel(forecast, "inapp").rule
        == "together, every day at 09:00, with what has its category, fewer than 2 wait for the next one, "
        + "the last 4 items in full")
  }

  @Test("a throttle is said in words, with what becomes of the others")
  func throttle() throws {
    let yaml = """
      types:
        card.moved:
          title: moved
          channels:
            email:
              policy: immediate
              throttle: { limit: 3, period: 1h, overflow: { policy: digest, window: 30m, group: rest } }
      """
    let forecast = try forecast("card.moved", #"{"email":"ada@example.org"}"#, yaml: yaml)
    #expect(
      try channel(forecast, "email").rule
        == "each alone, at once, at most 3 of a category in 1h (the others together, 30m after the first, "
        + "with what has the group rest, 10 items in full)")
  }

  @Test("a budget is said with every channel that it holds for")
  func budget() throws {
    let yaml = """
      budget:
        email: { limit: 20, period: 1d, overflow: { policy: schedule, cadence: daily } }
      types:
        card.moved:
          title: moved
          channels:
            email: { policy: immediate }
            inapp: { policy: immediate }
      """
    let forecast = try forecast("card.moved", #"{"email":"ada@example.org"}"#, yaml: yaml)
    #expect(
      try channel(forecast, "email").rule
        == "each alone, at once, at most 20 at once of all types in 1d (the others together, every day at 09:00, "
        + "with what has the group budget, 10 items in full)")
    #expect(try channel(forecast, "inapp").rule == "each alone, at once")
  }

  @Test("what becomes of late events is said with every channel that it holds for")
  func catchUp() throws {
    let yaml = """
      catchUp:
        inapp: { after: 30m, overflow: { policy: digest, window: 5m } }
      types:
        card.moved:
          title: moved
          channels:
            email: { policy: immediate }
            inapp: { policy: immediate }
      """
    let forecast = try forecast("card.moved", #"{"email":"ada@example.org"}"#, yaml: yaml)
    #expect(
      try channel(forecast, "inapp").rule
        == "each alone, at once, what is older than 30m when it is decided not at once (together, 5m after the first, "
        + "with what has the group catchUp, 10 items in full)")
    #expect(try channel(forecast, "email").rule == "each alone, at once")
  }

  @Test("a schedule is due by the clock of the recipient's record")
  func schedule() throws {
    let forecast = try forecast("card.moved", #"{"email":"ada@example.org","timeZone":"Europe/Berlin"}"#)
    #expect(forecast.category == "cards" && forecast.isListed)
    #expect(forecast.zone == "Europe/Berlin" && forecast.zoneOf == "recipient")
    let email = try channel(forecast, "email")
    #expect(email.outcome == "open")
    #expect(email.due?.description == "2025-03-30T07:00:00.000Z")
    #expect(email.local == "Sun 2025-03-30 09:00:00 +02:00")
    #expect(try channel(forecast, "inapp").outcome == "delivered")
    for words in [
      "card.moved for ada, by catalog", "Europe/Berlin, as the recipient's record says",
      "waits in a digest until Sun 2025-03-30 09:00:00 +02:00 (2025-03-30T07:00:00.000Z)",
      "delivered alone, at once", "together, every day at 09:00", "3 items in full", "mandatory",
    ] {
      #expect(forecast.text.contains(words), "\(words) in \(forecast.text)")
    }
  }

  @Test("a recipient's preference is told with its entry, and the digest is due by it")
  func preference() throws {
    let forecast = try forecast(
      "card.moved",
      #"{"email":"ada@example.org","timeZone":"Europe/Berlin","preferences":{"cards":{"email":"weekly"}}}"#)
    let email = try channel(forecast, "email")
    #expect(email.local == "Mon 2025-03-31 09:00:00 +02:00")
    #expect(email.grounds?.policy == "weekly")
    #expect(email.grounds?.preference?.category == "cards" && email.grounds?.preference?.setting == "weekly")
    #expect(forecast.text.contains(#"by the recipient's record: cards on email is "weekly""#))
    let chosen = try self.forecast(
      "card.moved", #"{"email":"ada@example.org","preferences":{"*":{"*":"instant"}}}"#,
      yaml: Self.catalog.replacing("cadence: daily", with: "cadence: daily, choices: [hourly]"))
    #expect(try channel(chosen, "email").due?.description == "2025-03-29T13:00:00.000Z")
    #expect(try channel(chosen, "email").rule.contains("recipients may choose hourly"))
  }

  @Test("a muted subject and an action of one's own are told; without them it is delivered")
  func wishes() throws {
    let record = #"{"email":"ada@example.org","mutes":[{"subject":"board/42"}]}"#
    let muted = try forecast("card.due", record) { $0.subject = "board/42" }
    #expect(try channel(muted, "email").reason == "muted")
    #expect(muted.text.contains("has muted the event's subject"))
    #expect(
      try channel(try forecast("card.due", record) { $0.subject = "board/7" }, "email").outcome == "open")
    let own = try forecast("card.due", record) { $0.actor = "ada" }
    #expect(try channel(own, "email").reason == "ownAction")
    #expect(try channel(try forecast("card.due", record) { $0.actor = "bob" }, "email").outcome == "open")
  }

  @Test("the deployment's zone is that of a record that names none, and UTC where nobody names one")
  func zones() throws {
    let record = #"{"email":"ada@example.org"}"#
    let deployment = try forecast("card.moved", record) { $0.timeZone = "Asia/Tokyo" }
    #expect(deployment.zone == "Asia/Tokyo" && deployment.zoneOf == "deployment")
    #expect(try channel(deployment, "email").due?.description == "2025-03-30T00:00:00.000Z")
    let none = try forecast("card.moved", record)
    #expect(none.zoneOf == "UTC" && none.unknownZone == nil)
    let mistyped = try forecast("card.moved", #"{"timeZone":"Europe/Berln"}"#) { $0.timeZone = "Asia/Tokyo" }
    #expect(mistyped.zoneOf == "deployment" && mistyped.unknownZone == "recipient")
    #expect(mistyped.text.contains("the zone of the record is none, and is passed over"))
    #expect(try channel(none, "email").due?.description == "2025-03-30T09:00:00.000Z")
  }

  @Test("without a record there is no mail, and the inbox has it")
  func noRecord() throws {
    let forecast = try forecast("card.moved", nil)
    #expect(try channel(forecast, "email").outcome == "suppressed")
    #expect(try channel(forecast, "email").reason == "noAddress")
    #expect(try channel(forecast, "inapp").outcome == "delivered")
    #expect(forecast.text.contains("no address for this channel"))
  }

  @Test("an opt-out is told, and a category of the event's own goes before the catalog's")
  func optOut() throws {
    let record = #"{"email":"ada@example.org","optOut":[{"category":"cards","channel":"*"}]}"#
    let out = try forecast("card.moved", record)
    #expect(try channel(out, "email").reason == "optedOut")
    #expect(try channel(out, "inapp").outcome == "delivered", "the channel is mandatory")
    #expect(out.text.contains("does not want this category on this channel"))
    let other = try forecast("card.moved", record) { $0.category = "urgent" }
    #expect(other.category == "urgent")
    #expect(try channel(other, "email").outcome == "open")
  }

  @Test("a window of fixed length is due that long after the event")
  func window() throws {
    let forecast = try forecast("card.due", #"{"email":"ada@example.org"}"#) { $0.tenant = "acme" }
    let email = try channel(forecast, "email")
    #expect(email.due?.description == "2025-03-29T12:05:00.000Z")
    #expect(email.rule == "together, 5m after the first, with what has the group soon, 10 items in full")
    #expect(forecast.text.hasPrefix("card.due for ada of tenant acme,"))
  }

  @Test("a type that is not listed is rejected, or goes by the defaults")
  func unknownType() throws {
    let rejected = try forecast("card.lost", nil)
    #expect(!rejected.isListed && rejected.channels.isEmpty && rejected.category == nil)
    #expect(rejected.text.contains("`unknownTypes` is reject"))
    let deliver = Self.catalog.replacing("unknownTypes: reject\n", with: "")
    let delivered = try forecast("card.lost", nil, yaml: deliver)
    #expect(delivered.rejection == nil)
    #expect(delivered.channels.map(\.channel) == ["inapp"])
    #expect(delivered.text.contains("the catalog's defaults decide"))
  }

  @Test("a record that breaks the contract is told as not taken")
  func brokenRecord() throws {
    let forecast = try forecast("card.moved", #"{"email":7}"#)
    #expect(forecast.recordRejection != nil)
    #expect(try channel(forecast, "email").reason == "noAddress")
    #expect(forecast.text.contains("it is not taken: "))
  }

  @Test("a record as large as the deployment allows is taken, with its key")
  func largeRecord() throws {
    let start = #"{"email":"ada@example.org","more":""#
    let record = start + String(repeating: "x", count: (300 << 10) - start.utf8.count - 5) + "\"}"
    for (limit, isTaken) in [(256 << 10, false), ((300 << 10) - 1, false), (300 << 10, true)] {
      let forecast = try forecast("card.moved", record) { $0.recordLimit = limit }
      #expect((forecast.recordRejection == nil) == isTaken)
      #expect(try channel(forecast, "email").reason == (isTaken ? nil : "noAddress"))
    }
  }

  @Test("a name that no recipient can have is refused")
  func name() throws {
    #expect(throws: AuditFault.self) { try forecast("card.moved", nil) { $0.recipient = "a/b" } }
  }

  @Test("the record in force is the last one of the topic; a deleted one is none")
  func topic() throws {
    let deployment = try Deployment()
    deployment.publish(recipient: "ada", #"{"email":"old@example.org"}"#)
    deployment.publish(recipient: "bob", #"{"email":"bob@example.org"}"#)
    deployment.publish(recipient: "ada", #"{"email":"new@example.org"}"#)
    func read() throws -> RecipientRecordReader.Found? {
      try RecipientRecordReader(cluster: deployment.reader.cluster, topics: deployment.topics)
        .read(tenant: "default", recipient: "ada")
    }
    let found = try #require(try read())
    #expect(String(decoding: found.value, as: UTF8.self) == #"{"email":"new@example.org"}"#)
    #expect(found.at.partition == Deployment.home(of: "ada"))
    deployment.publish(recipient: "ada", nil)
    #expect(try read() == nil)
  }

  @Test("what decided is told in words, as far as the decision says it")
  func grounds() throws {
    func words(_ json: String) throws -> String? {
      var parser = try JSONParser()
      return try json.withByteView { RecipientAccount.Grounds(try parser.parse($0))?.sentence }
    }
    #expect(try words(#"{"outcome":"expired"}"#) == nil)
    #expect(try words(#"{"outcome":"open","policy":"schedule"}"#) == "by the catalog's policy (schedule)")
    #expect(
      try words(
        #"{"policy":"weekly","preference":{"of":"tenant","category":"*","channel":"email","setting":"weekly"},"quietHours":true}"#
      ) == #"by the tenant's defaults: everything on email is "weekly", held back by quiet hours"#)
    #expect(
      try words(
        #"{"preference":{"of":"recipient","category":"cards","channel":"*","setting":"off","optOut":true}}"#)
        == "by the recipient's record: optOut of cards on every channel")
  }

  @Test("every reason that this version knows has words of its own")
  func reasons() {
    var seen: Set<String> = []
    for reason in SuppressionReason.allCases {
      let words = RecipientAccount.ChannelAccount.words(forSuppression: reason.literal.description)
      #expect(words != "nothing: \(reason.literal)", "\(reason)")
      #expect(seen.insert(words).inserted, "\(reason)")
    }
  }
}
