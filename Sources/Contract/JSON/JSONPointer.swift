/// A JSON pointer (RFC 6901): where in a JSON text a value stands, such as `/board/id` or `/votes/0`.
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
  /// The names and indices on the way, unescaped; none for the whole text.
  public let tokens: [String]

  /// Reads a pointer; nil where the text is none: it has to be empty or to begin with `/`, and `~` stands only before
  /// `0` (for `~`) or `1` (for `/`).
  public init?(_ text: String) {
    guard !text.isEmpty else {
      tokens = []
      return
    }
    guard text.utf8.first == UInt8(ascii: "/") else { return nil }
    var tokens: [String] = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let token = JSONPointer.unescaped(part) else { return nil }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  /// The pointer as it is written.
  public var description: String {
    tokens.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
  }

  /// Whether a text is a pointer, without reading it.
  package static func isWritten(_ text: ByteView) -> Bool {
    guard text.isEmpty || text[0] == UInt8(ascii: "/") else { return false }
    for (index, byte) in text.buffer.enumerated() where byte == UInt8(ascii: "~") {
      guard index + 1 < text.count, [UInt8(ascii: "0"), UInt8(ascii: "1")].contains(text[index + 1]) else {
        return false
      }
    }
    return true
  }

  private static func unescaped(_ part: Substring) -> String? {
    var text = ""
    var isEscape = false
    for scalar in part.unicodeScalars {
      guard isEscape else {
        if scalar == "~" { isEscape = true } else { text.unicodeScalars.append(scalar) }
        continue
      }
      guard scalar == "0" || scalar == "1" else { return nil }
      text += scalar == "0" ? "~" : "/"
      isEscape = false
    }
    return isEscape ? nil : text
  }
}

extension JSONValue {
  /// The value at a place below this one; nil where nothing stands there. Of members of the same name it is the first.
  public subscript(pointer: JSONPointer) -> JSONValue? {
    var value = self
    for token in pointer.tokens {
      guard let next = value.child(token) else { return nil }
      value = next
    }
    return value
  }

  private func child(_ token: String) -> JSONValue? {
    switch kind {
    case .object:
      for member in members where member.hasName(token) { return member.value }
      return nil
    case .array:
      // An index has no leading zero, and "-" stands for the element behind the last: for none.
      guard let index = Int(token), index >= 0, String(index) == token else { return nil }
      for (position, element) in elements.enumerated() where position == index { return element }
      return nil
    default:
      return nil
    }
  }
}

extension JSONValue.Member {
  /// Whether the name is that text.
  fileprivate func hasName(_ text: String) -> Bool {
    let raw = rawName
    if raw.contains(UInt8(ascii: "\\")) { return nameText == text }
    return text.withByteView { $0 == raw }
  }
}
