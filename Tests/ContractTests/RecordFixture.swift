import Contract

/// A record with its own memory, from which tests make the views that a consumer would give.
struct RecordFixture {
  var key: [UInt8]?
  var value: [UInt8]?
  var headers: [(name: [UInt8], value: [UInt8]?)]

  init(key: String? = nil, value: [UInt8]?, headers: [(String, String?)] = []) {
    self.key = key.map { Array($0.utf8) }
    self.value = value
    self.headers = headers.map { (Array($0.0.utf8), $0.1.map { Array($0.utf8) }) }
  }

  /// A record in structured mode.
  static func structured(_ json: String) -> RecordFixture {
    RecordFixture(value: Array(json.utf8), headers: [("content-type", "application/cloudevents+json")])
  }

  /// A record in binary mode with what is required, changed by `changes`: nil removes an attribute.
  static func binary(
    _ changes: [String: String?] = [:], data: String = "{\"a\":1}", contentType: String? = "application/json"
  ) -> RecordFixture {
    var attributes: [String: String?] = [
      "specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.paid", "recipient": "u1",
    ]
    attributes.merge(changes) { $1 }
    var headers: [(String, String?)] = attributes.sorted { $0.key < $1.key }.compactMap { name, value in
      value.map { ("ce_" + name, $0) }
    }
    if let contentType { headers.append(("content-type", contentType)) }
    return RecordFixture(value: Array(data.utf8), headers: headers)
  }

  /// Each part in an allocation of its own and of its exact size, so that a sanitizer sees reads beyond it.
  func withInput<Result>(_ body: (InputRecord) throws -> Result) rethrows -> Result {
    var allocations: [UnsafeMutablePointer<UInt8>] = []
    defer { allocations.forEach { $0.deallocate() } }
    func view(_ bytes: [UInt8]) -> ByteView {
      let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
      memory.initialize(from: bytes, count: bytes.count)
      allocations.append(memory)
      return ByteView(start: memory, count: bytes.count)
    }
    let views = headers.map { HeaderView(name: view($0.name), value: $0.value.map(view)) }
    return try views.withUnsafeBufferPointer { buffer in
      try body(InputRecord(key: key.map(view), value: value.map(view), headers: buffer))
    }
  }
}

extension RecordFixture {
  /// A copy of a record that an encoder made.
  init(_ record: OutputRecord) {
    key = record.key.map { Array($0.buffer) }
    value = record.value.map { Array($0.buffer) }
    headers = record.headers.map { (Array($0.name.buffer), $0.value.map { Array($0.buffer) }) }
  }

  /// The text of the first header of that name.
  func header(_ name: String) -> String? {
    headers.first { $0.name == Array(name.utf8) }?.value.map { String(decoding: $0, as: UTF8.self) }
  }
}

/// What an event says, with its own memory.
struct EventSnapshot: Equatable {
  var fields: [String: String]
  var dataKind: EventView.DataKind
  var data: [UInt8]
  var recipients: [String]
  var extensions: [String: String]
  var priority: Priority?
  var expiryMilliseconds: Int64?
  var timeMilliseconds: Int64?

  init(_ event: EventView) {
    let all: [(String, ByteView)] = [
      ("id", event.id), ("source", event.source), ("type", event.type), ("tenant", event.tenant),
      ("actor", event.actor), ("category", event.category), ("subject", event.subject),
      ("expirytime", event.expiry),
      ("collapsekey", event.collapseKey), ("retracts", event.retracts), ("traceparent", event.traceparent),
      ("tracestate", event.tracestate), ("time", event.time), ("dataschema", event.dataSchema),
      ("datacontenttype", event.dataContentType),
    ]
    fields = Dictionary(uniqueKeysWithValues: all.map { ($0, $1.string) }).filter { !$1.isEmpty }
    dataKind = event.dataKind
    data = Array(event.data.buffer)
    recipients = event.recipients.map(\.string)
    extensions = Dictionary(
      event.extensions.map { ($0.name.string, $0.value?.string ?? "") }, uniquingKeysWith: { $1 })
    priority = event.priority
    expiryMilliseconds = event.expiryMilliseconds
    timeMilliseconds = event.timeMilliseconds
  }
}

extension EventDecoder {
  /// The event of a record as a copy.
  ///
  /// - Throws: `Rejection`.
  mutating func snapshot(_ fixture: RecordFixture) throws -> EventSnapshot {
    try fixture.withInput { record in
      switch decode(record) {
      case .event(let event): return EventSnapshot(event)
      case .rejected(let rejection): throw rejection
      }
    }
  }

  /// The rejection of a record; nil if it is an event.
  mutating func rejection(_ fixture: RecordFixture) -> Rejection? {
    fixture.withInput { record in
      switch decode(record) {
      case .event: nil
      case .rejected(let rejection): rejection
      }
    }
  }
}
