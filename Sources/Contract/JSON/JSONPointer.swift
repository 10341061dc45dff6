/// A JSON pointer (RFC 6901): where in a JSON text a value stands, such as `/board/id` or `/votes/0`.
public struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
  /// The names and indices on the way, unescaped; none for the whole text.
  public let tokens: [String]

  /// Reads a pointer; nil where the text is none: it has to be empty or to begin with `/`, and `~` stands only before
  /// `0` (for `~`) or `1` (for `/`).
  public init?(_ text: String) {
    guard text.withByteView({ JSONPointer.isWritten($0) }) else { return nil }
    // By bytes: a combining character behind a "/" is part of the name. What stands before the first "/" is nothing.
    tokens = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
      .map { JSONPointer.unescaped(Substring($0)) }
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

  private static func unescaped(_ part: Substring) -> String {
    var text = ""
    var isEscape = false
    for scalar in part.unicodeScalars {
      if isEscape {
        text.unicodeScalars.append(scalar == "0" ? "~" : "/")
        isEscape = false
      } else if scalar == "~" {
        isEscape = true
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
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
