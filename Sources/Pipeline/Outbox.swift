import Contract

/// A topic that a home partition writes to, besides its decisions and its state.
public enum OutputTopic: UInt8, CaseIterable, Sendable {
  /// Deliveries for the email sink.
  case deliveryEmail
  /// Deliveries for the inbox.
  case deliveryInapp
  /// Events on their way to their recipient's home.
  case routed
  /// Recipients' records on their way home.
  case recipients
  /// Engagement records on their way home.
  case engagement
  /// Parts of audiences on their way home.
  case subscriptions
  /// What could not be read.
  case rejected

  /// The topic's name behind the prefix.
  public var name: String {
    switch self {
    case .deliveryEmail: "delivery.email"
    case .deliveryInapp: "delivery.inapp"
    case .routed: "routed"
    case .recipients: "recipients"
    case .engagement: "engagement"
    case .subscriptions: "subscriptions"
    case .rejected: "rejected"
    }
  }

  /// The channel whose sink reads the topic.
  public var channel: Channel? {
    switch self {
    case .deliveryEmail: .email
    case .deliveryInapp: .inapp
    case .routed, .recipients, .engagement, .subscriptions, .rejected: nil
    }
  }

  static func delivery(_ channel: Channel) -> OutputTopic {
    switch channel {
    case .email: .deliveryEmail
    case .inapp: .deliveryInapp
    }
  }
}

/// The records that a home partition wants written with its next commit, in order.
///
/// Keys, values and headers are bytes in one buffer; records of one fan-out share the bytes of their value.
public struct Outbox: ~Copyable {
  /// One record; its views are valid until the outbox changes.
  public struct Record {
    /// Where it goes.
    public var topic: OutputTopic
    /// The partition there.
    public var partition: Int32
    /// The key; nil for none.
    public var key: ByteView?
    /// The value; nil for a tombstone.
    public var value: ByteView?
    /// The headers.
    public var headers: UnsafeBufferPointer<HeaderView>
    /// For an immediate delivery the broker's append time of its event, from which end-to-end latency counts;
    /// otherwise 0.
    public var eventAppended: Int64

    @usableFromInline
    init(
      topic: OutputTopic, partition: Int32, key: ByteView?, value: ByteView?,
      headers: UnsafeBufferPointer<HeaderView>, eventAppended: Int64
    ) {
      self.topic = topic
      self.partition = partition
      self.key = key
      self.value = value
      self.headers = headers
      self.eventAppended = eventAppended
    }
  }

  @usableFromInline struct Entry {
    @usableFromInline var topic: OutputTopic
    @usableFromInline var partition: Int32
    @usableFromInline var key: Range<Int>?
    @usableFromInline var value: Range<Int>?
    @usableFromInline var headers: Range<Int>
    @usableFromInline var eventAppended: Int64
    /// Whether it is the first one of its topic's partition.
    @usableFromInline var isFirst = false
  }

  /// Some of the records: the first one of every partition of a topic, or those behind them.
  public enum Part: Sendable {
    case first
    case rest
  }

  @usableFromInline struct HeaderEntry {
    @usableFromInline var name: Range<Int>
    @usableFromInline var value: Range<Int>?
  }

  @usableFromInline var bytes = OutputBuffer.ofBatch()
  @usableFromInline private(set) var entries: [Entry] = []
  @usableFromInline private(set) var headers: [HeaderEntry] = []
  /// The headers of deliveries, which are the same for all of them.
  private var deliveryHeaders: Range<Int>?
  /// By partition a bit for each topic that has a record there.
  private var topics: [UInt8] = []
  /// Where the bytes are kept, once they are with someone else.
  @usableFromInline var kept: ByteView?

  /// An empty outbox.
  public init() {}

  /// The number of records.
  public var count: Int { entries.count }

  /// Bytes of keys, values and headers, as often as they are sent.
  public private(set) var byteCount = 0

  mutating func store(_ view: ByteView) -> Range<Int> {
    let start = bytes.count
    bytes.append(view)
    return start..<bytes.count
  }

  mutating func store(headers views: UnsafeBufferPointer<HeaderView>) -> Range<Int> {
    let start = headers.count
    for header in views { store(header) }
    return start..<headers.count
  }

