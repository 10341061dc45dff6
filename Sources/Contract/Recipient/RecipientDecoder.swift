/// Reads the records of the recipients topic. Unknown fields are ignored.
public struct RecipientDecoder: ~Copyable {
  private var parser: JSONParser
  private let maxBytes: Int

  /// A decoder for records with at most `maxBytes` bytes; its memory is reused for every record.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(maxBytes: Int = EventLimits().maxRecordBytes) throws(JSONError) {
    parser = try JSONParser()
    self.maxBytes = maxBytes
  }

  /// Decodes a record's value; nil for a tombstone, which deletes the recipient's record.
  ///
  /// The key is read by `RecipientKey.split`.
  ///
  /// - Throws: `Rejection` with the field that is wrong; the recipient's former record stays in force.
  public mutating func decode(_ value: ByteView?) throws(Rejection) -> RecipientRecord? {
    guard let value else { return nil }
    guard value.count <= maxBytes else {
      throw Rejection(
        .recordTooLarge,
        "The recipient's record has \(value.count) bytes, and at most \(maxBytes) are allowed.")
    }
    let root: JSONValue
    do {
      root = try parser.parse(value)
    } catch {
      throw Rejection(
        error.kind == .invalidUTF8 ? .invalidUTF8 : .notJSON, "The recipient's record is not JSON: \(error).")
    }
    guard root.kind == .object else {
      throw Rejection(.notJSON, "The recipient's record is not a JSON object.")
    }
    let email = try RecipientDecoder.text(root, "email")
    if let email, !RecipientDecoder.isAddress(email) {
      throw Rejection(.invalidAttribute, "\"email\" is not an address such as name@example.org.")
    }
    return RecipientRecord(
      email: email, locale: try RecipientDecoder.text(root, "locale"),
      timeZone: try RecipientDecoder.text(root, "timeZone"), optOut: try RecipientDecoder.optOut(root),
      preferences: try RecipientDecoder.preferences(root), quietHours: try RecipientDecoder.quietHours(root),
      mutes: try RecipientDecoder.mutes(root))
  }

  /// A text of at most `maxTextBytes` without control characters.
  private static func text(_ root: JSONValue, _ name: StaticString) throws(Rejection) -> String? {
    guard let text = try root.optionalText(name) else { return nil }
    guard !text.isEmpty else {
      throw Rejection(.emptyAttribute, "\"\(name)\" is empty. Leave it out where there is none.")
    }
    guard text.utf8.count <= RecipientRecord.maxTextBytes else {
      throw Rejection(.attributeTooLong, "\"\(name)\" has more than \(RecipientRecord.maxTextBytes) bytes.")
    }
    guard !text.withByteView({ $0.hasControlCharacter }) else {
      throw Rejection(.invalidAttribute, "\"\(name)\" holds a control character.")
    }
    return text
  }

  /// Whether a text looks like an address: a part before and after the last `@`, and no white space. Mail servers
  /// know the rest.
  private static func isAddress(_ text: String) -> Bool {
    let bytes = text.utf8
    guard bytes.allSatisfy({ $0 < 0x80 }) else { return isInternationalAddress(text) }
    // A table of millions is read with each start: what is all ASCII needs no look at what Unicode says of it.
    guard let at = bytes.lastIndex(of: UInt8(ascii: "@")), at != bytes.startIndex,
      bytes.index(after: at) != bytes.endIndex
    else { return false }
    // Other white space is control characters, which no text may hold.
    return !bytes.contains(UInt8(ascii: " "))
  }

  private static func isInternationalAddress(_ text: String) -> Bool {
    guard let at = text.lastIndex(of: "@"), at != text.startIndex, text.index(after: at) != text.endIndex
    else { return false }
    return !text.contains { $0.isWhitespace }
  }

  private static func optOut(_ root: JSONValue) throws(Rejection) -> [RecipientRecord.OptOut] {
    guard let list = root["optOut"], list.kind != .null else { return [] }
    guard list.kind == .array else { throw Rejection(.invalidAttribute, "\"optOut\" is not an array.") }
    var entries: [RecipientRecord.OptOut] = []
    for element in list.elements {
      guard element.kind == .object else {
        throw Rejection(.invalidAttribute, "An entry of \"optOut\" is not an object.")
      }
      let category = try element.requiredText("category")
      let channelName = try element.requiredText("channel")
      let channel = Channel(name: channelName)
      guard !category.isEmpty else {
        throw Rejection(.emptyAttribute, "\"category\" in \"optOut\" is empty; \"*\" stands for all.")
      }
      guard channel != nil || channelName == "*" else {
        throw Rejection(
          .invalidAttribute,
          "\"channel\" in \"optOut\" is \"\(channelName)\"; \"email\", \"inapp\" or \"*\" is allowed.")
      }
      guard entries.count < RecipientRecord.maxOptOuts else {
        throw Rejection(
          .invalidAttribute, "\"optOut\" has more than \(RecipientRecord.maxOptOuts) entries.")
      }
      entries.append(.init(category: category == "*" ? nil : category, channel: channel))
    }
    return entries
  }
}
