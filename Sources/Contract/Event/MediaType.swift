/// What a media type says about the data behind it.
enum MediaType {
  /// The kind of data of a media type; absent means JSON, as CloudEvents says. Parameters do not matter, except that
  /// a text in another character set than UTF-8 and ASCII is bytes.
  static func kind(of contentType: ByteView) -> EventView.DataKind {
    // As nearly all say it.
    if contentType.equals("application/json") { return .json }
    let separator = contentType.firstIndex(of: UInt8(ascii: ";")) ?? contentType.count
    let type = contentType.slice(0..<separator).trimmed
    if contentType.isEmpty || isJSON(type) { return .json }
    guard type.hasPrefix(ignoringCase: "text/") || isXML(type) else { return .binary }
    return isUnicode(contentType.slice(separator..<contentType.count)) ? .text : .binary
  }

  private static func isJSON(_ type: ByteView) -> Bool {
    type.equals(ignoringCase: "application/json") || type.equals(ignoringCase: "text/json")
      || type.slice(type.count - 5..<type.count).equals(ignoringCase: "+json")
  }

  private static func isXML(_ type: ByteView) -> Bool {
    type.equals(ignoringCase: "application/xml")
      || type.slice(type.count - 4..<type.count).equals(ignoringCase: "+xml")
  }

  /// Whether the parameters name no character set, or one whose bytes are UTF-8.
  private static func isUnicode(_ parameters: ByteView) -> Bool {
    var start = 0
    while start < parameters.count {
      let rest = parameters.slice(start + 1..<parameters.count)
      let length = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.count
      let parameter = rest.slice(0..<length).trimmed
      start += 1 + length
      guard parameter.hasPrefix(ignoringCase: "charset=") else { continue }
      var name = parameter.slice(8..<parameter.count)
      if name.count >= 2, name[0] == UInt8(ascii: "\""), name[name.count - 1] == UInt8(ascii: "\"") {
        name = name.slice(1..<name.count - 1)
      }
      return name.equals(ignoringCase: "utf-8") || name.equals(ignoringCase: "us-ascii")
    }
    return true
  }
}
