import Contract
import Pipeline
import Policy

/// How a history is replayed.
public struct ReplayOptions: Equatable, Sendable {
  /// Home partitions. What is sent does not depend on it.
  public var partitionCount: Int32 = 16
  /// How long an id is remembered, in milliseconds.
  public var dedupHorizon: Int64 = 86_400_000
  /// The largest event in bytes.
  public var recordLimit = EventLimits().maxRecordBytes
  /// The zone of recipients whose record names none that is known, by its IANA name.
  public var timeZone = "UTC"
  /// Recipients who get more messages than this on one day and channel are named.
  public var above = 10

  /// The defaults of the processor.
  public init() {}
}

/// Sends a history through the pipelines of all home partitions, in virtual time: what the processor would do, without
/// Kafka and without waiting. Confined to its thread.
///
/// An event is applied at its instant. Before that, whatever is due by then is done, each at the very instant at which
/// it is due and earliest first: a window that ends when an event comes is closed without it. What an event of several
/// recipients makes for their homes is applied there at the same instant. Behind the last event time goes on until
/// nothing is open. The same history, recipients and catalog give the same outcome.
public struct Replay: ~Copyable {
  private final class Home {
    var pipeline: Pipeline
    /// When something is due in it next.
    var due: Int64?

    init(_ pipeline: consuming Pipeline) { self.pipeline = pipeline }
  }

  /// Output after which it is counted and dropped.
  private static let pendingLimit = 1 << 20
  /// Events between two reports of progress.
  private static let stride = 64

  private let history: History
  private let catalog: Catalog
  private let options: ReplayOptions
  private let homes: [Home]
  /// The header of the event of a line.
  private var eventHeaders = HeaderList(capacity: 1)
  /// Those of the record of an event at hand.
  private var recordHeaders = HeaderList()
  private var codecs: Codecs
  private var messages: MessageReader
  private var forwards = ForwardQueue()
  private var stateRecord = OutputBuffer.ofBatch()
  private var rejections = RejectionTally()

