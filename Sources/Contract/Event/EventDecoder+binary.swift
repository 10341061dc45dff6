/// The names of the headers that forwarding adds, so that a routed event tells where it was read first.
enum OriginHeader {
  static var topic: StaticString { "tidings-origin-topic" }
  static var partition: StaticString { "tidings-origin-partition" }
  static var offset: StaticString { "tidings-origin-offset" }
  /// When it was appended there, in milliseconds since the epoch.
  static var timestamp: StaticString { "tidings-origin-timestamp" }
  /// The audience that the recipient of an event follows, which names the audience itself.
  static var audience: StaticString { "tidings-audience" }
}

extension EventDecoder {
  /// The first `content-type` header of a record, in any case.
  static func contentType(of record: InputRecord) -> ByteView? {
    for header in record.headers where header.name.count == 12 {
      if header.name.equals("content-type") || header.name.equals(ignoringCase: "content-type") {
        return header.value
      }
    }
    return nil
  }

  static func isStructured(_ contentType: ByteView?) -> Bool {
    guard let contentType, !contentType.equals("application/json") else { return false }
    return contentType.trimmed.hasPrefix(ignoringCase: "application/cloudevents+json")
  }

  /// Binary mode: attributes in `ce_` headers, the value is the data.
  mutating func readBinary(
    _ record: InputRecord, value: ByteView, contentType: ByteView?, _ onIdentity: (EventIdentity) -> Void
  ) throws(Rejection) {
    var isCloudEvent = false
    var isForwarded = false
    for header in record.headers {
      guard header.name.hasPrefix("ce_") else {
        if header.name.hasPrefix("tidings-") { isForwarded = true }
        continue
      }
      isCloudEvent = true
      guard let text = header.value else { continue }
      let name = header.name.slice(3..<header.name.count)
      if let attribute = EventAttribute(name: name) {
        guard text.isUTF8 else {
          throw Rejection(.invalidUTF8, "The header \"ce_\(attribute.literal)\" is not valid UTF-8.")
        }
        try set(attribute, text)
      } else if EventDecoder.isAttributeName(name), text.isUTF8 {
        append(extension: name, text)
      }
    }
    guard isCloudEvent else { throw EventDecoder.notCloudEvent(contentType) }
    if let id = attributes[EventAttribute.id.rawValue],
      let source = attributes[EventAttribute.source.rawValue],
      let recipient = attributes[EventAttribute.recipient.rawValue]
    {
      let tenant = attributes[EventAttribute.tenant.rawValue] ?? ByteView(RecipientKey.defaultTenant)
      onIdentity(EventIdentity(tenant: tenant, source: source, id: id, recipient: recipient))
    }
    if isForwarded { readOrigin(record) }
    if let contentType {
      guard contentType.isUTF8 else {
        throw Rejection(.invalidUTF8, "The header \"content-type\" is not valid UTF-8.")
      }
      attributes[EventAttribute.datacontenttype.rawValue] = contentType
    }
    try setData(value)
  }

  /// Takes bytes as the event's data and finds out, by media type and content, what they are.
  mutating func setData(_ bytes: ByteView) throws(Rejection) {
    data = bytes
    guard !bytes.isEmpty else {
      dataKind = .none
      return
    }
    switch MediaType.kind(of: attributes[EventAttribute.datacontenttype.rawValue] ?? .empty) {
    case .json:
      do {
        _ = try parser.parse(bytes)
      } catch {
        throw EventDecoder.notJSON("The data", error, limits)
      }
      dataKind = .json
    case .text: dataKind = bytes.isUTF8 ? .text : .binary
    case .binary, .none: dataKind = .binary
    }
  }

  /// The position that forwarding noted, if it is whole, and the audience that a fan-out noted.
  mutating func readOrigin(_ record: InputRecord) {
    var topic: ByteView?
    var partition: Int64?
    var offset: Int64?
    for header in record.headers where header.name.hasPrefix("tidings-") {
      if header.name.equals(OriginHeader.audience), let audience = header.value, audience.isUTF8 {
        followedAudience = audience
      }
      if header.name.equals(OriginHeader.topic) { topic = header.value }
      if header.name.equals(OriginHeader.partition) { partition = header.value?.decimal }
      if header.name.equals(OriginHeader.offset) { offset = header.value?.decimal }
      if header.name.equals(OriginHeader.timestamp) { originAppended = header.value?.decimal }
    }
    guard let topic, topic.isUTF8, let partition, let offset, let number = Int32(exactly: partition) else {
      return
    }
    origin = RecordPosition(topic: topic, partition: number, offset: offset)
  }

  /// CloudEvents names attributes with lower-case letters and digits; other headers are none of ours.
  static func isAttributeName(_ name: ByteView) -> Bool {
    guard !name.isEmpty, !name.equals("data") else { return false }
    return name.buffer.allSatisfy {
      ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
        || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
    }
  }

  static func notJSON(_ subject: String, _ error: JSONError, _ limits: EventLimits) -> Rejection {
    switch error.kind {
    case .invalidUTF8: return Rejection(.invalidUTF8, "\(subject) is not valid UTF-8.")
    case .tooDeep:
      return Rejection(.notJSON, "\(subject) nests more than \(limits.maxDepth) objects and arrays.")
    default: return Rejection(.notJSON, "\(subject) is not JSON: \(error).")
    }
  }

  private static func notCloudEvent(_ contentType: ByteView?) -> Rejection {
    let type = contentType.map { "\"\($0.excerpt())\"" } ?? "absent"
    return Rejection(
      .notCloudEvent,
      "The record has neither \"ce_\" headers nor the content-type \"application/cloudevents+json\" (it is \(type))."
    )
  }
}

extension ByteView {
  /// The value of a decimal integer without sign that fits 63 bits; nil for another text.
  var decimal: Int64? {
    guard !isEmpty, count <= 18 else { return nil }
    var value: Int64 = 0
    for byte in buffer {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return value
  }
}
