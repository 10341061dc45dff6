extension OutputBuffer {
  /// Appends a comma and a member's name with its colon; the name needs no escaping.
  @inline(__always)
  mutating func append(comma name: StaticString) {
    append(",\"")
    append(name)
    append("\":")
  }

  /// Appends a comma and a member with a text.
  mutating func append(comma name: StaticString, text: ByteView) {
    append(comma: name)
    append(jsonString: text)
  }

  /// Appends a comma and a member with a text, unless it is empty.
  mutating func append(comma name: StaticString, present text: ByteView) {
    if !text.isEmpty { append(comma: name, text: text) }
  }

  /// Appends a comma and a member with a text that needs no escaping.
  mutating func append(comma name: StaticString, literal: StaticString) {
    append(comma: name)
    append(byte: UInt8(ascii: "\""))
    append(literal)
    append(byte: UInt8(ascii: "\""))
  }

  /// Appends a comma and a member with a hash.
  mutating func append(comma name: StaticString, hash: Hash128) {
    append(comma: name)
    append(quoted: hash)
  }

  /// Appends a hash as a JSON string.
  mutating func append(quoted hash: Hash128) {
    write(atMost: 34) { $0.quoted(hash) }
  }

  /// Appends a comma and a member with an integer.
  mutating func append(comma name: StaticString, number: Int64) {
    append(comma: name)
    append(decimal: number)
  }

  /// Appends bytes in base64 (RFC 4648 §4) as a JSON string.
  mutating func append(base64 bytes: ByteView) {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    func digit(_ bits: UInt32, _ shift: UInt32) -> UInt8 { alphabet.utf8Start[Int(bits >> shift & 63)] }
    reserve((bytes.count + 2) / 3 * 4 + 2)
    append(byte: UInt8(ascii: "\""))
    var index = 0
    while index < bytes.count {
      let rest = bytes.count - index
      var bits = UInt32(bytes[index]) << 16
      if rest > 1 { bits |= UInt32(bytes[index + 1]) << 8 }
      if rest > 2 { bits |= UInt32(bytes[index + 2]) }
      append(byte: digit(bits, 18))
      append(byte: digit(bits, 12))
      append(byte: rest > 1 ? digit(bits, 6) : UInt8(ascii: "="))
      append(byte: rest > 2 ? digit(bits, 0) : UInt8(ascii: "="))
      index += 3
    }
    append(byte: UInt8(ascii: "\""))
  }
}
