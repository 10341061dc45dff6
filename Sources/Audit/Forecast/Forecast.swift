import Contract
import Foundation
import Pipeline
import Policy

/// What would become of an event of a type for a recipient, by channel: what `tidings catalog show` prints.
///
/// The processor's own state machine decides it, with the recipient's record and nothing else in its memory: no window is
/// open, and nothing was sent before.
public struct Forecast: Sendable, Encodable {
  /// The event and whom it is for.
  public struct Question: Sendable {
    /// The tenant.
    public var tenant = RecipientKey.defaultTenant.description
    /// The recipient's id.
    public var recipient: String
    /// CloudEvents `type`.
    public var type: String
    /// The event's own category; nil for the catalog's.
    public var category: String?
    /// CloudEvents `subject`.
    public var subject: String?
    /// The event's `actor`.
    public var actor: String?
    /// The event's own priority; nil for the catalog's.
    public var priority: Priority?
    /// When it comes, in milliseconds since the epoch.
    public var instant: Int64
    /// The deployment's zone, for a recipient whose record names none; empty for UTC.
    public var timeZone = ""
    /// The largest record that the processor takes, in bytes.
    public var recordLimit = EventLimits().maxRecordBytes

    /// A question about a type and a recipient.
    public init(type: String, recipient: String, at instant: Int64) {
      self.type = type
      self.recipient = recipient
      self.instant = instant
    }
  }

  /// The recipient's record.
  public struct Record: Equatable, Sendable, Encodable {
    /// Where it stands; nil where it was read from a file.
    public var at: RecipientAccount.Place?
    /// When the broker appended it.
    public var appended: Instant?
    /// Its JSON.
    public var value: String

    /// A record.
    public init(at: RecipientAccount.Place? = nil, appended: Instant? = nil, value: String) {
      self.at = at
      self.appended = appended
      self.value = value
    }
  }

  /// What one channel gets.
  public struct ChannelForecast: Equatable, Sendable, Encodable {
    /// The channel.
    public var channel: String
    /// The catalog's rule in words.
    public var rule: String
    /// `delivered`, `open` or `suppressed`, as the decision would say.
    public var outcome: String
    /// Why it gets nothing.
    public var reason: String?
    /// When the digest would be sent in which it waits.
    public var due: Instant?
    /// The same by the recipient's clock.
    public var local: String?
    /// What decides besides the catalog's rule.
    public var grounds: RecipientAccount.Grounds?
  }

  /// The type.
  public let type: String
  /// Whether the catalog lists the type; else its defaults decide, or it is rejected.
  public let isListed: Bool
  /// The tenant.
  public let tenant: String
  /// The recipient's id.
  public let recipient: String
  /// When the event comes.
  public let at: Instant
  /// The version of the catalog.
  public let catalog: String
  /// The category; nil where the event is rejected.
  public private(set) var category: String?
  /// The zone by which schedules go.
  public let zone: String
  /// Whose zone it is: `recipient`, `tenant`, `deployment`, or `UTC` where nobody names one.
  public let zoneOf: String
  /// Who names a zone that is none, so that a later one had to decide: `recipient` or `tenant`; nil where nobody does.
  public let unknownZone: String?
  /// The recipient's record in force; nil where there is none.
  public let record: Record?
  /// Why the record is not taken, where it breaks the contract.
  public private(set) var recordRejection: String?
  /// Why the event would go to the rejected topic, if it would.
  public private(set) var rejection: String?
  /// What each channel of the type gets.
  public private(set) var channels: [ChannelForecast] = []

