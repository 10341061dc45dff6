import Mustache

/// Escapes text for HTML byte by byte.
///
/// swift-mustache's own `HTML` compares grapheme clusters: a quote or an angle bracket that a combining mark follows
/// is another character to it and passes unescaped, which a value could use to leave its attribute.
struct HTMLText: MustacheContentType {
  /// The name for the pragma `CONTENT_TYPE`.
  static let name = "TIDINGS_HTML"

  func escapeText(_ text: String) -> String {
    var escaped: [UInt8] = []
    escaped.reserveCapacity(text.utf8.count + 16)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): escaped += "&amp;".utf8
      case UInt8(ascii: "<"): escaped += "&lt;".utf8
      case UInt8(ascii: ">"): escaped += "&gt;".utf8
      case UInt8(ascii: "\""): escaped += "&quot;".utf8
      case UInt8(ascii: "'"): escaped += "&#39;".utf8
      default: escaped.append(byte)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }
}
