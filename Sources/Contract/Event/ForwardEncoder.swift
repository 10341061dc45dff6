/// A record to be produced: views that its encoder owns, valid until the encoder's next record.
public struct OutputRecord {
  /// The key; nil is Kafka's null.
  public var key: ByteView?
  /// The value; nil is Kafka's null. An empty value has a start pointer, so that it is not taken for null.
  public var value: ByteView?
  /// The headers in their order.
  public var headers: UnsafeBufferPointer<HeaderView>
}

/// Writes the records of `routed`: one CloudEvent in binary mode for each recipient of an event, or one for its
/// audience.
///
/// All attributes are carried on, also those that Tidings does not know, and the data is unchanged. Headers
/// `tidings-origin-*` say where the event was read first, and when it was appended there. Memory is reused, so that steady use does not allocate.
public struct ForwardEncoder: ~Copyable {
  private var headers = HeaderList(capacity: 64)
  private var scratch = OutputBuffer(capacity: 1024)
  private var key = OutputBuffer(capacity: 256)
  private var tenant = ByteView.empty
  private var value = ByteView.empty

  /// An encoder without an event.
  public init() {}

  /// Takes an event, which must stay valid until its last record was made.
  ///
  /// - Parameters:
  ///   - position: where the event was read; an event that was forwarded before keeps its first position.
  ///   - appended: when it was appended where it was read first, in milliseconds since the epoch.
  public mutating func begin(_ event: EventView, at position: RecordPosition, appended: Int64) {
    begin(
      event, event.audience.isEmpty ? "ce_recipient" : "ce_audience", origin: event.origin ?? position,
      appended: appended)
  }

  /// Takes an event for an audience, in the audience's home, so that records for its followers can be made.
  ///
  /// - Parameters:
  ///   - position: where the event was read there; the records name it as their origin.
  ///   - appended: when the event was appended where it was read first, in milliseconds since the epoch.
  public mutating func beginFanOut(of event: EventView, at position: RecordPosition, appended: Int64) {
    begin(event, "ce_recipient", origin: position, appended: appended)
    headers.append(OriginHeader.audience, event.audience)
  }

  private mutating func begin(
    _ event: EventView, _ target: StaticString, origin: RecordPosition, appended: Int64
  ) {
    headers.removeAll()
    scratch.removeAll()
    let nameBytes = event.extensions.reduce(0) { $0 + $1.name.count + 3 }
    scratch.reserve(nameBytes + 96)
    tenant = event.tenant
    // An empty view may lack a start, and a value without one is a tombstone.
    value = event.data.isEmpty ? ByteView("") : event.data
    headers.append(target, .empty)
    headers.append("ce_specversion", ByteView("1.0"))
    headers.append("ce_id", event.id)
    headers.append("ce_source", event.source)
    headers.append("ce_type", event.type)
    if !event.tenant.equals(RecipientKey.defaultTenant) { headers.append("ce_tenant", event.tenant) }
    if let priority = event.priority { headers.append("ce_priority", ByteView(priority.literal)) }
    appendPresent("ce_actor", event.actor)
    appendPresent("ce_category", event.category)
    appendPresent("ce_subject", event.subject)
    appendPresent("ce_time", event.time)
    appendPresent("ce_expirytime", event.expiry)
    appendPresent("ce_collapsekey", event.collapseKey)
    appendPresent("ce_retracts", event.retracts)
    appendPresent("ce_traceparent", event.traceparent)
    appendPresent("ce_tracestate", event.tracestate)
    appendPresent("ce_dataschema", event.dataSchema)
    // The content mode of a record is told by its content-type alone (Kafka protocol binding, section 3): a media type
    // that means structured mode there would make the data the event.
    let isStructured = EventDecoder.isStructured(event.dataContentType)
    appendPresent(isStructured ? "ce_datacontenttype" : "content-type", event.dataContentType)
    for header in event.extensions { append(extension: header) }
    append(origin: origin)
    headers.append(OriginHeader.timestamp, scratched(appended))
  }

  /// The record for one recipient of the event, or for its audience, with its key; it goes to the home partition of
  /// that one.
  public mutating func record(for target: ByteView) -> OutputRecord {
    headers.set(value: target, at: 0)
    key.removeAll()
    // Keys of recipients and of audiences have one form.
    RecipientKey.append(tenant: tenant, recipient: target, to: &key)
    return OutputRecord(key: key.view, value: value, headers: headers.view)
  }

  private mutating func appendPresent(_ name: StaticString, _ value: ByteView) {
    if !value.isEmpty { headers.append(name, value) }
  }

  private mutating func append(extension header: HeaderView) {
    let start = scratch.count
    scratch.append("ce_")
    scratch.append(header.name)
    let name = scratch.view.slice(start..<scratch.count)
    headers.append(HeaderView(name: name, value: header.value))
  }

  private mutating func append(origin: RecordPosition) {
    headers.append(OriginHeader.topic, origin.topic)
    headers.append(OriginHeader.partition, scratched(Int64(origin.partition)))
    headers.append(OriginHeader.offset, scratched(origin.offset))
  }

  private mutating func scratched(_ number: Int64) -> ByteView {
    let start = scratch.count
    scratch.append(decimal: number)
    return scratch.view.slice(start..<scratch.count)
  }
}