  /// Asks the state machine.
  ///
  /// - Parameter record: the recipient's record in force; nil where there is none.
  /// - Throws: `AuditFault.recipient` for a name that no recipient can have; `JSONError` when there is no memory.
  public init(_ question: Question, record: Record?, catalog: Catalog) throws {
    let key = try AccountQuestion(
      tenant: question.tenant, recipient: question.recipient, sinceMilliseconds: 0
    ).key()
    type = question.type
    let index = question.type.withByteView { catalog.typeIndex(named: $0) }
    isListed = index != nil
    tenant = question.tenant
    recipient = question.recipient
    at = Instant(question.instant)
    self.catalog = catalog.versionText
    self.record = record
    let profile = try record.map { try Self.profile($0.value, of: key, question.recordLimit) }
    if case .failure(let rejection)? = profile { recordRejection = rejection.detail }
    let ownZone = (try? profile?.get())??.timeZone ?? ""
    let defaults = question.tenant.withByteView { catalog.defaults(ofTenant: $0) } ?? .empty
    let choice = ownZone.withByteView { own in
      question.timeZone.withByteView {
        ZoneCache().choose(
          recipient: own, tenant: RecipientProfileView(defaults).timeZone, deployment: $0)
      }
    }
    zone = choice.zone.name
    zoneOf = choice.origin.name
    unknownZone = choice.unknown?.name

    var machine = try StateMachine(catalog, question)
    if let record { try machine.apply(.recipients, key: key, value: record.value, at: question.instant) }
    let before = machine.rejectedCount
    try machine.apply(.events, key: nil, value: try question.event(), at: question.instant)
    if machine.rejectedCount > before {
      rejection =
        isListed || catalog.unknownTypes == .deliver
        ? "it breaks the contract" : "the catalog lists no such type, and `unknownTypes` is reject"
    }
    let rules = index.map { catalog.rules(at: $0) } ?? catalog.defaultRules
    guard let decided = try machine.decision() else { return }
    category = decided.category
    channels = decided.channels.map { account in
      let due = account.outcome == "open" ? account.digest?.due : nil
      return ChannelForecast(
        channel: account.channel,
        rule: Channel(name: account.channel).flatMap { rules.channels[$0] }.map { catalog.words(for: $0) }
          ?? "",
        outcome: account.outcome, reason: account.reason, due: due,
        local: due.map { choice.zone.text(at: $0.milliseconds) }, grounds: account.grounds)
    }
  }

  private static func profile(
    _ value: String, of key: String, _ recordLimit: Int
  ) throws -> Result<RecipientRecord?, Rejection> {
    var decoder = try RecipientDecoder(maxBytes: recordLimit)
    return key.withByteView { key in
      value.withByteView { value in
        do throws(Rejection) {
          let none = UnsafeBufferPointer<HeaderView>(start: nil, count: 0)
          try EventLimits(maxRecordBytes: recordLimit)
            .check(table: InputRecord(key: key, value: value, headers: none))
          return .success(try decoder.decode(value))
        } catch {
          return .failure(error)
        }
      }
    }
  }
}

extension Forecast.Question {
  private struct Event: Encodable {
    let specversion = "1.0"
    let id = "forecast"
    let source = "/tidings/catalog/show"
    let type: String
    let tenant: String
    let recipient: String
    let category: String?
    let subject: String?
    let actor: String?
    let priority: String?
  }

  fileprivate func event() throws -> String {
    try JSONDocument.text(
      Event(
        type: type, tenant: tenant, recipient: recipient, category: category, subject: subject, actor: actor,
        priority: priority?.name), as: .line)
  }
}

/// The state machine of a deployment with one partition.
private struct StateMachine: ~Copyable {
  private var pipeline: Pipeline
  private var codecs: Codecs

  init(_ catalog: Catalog, _ question: Forecast.Question) throws {
    let codecs = try Codecs(
      prefix: "tidings", recordLimit: question.recordLimit, timeZone: question.timeZone)
    pipeline = Pipeline(
      configuration: Pipeline.Configuration(partition: 0, partitionCount: 1), catalog: catalog)
    self.codecs = codecs
    var positions = InputPositions()
    for topic in InputTopic.allCases { positions[topic] = 0 }
    pipeline.start(at: positions, epoch: 1)
  }

  var rejectedCount: Int64 { pipeline.counters.rejected }

  mutating func apply(_ topic: InputTopic, key: String?, value: String, at instant: Int64) throws {
    let media = "content-type application/cloudevents+json"
    try media.withByteView { media in
      try (key ?? "").withByteView { keyView in
        try value.withByteView { value in
          let contentType = HeaderView(name: media.slice(0..<12), value: media.slice(13..<media.count))
          let headers = topic == .events ? [contentType] : []
          try headers.withUnsafeBufferPointer { headers in
            let content = InputRecord(key: key == nil ? nil : keyView, value: value, headers: headers)
            _ = try pipeline.apply(
              PartitionRecord(
                topic: topic, offset: pipeline.positions[topic], appended: instant, content: content),
              now: instant, using: &codecs)
          }
        }
      }
    }
  }

  /// What it has decided about its one arrival; nil where it has rejected it.
  mutating func decision() throws -> RecipientAccount.Notification? {
    var history = AccountHistory()
    let decoder = try DecisionDecoder()
    let place = RecipientAccount.Place(topic: "tidings.decisions", partition: 0, offset: 0)
    if let decisions = pipeline.takeDecisions() {
      _ = try decoder.decode(decisions.view) { history.take($0, at: place, in: 0) }
    }
    return history.arrivals.first
  }
}
