extension EventDecoder {
  /// Structured mode: the value is the event in the JSON event format.
  mutating func readStructured(_ json: ByteView) throws(Rejection) {
    let root: JSONValue
    do {
      root = try parser.parse(json)
    } catch {
      throw EventDecoder.notJSON("The event", error, limits)
    }
    guard root.kind == .object else { throw Rejection(.notJSON, "The event is not a JSON object.") }
    var dataMember: JSONValue?
    var base64Member: JSONValue?
    for member in root.members {
      let name = member.name(scratch: &scratch)
      if name.equals("data") {
        guard dataMember == nil else { throw Rejection(.duplicateAttribute, "\"data\" is given twice.") }
        dataMember = member.value
      } else if name.equals("data_base64") {
        guard base64Member == nil else {
          throw Rejection(.duplicateAttribute, "\"data_base64\" is given twice.")
        }
        base64Member = member.value
      } else if member.value.kind == .null {
        continue
      } else if let attribute = EventAttribute(name: name) {
        try set(attribute, try text(of: member.value, attribute))
      } else if EventDecoder.isAttributeName(name), let value = canonicalText(of: member.value) {
        try append(extension: name, value)
      }
    }
    if base64Member?.kind == .null { base64Member = nil }
    try readData(dataMember, base64: base64Member)
  }

  /// The text of a known attribute.
  private mutating func text(
    of value: JSONValue, _ attribute: EventAttribute
  ) throws(Rejection) -> ByteView {
    if attribute.isCore && value.kind != .string {
      throw Rejection(.invalidAttribute, "\"\(attribute.name)\" is not a string.")
    }
    guard let text = canonicalText(of: value) else {
      throw Rejection(
        .invalidAttribute, "\"\(attribute.name)\" is not a string, and no integer or truth value either.")
    }
    return text
  }

  /// The text of a CloudEvents attribute value: a string, an integer or a truth value. Others are none.
  private mutating func canonicalText(of value: JSONValue) -> ByteView? {
    switch value.kind {
    case .string: value.string(scratch: &scratch)
    case .bool: value.raw
    case .number: value.integer == nil || value.raw.equals("-0") ? nil : value.raw
    case .null, .object, .array: nil
    }
  }

  private mutating func readData(_ member: JSONValue?, base64: JSONValue?) throws(Rejection) {
    let contentType = texts[.datacontenttype]
    if let base64 {
      guard member == nil else {
        throw Rejection(.invalidAttribute, "The event has both \"data\" and \"data_base64\"; one is allowed.")
      }
      let encoded = base64.string(scratch: &scratch)
      guard base64.kind == .string, let decoded = Base64.decode(encoded, scratch: &scratch) else {
        throw Rejection(.invalidAttribute, "\"data_base64\" is not a string in base64 (RFC 4648 §4).")
      }
      try setData(decoded)
    } else if let member {
      let kind = MediaType.kind(of: contentType)
      if kind == .json {
        fields.pointee.dataKind = .json
        fields.pointee.data = member.raw
      } else if member.kind == .string {
        let text = member.string(scratch: &scratch)
        fields.pointee.data = text
        fields.pointee.dataKind = text.isEmpty ? .none : kind
      } else if member.kind != .null {
        throw Rejection(
          .invalidAttribute,
          "\"data\" is not a string, which it has to be for the datacontenttype \"\(contentType.excerpt())\"."
        )
      }
    }
  }
}

/// Base64 as RFC 4648 §4 has it: the standard alphabet, with padding, nothing else in between.
enum Base64 {
  /// Decodes to the end of `scratch`, which must have room; nil if the text is not base64.
  static func decode(_ text: ByteView, scratch: inout OutputBuffer) -> ByteView? {
    guard text.count % 4 == 0 else { return nil }
    let first = scratch.count
    scratch.reserve(text.count / 4 * 3)
    var padding = 0
    if text.count > 0 && text[text.count - 1] == UInt8(ascii: "=") {
      padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1
    }
    var bits: UInt32 = 0
    for index in 0..<text.count {
      let isPadding = index >= text.count - padding
      guard let value = isPadding ? 0 : value(of: text[index]) else { return nil }
      bits = bits << 6 | value
      guard index % 4 == 3 else { continue }
      let last = index == text.count - 1
      let bytes = last ? 3 - padding : 3
      for byte in 0..<bytes { scratch.append(byte: UInt8(truncatingIfNeeded: bits >> UInt32(16 - byte * 8))) }
      // Bits that no byte takes have to be zero, so that a value has one encoding only.
      if last && bits & ((1 << UInt32(padding * 8)) - 1) != 0 { return nil }
      bits = 0
    }
    return scratch.view.slice(first..<scratch.count)
  }

  private static func value(of byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
