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

  /// Whether the headers of a record are those of an event in binary mode.
  static func hasAttributes(_ record: InputRecord) -> Bool {
    record.headers.contains { $0.name.equals("ce_specversion") }
  }

  /// Binary mode: attributes in `ce_` headers, the value is the data.
  mutating func readBinary(
    _ record: InputRecord, value: ByteView, contentType: ByteView?, _ onIdentity: (EventIdentity) -> Void
  ) throws(Rejection) {
    var isCloudEvent = false
    var isForwarded = false
    let headers = record.headers
    for index in 0..<headers.count {
      guard let start = headers[index].name.start, headers[index].name.hasPrefix("ce_") else {
        if headers[index].name.hasPrefix("tidings-") { isForwarded = true }
        continue
      }
      isCloudEvent = true
      guard let text = headers[index].value else { continue }
      let name = ByteView(start: start + 3, count: headers[index].name.count &- 3)
      guard let attribute = EventAttribute(name: name) else {
        try readExtension(name, text)
        continue
      }
      guard text.isUTF8 else {
        throw Rejection(.invalidUTF8, "The header \"ce_\(attribute.name)\" is not valid UTF-8.")
      }
      try set(attribute, text)
    }
    guard isCloudEvent else { throw EventDecoder.notCloudEvent(contentType) }
    if has(.id), has(.source), has(.recipient) {
      onIdentity(
        EventIdentity(
          tenant: has(.tenant) ? texts[.tenant] : ByteView(RecipientKey.defaultTenant),
          source: texts[.source], id: texts[.id], recipient: texts[.recipient]))
    }
    if isForwarded { readOrigin(record) }
    if let contentType {
      guard contentType.isUTF8 else {
        throw Rejection(.invalidUTF8, "The header \"content-type\" is not valid UTF-8.")
      }
      guard contentType.count <= limits.maxAttributeBytes else {
        throw excess(of: EventAttribute.datacontenttype.name, contentType)
      }
      note(.datacontenttype, contentType)
    }
    try setData(value)
  }

  @inline(never)
  private mutating func readExtension(_ name: ByteView, _ text: ByteView) throws(Rejection) {
    if EventDecoder.isAttributeName(name), text.isUTF8 { try append(extension: name, text) }
  }

  /// Takes bytes as the event's data and finds out, by media type and content, what they are.
  mutating func setData(_ bytes: ByteView) throws(Rejection) {
    fields.pointee.data = bytes
    guard !bytes.isEmpty else {
      fields.pointee.dataKind = .none
      return
    }
    switch MediaType.kind(of: texts[.datacontenttype]) {
    case .json:
      do {
        try parser.validate(bytes, maxDepth: limits.maxDepth)
      } catch {
        throw EventDecoder.notJSON("The data", error, limits)
      }
      fields.pointee.dataKind = .json
    case .text: fields.pointee.dataKind = bytes.isUTF8 ? .text : .binary
    case .binary, .none: fields.pointee.dataKind = .binary
    }
  }

  /// The position that forwarding noted, if it is whole, and the audience that a fan-out noted.
  mutating func readOrigin(_ record: InputRecord) {
    var topic: ByteView?
    var partition: Int64?
    var offset: Int64?
    for header in record.headers where header.name.hasPrefix("tidings-") {
      if header.name.equals(OriginHeader.audience), let audience = header.value, audience.isUTF8 {
        fields.pointee.followedAudience = audience
      }
      if header.name.equals(OriginHeader.topic) { topic = header.value }
      if header.name.equals(OriginHeader.partition) { partition = header.value?.decimal }
      if header.name.equals(OriginHeader.offset) { offset = header.value?.decimal }
      if header.name.equals(OriginHeader.timestamp) {
        fields.pointee.originAppendedMilliseconds = header.value?.decimal
      }
    }
    guard let topic, topic.isUTF8, let partition, let offset, let number = Int32(exactly: partition) else {
      return
    }
    fields.pointee.origin = RecordPosition(topic: topic, partition: number, offset: offset)
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

extension UnsafeMutablePointer<ByteView> {
  /// The text of an attribute, of texts by places.
  @inline(__always)
  subscript(attribute: EventAttribute) -> ByteView { self[attribute.place] }
}