  /// A replay that has not begun.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(
    _ history: History, recipients: ReplayRecipients, subscriptions: ReplaySubscriptions? = nil,
    catalog: Catalog,
    options: ReplayOptions = ReplayOptions()
  ) throws(JSONError) {
    let codecs = try Codecs(
      prefix: "tidings", recordLimit: options.recordLimit, timeZone: options.timeZone)
    let messages = try MessageReader(above: options.above)
    self.codecs = codecs
    self.messages = messages
    self.history = history
    self.catalog = catalog
    self.options = options
    homes = (0..<max(1, options.partitionCount)).map { partition in
      var configuration = Pipeline.Configuration(
        partition: partition, partitionCount: max(1, options.partitionCount),
        dedupHorizon: options.dedupHorizon)
      // Nobody reads the state log of a replay.
      configuration.checkpointFloor = .max
      var pipeline = Pipeline(configuration: configuration, catalog: catalog)
      var positions = InputPositions()
      for topic in InputTopic.allCases { positions[topic] = 0 }
      pipeline.start(at: positions, epoch: 1)
      return Home(pipeline)
    }
    eventHeaders.append("content-type", ByteView("application/cloudevents+json; charset=UTF-8"))
    load(recipients)
    if let subscriptions { load(subscriptions) }
  }

  /// Replays the whole history.
  ///
  /// - Parameter onProgress: takes the number of events that are done, now and then.
  /// - Throws: `ReplayFault` and `PipelineFault` where tidings itself is at fault.
  public consuming func run(onProgress: (Int) -> Void = { _ in }) throws -> CatalogOutcome {
    for (number, event) in history.events.enumerated() {
      try advance(to: event.time)
      try apply(event, number: number)
      if number % Self.stride == 0 { onProgress(number) }
    }
    try advance(to: .max)
    for home in homes { try drain(home) }
    onProgress(history.events.count)
    return outcome()
  }

  // MARK: - Recipients

  /// Fills the tables of recipients, as a processor does before its first decision.
  private mutating func load(_ recipients: ReplayRecipients) {
    for (offset, record) in recipients.records.enumerated() {
      let key = recipients.bytes[record.key]
      let home = homes[Int(Murmur2.partition(ofKey: key, count: Int32(homes.count)))]
      let content = InputRecord(
        key: key, value: record.value.map { recipients.bytes[$0] },
        headers: UnsafeBufferPointer(start: nil, count: 0))
      home.pipeline.load(
        PartitionRecord(topic: .recipients, offset: Int64(offset), appended: 0, content: content),
        using: &codecs)
    }
  }

  /// Fills the tables of audiences.
  private mutating func load(_ subscriptions: ReplaySubscriptions) {
    for (offset, part) in subscriptions.parts.enumerated() {
      let audience = subscriptions.bytes[part.audience]
      let home = homes[Int(Murmur2.partition(ofKey: audience, count: Int32(homes.count)))]
      let content = InputRecord(
        key: subscriptions.bytes[part.key], value: part.value.map { subscriptions.bytes[$0] },
        headers: UnsafeBufferPointer(start: nil, count: 0))
      home.pipeline.load(
        PartitionRecord(topic: .subscriptions, offset: Int64(offset), appended: 0, content: content),
        using: &codecs)
    }
  }

  // MARK: - Events

  private mutating func apply(_ event: History.Event, number: Int) throws {
    // An event without a key may be in any partition.
    let index = event.keyHash.map { Int($0) % homes.count } ?? number % homes.count
    let content = InputRecord(key: nil, value: history.bytes[event.value], headers: headers(of: event))
    let before = homes[index].pipeline.counters
    while try apply(content, from: .events, at: homes[index], time: event.time) == .again {
      try drain(homes[index])
    }
    // All who follow an audience get the event at its instant, however many they are.
    while homes[index].pipeline.fanOutCount > 0 {
      homes[index].pipeline.continueFanOut(now: event.time, using: codecs)
      guard homes[index].pipeline.pendingBytes > Self.pendingLimit else { continue }
      try drain(homes[index])
      try applyForwards(time: event.time)
    }
    let after = homes[index].pipeline.counters
    if after.rejected > before.rejected {
      // What is rejected here is rejected by the catalog: the contract was kept when the line was read.
      try drain(homes[index], line: Int(event.line))
    }
    if after.forwards > before.forwards { try drain(homes[index]) }
    try applyForwards(time: event.time)
  }

  /// The headers of an event's record, valid until the next event.
  private mutating func headers(of event: History.Event) -> UnsafeBufferPointer<HeaderView> {
    guard !event.headers.isEmpty else { return eventHeaders.view }
    recordHeaders.removeAll()
    for index in event.headers {
      let header = history.headers[Int(index)]
      recordHeaders.append(
        HeaderView(name: history.bytes[header.name], value: header.value.map { history.bytes[$0] }))
    }
    return recordHeaders.view
  }

  private mutating func applyForwards(time: Int64) throws {
    guard !forwards.isEmpty else { return }
    var queue = ForwardQueue()
    swap(&queue, &forwards)
    try queue.forEach { index, content throws in
      _ = try apply(content, from: .routed, at: homes[index], time: time)
    }
    // Nothing forwards what was forwarded: the queue that was filled meanwhile is empty. Its memory is used again.
    queue.removeAll()
    swap(&queue, &forwards)
  }

  private mutating func apply(
    _ content: InputRecord, from topic: InputTopic, at home: Home, time: Int64
  ) throws -> Pipeline.Progress {
    let record = PartitionRecord(
      topic: topic, offset: home.pipeline.positions[topic], appended: time, content: content)
    let progress = try home.pipeline.apply(record, now: time, using: &codecs)
    home.due = home.pipeline.nextDue()
    if home.pipeline.pendingBytes > Self.pendingLimit { try drain(home) }
    return progress
  }

  // MARK: - Time

  /// Does everything that is due up to an instant.
  private mutating func advance(to now: Int64) throws {
    while let home = nextDueHome(), let due = home.due, due <= now {
      let before = (home.pipeline.openWindowCount, home.pipeline.counters)
      home.pipeline.tick(now: due)
      home.due = home.pipeline.nextDue()
      if let next = home.due, next <= due, before == (home.pipeline.openWindowCount, home.pipeline.counters) {
        throw ReplayFault.stuck(partition: home.pipeline.configuration.partition, due: due)
      }
      if home.pipeline.pendingBytes > Self.pendingLimit { try drain(home) }
    }
  }

  /// The home in which something is due first; of several the one with the lowest number.
  private func nextDueHome() -> Home? {
    var first: Home?
    for home in homes {
      guard let due = home.due else { continue }
      if let earliest = first?.due, earliest <= due { continue }
      first = home
    }
    return first
  }

  // MARK: - Output

  /// Counts what a home has written, and commits it.
  ///
  /// - Parameter line: the line whose event was rejected.
  private mutating func drain(_ home: Home, line: Int? = nil) throws {
    try home.pipeline.outbox.forEach { record throws in
      switch record.topic {
      case .deliveryEmail, .deliveryInapp:
        guard let key = record.key, let value = record.value, let channel = record.topic.channel else {
          return
        }
        do throws(Rejection) {
          try messages.read(value, key: key, channel: channel)
        } catch {
          throw ReplayFault.unreadableDelivery(
            partition: home.pipeline.configuration.partition, detail: error.description)
        }
      case .routed: forwards.append(record)
      case .rejected: rejections.count(Rejection(headersOf: record), line: line)
      case .recipients, .engagement, .subscriptions: break
      }
    }
    stateRecord.removeAll()
    _ = home.pipeline.seal(into: &stateRecord)
    stateRecord.shrink()
    home.pipeline.confirm()
  }

  private func outcome() -> CatalogOutcome {
    let counters = homes.reduce(Counters()) { $0 + $1.pipeline.counters }
    return CatalogOutcome(
      catalogVersion: catalog.versionText, counters: counters, messages: messages.finish(),
      rejected: rejections.sorted)
  }
}

extension Rejection {
  /// What the headers of a rejected record say.
  fileprivate init(headersOf record: Outbox.Record) {
    var reason = RejectionReason.unknownType
    var detail = ""
    for header in record.headers {
      let text = header.value?.string ?? ""
      if header.name.equals("tidings-reason") { reason = RejectionReason(rawValue: text) ?? reason }
      if header.name.equals("tidings-detail") { detail = text }
    }
    self.init(reason, detail)
  }
}
