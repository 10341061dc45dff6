/// Writes header fields of RFC 5322: folded lines of at most 78 characters where that is possible, text outside
/// ASCII as encoded words (RFC 2047).
///
/// No value can add a header or end the headers: control characters, line breaks among them, become spaces.
struct HeaderWriter {
  /// The fields written so far, each ended by CRLF.
  private(set) var bytes: [UInt8] = []

  private static let lineLimit = 78

  /// Appends a field whose value is known to be short printable ASCII, such as a date or a validated id.
  mutating func append(_ name: StaticString, verbatim value: String) {
    append(name, tokens: Self.singleLine(value).split(separator: " ").map(String.init))
  }

  /// Appends a field of unstructured text.
  mutating func append(_ name: StaticString, text: String) {
    let line = Self.singleLine(text)
    append(
      name,
      tokens: Self.isPlain(line) ? line.split(separator: " ").map(String.init) : EncodedWords.words(of: line))
  }

  /// Appends a field with one mailbox.
  mutating func append(_ name: StaticString, mailbox: EmailMailbox) {
    guard let displayName = mailbox.name.map(Self.singleLine), !displayName.isEmpty else {
      append(name, tokens: [mailbox.address.description])
      return
    }
    append(name, tokens: Self.phrase(displayName) + ["<\(mailbox.address)>"])
  }

  /// Text without line breaks and control characters: a run of white space or control characters is one space, and
  /// there is none at either end.
  static func singleLine(_ text: String) -> String {
    var line = String.UnicodeScalarView()
    var pendingSpace = false
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace || scalar.properties.generalCategory == .control {
        pendingSpace = !line.isEmpty
      } else {
        if pendingSpace { line.append(" ") }
        pendingSpace = false
        line.append(scalar)
      }
    }
    return String(line)
  }

  /// Whether the text can stand in a header as it is: printable ASCII that nobody takes for an encoded word, and no
  /// word too long for a line.
  private static func isPlain(_ line: String) -> Bool {
    line.utf8.allSatisfy { (0x20...0x7e).contains($0) } && !line.contains("=?")
      && line.split(separator: " ").allSatisfy { $0.utf8.count <= 60 }
  }

  /// A display name as the tokens of a phrase: atoms where possible, a quoted string, or encoded words.
  private static func phrase(_ name: String) -> [String] {
    let words = name.split(separator: " ")
    if words.allSatisfy({ $0.utf8.allSatisfy(isAtomText) }) && isPlain(name) { return words.map(String.init) }
    guard isPlain(name), name.utf8.count <= 60 else { return EncodedWords.words(of: name) }
    let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return ["\"\(escaped)\""]
  }

  private mutating func append(_ name: StaticString, tokens: [String]) {
    var column = bytes.count
    bytes += "\(name):".utf8
    column = bytes.count - column
    for (index, token) in tokens.enumerated() {
      // The first token stays on the line of the name: a line of white space alone would be obsolete syntax.
      if index > 0 && column + 1 + token.utf8.count > Self.lineLimit {
        bytes += "\r\n".utf8
        column = 0
      }
      bytes += " ".utf8
      bytes += token.utf8
      column += 1 + token.utf8.count
    }
    bytes += "\r\n".utf8
  }
}
