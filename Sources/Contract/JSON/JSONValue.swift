/// A value in a text that a `JSONParser` has found valid. Valid until the parser's next text.
public struct JSONValue {
  /// What a value is.
  public enum Kind: Sendable {
    /// An object.
    case object
    /// An array.
    case array
    /// A string.
    case string
    /// A number.
    case number
    /// `true` or `false`.
    case bool
    /// `null`.
    case null
  }

  let text: UnsafePointer<UInt8>
  let starts: UnsafePointer<UInt32>
  let closers: UnsafePointer<UInt32>
  let hasEscapes: Bool
  /// The index of the value's first token.
  let token: Int

  /// What the value is.
  public var kind: Kind {
    switch text[start(of: token)] {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// The bytes of the value as they stand in the text, without white space around it.
  public var raw: ByteView {
    let first = start(of: token)
    switch kind {
    case .object, .array: return view(first, start(of: Int(closers[token])) + 1)
    default: return view(first, end(ofScalar: token))
    }
  }

  /// The bytes between the quotes of a string, escapes as they stand; empty for other values.
  public var rawString: ByteView { kind == .string ? rawString(of: token) : .empty }

  /// The text of a string without a backslash as a view; else the text is unescaped to the end of `scratch`.
  ///
  /// The scratch buffer must have room for the text (`reserve`), so that earlier views into it stay valid.
  public func string(scratch: inout OutputBuffer) -> ByteView {
    JSONValue.unescape(rawString, hasEscapes: hasEscapes, scratch: &scratch)
  }

  /// The text of a string; empty for other values.
  public var string: String {
    let raw = rawString
    guard hasEscapes, raw.contains(UInt8(ascii: "\\")) else { return raw.string }
    var scratch = OutputBuffer(capacity: raw.count)
    return JSONValue.unescape(raw, hasEscapes: true, scratch: &scratch).string
  }

  /// The value of `true` or `false`; nil for other values.
  public var bool: Bool? { kind == .bool ? text[start(of: token)] == UInt8(ascii: "t") : nil }

  /// The value of a number that is an integer of 64 bits without fraction and exponent; nil for other values.
  public var integer: Int64? {
    guard kind == .number else { return nil }
    let digits = raw
    let negative = digits[0] == UInt8(ascii: "-")
    var value: Int64 = 0
    for index in (negative ? 1 : 0)..<digits.count {
      guard digits[index] >= UInt8(ascii: "0"), digits[index] <= UInt8(ascii: "9") else { return nil }
      let digit = Int64(digits[index] - UInt8(ascii: "0"))
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(negative ? -digit : digit)
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// The members of an object in their order; none for other values.
  public var members: Members { Members(object: self) }

  /// The elements of an array in their order; none for other values.
  public var elements: Elements { Elements(array: self) }

  /// The first member of an object with that name; nil if there is none or the value is no object.
  public subscript(name: StaticString) -> JSONValue? {
    for member in members where member.hasName(name) { return member.value }
    return nil
  }

  /// The token behind the value.
  fileprivate var following: Int {
    switch kind {
    case .object, .array: Int(closers[token]) + 1
    default: token + 1
    }
  }

  fileprivate func at(_ token: Int) -> JSONValue {
    JSONValue(text: text, starts: starts, closers: closers, hasEscapes: hasEscapes, token: token)
  }

  fileprivate func start(of token: Int) -> Int { Int(starts[token]) }

  fileprivate func view(_ lower: Int, _ upper: Int) -> ByteView {
    ByteView(start: text + lower, count: upper - lower)
  }

  /// Where a scalar ends: white space is all that can stand between it and the next token.
  private func end(ofScalar token: Int) -> Int {
    var end = start(of: token + 1)
    while text[end - 1] == 0x20 || text[end - 1] == 0x0A || text[end - 1] == 0x0D || text[end - 1] == 0x09 {
      end -= 1
    }
    return end
  }

  fileprivate func rawString(of token: Int) -> ByteView {
    view(start(of: token) + 1, end(ofScalar: token) - 1)
  }
}

extension JSONValue {
  /// A member of an object.
  public struct Member {
    fileprivate let name: JSONValue
    /// The member's value.
    public let value: JSONValue

    /// The name; unescaped to the end of `scratch` where it has escapes (see `JSONValue.string(scratch:)`).
    public func name(scratch: inout OutputBuffer) -> ByteView { name.string(scratch: &scratch) }

    /// The name.
    public var nameText: String { name.string }

    /// The bytes between the quotes of the name, escapes as they stand.
    var rawName: ByteView { name.rawString }

    /// Whether the name is that literal.
    public func hasName(_ literal: StaticString) -> Bool {
      let raw = name.rawString
      guard name.hasEscapes, raw.contains(UInt8(ascii: "\\")) else { return raw.equals(literal) }
      return name.string == literal.description
    }
  }

  /// The members of an object.
  public struct Members: Sequence, IteratorProtocol {
    private let object: JSONValue
    private var token: Int
    private let end: Int

    fileprivate init(object: JSONValue) {
      self.object = object
      self.token = object.token + 1
      self.end = object.kind == .object ? Int(object.closers[object.token]) : 0
    }

    /// The next member.
    public mutating func next() -> Member? {
      guard token < end else { return nil }
      let member = Member(name: object.at(token), value: object.at(token + 2))
      token = member.value.following + 1
      return member
    }
  }

  /// The elements of an array.
  public struct Elements: Sequence, IteratorProtocol {
    private let array: JSONValue
    private var token: Int
    private let end: Int

    fileprivate init(array: JSONValue) {
      self.array = array
      self.token = array.token + 1
      self.end = array.kind == .array ? Int(array.closers[array.token]) : 0
    }

    /// The next element.
    public mutating func next() -> JSONValue? {
      guard token < end else { return nil }
      let element = array.at(token)
      token = element.following + 1
      return element
    }
  }
}

extension JSONValue {
  /// The text of a string whose escapes were found valid: the view itself, or a copy at the end of `scratch`.
  static func unescape(_ raw: ByteView, hasEscapes: Bool, scratch: inout OutputBuffer) -> ByteView {
    guard hasEscapes, var next = raw.firstIndex(of: UInt8(ascii: "\\")) else { return raw }
    let first = scratch.count
    scratch.reserve(raw.count)
    var position = 0
    while true {
      scratch.append(raw.slice(position..<next))
      position = appendEscape(raw, at: next, to: &scratch)
      guard let found = raw.slice(position..<raw.count).firstIndex(of: UInt8(ascii: "\\")) else { break }
      next = position + found
    }
    scratch.append(raw.slice(position..<raw.count))
    return scratch.view.slice(first..<scratch.count)
  }

  /// Appends the character of the escape at `index` and gives the position behind it.
  private static func appendEscape(_ raw: ByteView, at index: Int, to buffer: inout OutputBuffer) -> Int {
    guard index + 1 < raw.count else { return raw.count }
    switch raw[index + 1] {
    case UInt8(ascii: "b"): buffer.append(byte: 0x08)
    case UInt8(ascii: "f"): buffer.append(byte: 0x0C)
    case UInt8(ascii: "n"): buffer.append(byte: 0x0A)
    case UInt8(ascii: "r"): buffer.append(byte: 0x0D)
    case UInt8(ascii: "t"): buffer.append(byte: 0x09)
    case UInt8(ascii: "u"):
      let high = codeUnit(raw, at: index + 2)
      guard high >= 0xD800, high < 0xDC00 else {
        buffer.append(scalar: high)
        return index + 6
      }
      let low = codeUnit(raw, at: index + 8)
      buffer.append(scalar: 0x10000 + ((high - 0xD800) << 10) + ((low & 0x3FF)))
      return index + 12
    case let byte: buffer.append(byte: byte)
    }
    return index + 2
  }

  private static func codeUnit(_ raw: ByteView, at index: Int) -> UInt32 {
    var value: UInt32 = 0
    for byte in raw.slice(index..<index + 4).buffer {
      let digit = byte <= UInt8(ascii: "9") ? byte &- UInt8(ascii: "0") : (byte | 0x20) &- 0x57
      value = value << 4 | UInt32(digit & 15)
    }
    return value
  }
}

extension OutputBuffer {
  /// Appends a Unicode scalar as UTF-8.
  fileprivate mutating func append(scalar value: UInt32) {
    let character = Unicode.Scalar(value) ?? "\u{FFFD}"
    for byte in UTF8.encode(character) ?? UTF8.encodedReplacementCharacter { append(byte: byte) }
  }
}