  mutating func store(_ header: HeaderView) {
    let name = store(header.name)
    headers.append(HeaderEntry(name: name, value: header.value.map { store($0) }))
  }

  /// The same headers once more, the first with another value: their bytes are not stored again.
  mutating func repeatHeaders(_ range: Range<Int>, firstValue: Range<Int>) -> Range<Int> {
    let start = headers.count
    for index in range {
      var header = headers[index]
      if index == range.lowerBound { header.value = firstValue }
      headers.append(header)
    }
    return start..<headers.count
  }

  mutating func addHeader(name: StaticString, value: ByteView) {
    let start = bytes.count
    bytes.append(name)
    let end = bytes.count
    headers.append(HeaderEntry(name: start..<end, value: store(value)))
  }

  var headerCount: Int { headers.count }

  /// Adds a delivery, whose key and value are the last bytes, in this order.
  mutating func addDelivery(
    on channel: Channel, partition: Int32, keyStart: Int, valueStart: Int, eventAppended: Int64
  ) {
    let end = bytes.count
    let headers = deliveryHeaders ?? addDeliveryHeaders()
    byteCount += end - keyStart + Self.contentTypeName.utf8CodeUnitCount + Self.deliveryType.utf8CodeUnitCount
    append(
      Entry(
        topic: .delivery(channel), partition: partition, key: keyStart..<valueStart, value: valueStart..<end,
        headers: headers, eventAppended: eventAppended))
  }

  private static var contentTypeName: StaticString { "content-type" }
  private static var deliveryType: StaticString { "application/cloudevents+json" }

  private mutating func addDeliveryHeaders() -> Range<Int> {
    addHeader(name: Self.contentTypeName, value: ByteView(Self.deliveryType))
    let range = headers.count - 1..<headers.count
    deliveryHeaders = range
    return range
  }

  mutating func add(
    _ topic: OutputTopic, partition: Int32, key: Range<Int>?, value: Range<Int>?, headers: Range<Int>,
    eventAppended: Int64 = 0
  ) {
    byteCount += (key?.count ?? 0) + (value?.count ?? 0)
    for header in self.headers[headers] { byteCount += header.name.count + (header.value?.count ?? 0) }
    append(
      Entry(
        topic: topic, partition: partition, key: key, value: value, headers: headers,
        eventAppended: eventAppended))
  }

  private mutating func append(_ entry: Entry) {
    var entry = entry
    let topic: UInt8 = 1 << entry.topic.rawValue
    let partition = Int(entry.partition)
    while topics.count <= partition { topics.append(0) }
    entry.isFirst = topics[partition] & topic == 0
    topics[partition] |= topic
    entries.append(entry)
  }

  /// Calls `body` with each record in order, or with those of a part.
  @inlinable
  public func forEach<Failure: Error>(
    _ part: Part? = nil, _ body: (Record) throws(Failure) -> Void
  ) throws(Failure) {
    let all = kept ?? bytes.view
    var scratch: [HeaderView] = []
    for entry in entries {
      if let part, entry.isFirst != (part == .first) { continue }
      scratch.removeAll(keepingCapacity: true)
      for header in headers[entry.headers] {
        scratch.append(HeaderView(name: all.slice(header.name), value: header.value.map { all.slice($0) }))
      }
      try scratch.withUnsafeBufferPointer { (buffer) throws(Failure) in
        try body(
          Record(
            topic: entry.topic, partition: entry.partition, key: entry.key.map { all.slice($0) },
            value: entry.value.map { all.slice($0) }, headers: buffer, eventAppended: entry.eventAppended))
      }
    }
  }

  /// Leaves the bytes that records are made of to someone who keeps them as they are until the outbox is emptied.
  public mutating func leaveBytes(to keeper: (consuming OutputBuffer) -> ByteView) {
    guard count > 0, kept == nil else { return }
    var left = OutputBuffer.ofBatch()
    swap(&left, &bytes)
    kept = keeper(left)
  }

  /// Forgets all records, and leaves large memory to others.
  public mutating func removeAll() {
    byteCount = 0
    kept = nil
    bytes.removeAll()
    bytes.shrink()
    entries.removeAll(keepingCapacity: entries.count <= 4096)
    headers.removeAll(keepingCapacity: headers.count <= 4096)
    deliveryHeaders = nil
    topics.removeAll(keepingCapacity: true)
  }
}
