/// Reads the records of the subscriptions topic: the recipients who follow an audience, as far as one part of it goes.
/// Unknown fields are ignored.
public struct SubscriptionDecoder: ~Copyable {
  /// The most recipients of one part.
  public static let maxRecipients = 10_000
  /// What to do where a record is too large, for ``EventLimits/check(table:_:)``.
  public static var advice: StaticString { ": make more parts of the audience." }

  private var parser: JSONParser
  private var scratch = OutputBuffer(capacity: 1024)
  private var recipients: [ByteView] = []
  private let limits: EventLimits

  /// A decoder for records with at most `maxBytes` bytes; its memory is reused for every record.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(maxBytes: Int = EventLimits().maxRecordBytes) throws(JSONError) {
    parser = try JSONParser()
    limits = EventLimits(maxRecordBytes: maxBytes)
  }

  /// Decodes a record's value: the ids of the recipients as they stand, also those that are repeated. They are valid
  /// until the next record and as long as the value is. nil for a tombstone, which removes the part.
  ///
  /// The key is read by `AudienceKey.split`.
  ///
  /// - Throws: `Rejection` with what is wrong; the part's former record stays in force.
  public mutating func decode(_ value: ByteView?) throws(Rejection) -> [ByteView]? {
    guard let value else { return nil }
    guard value.count <= limits.maxRecordBytes else {
      throw Rejection(
        .recordTooLarge,
        "The part has \(value.count) bytes, and at most \(limits.maxRecordBytes) are allowed\(Self.advice)")
    }
    let root: JSONValue
    do {
      root = try parser.parse(value)
    } catch {
      throw Rejection(
        error.kind == .invalidUTF8 ? .invalidUTF8 : .notJSON, "The part of an audience is not JSON: \(error)."
      )
    }
    guard root.kind == .object else {
      throw Rejection(.notJSON, "The part of an audience is not a JSON object.")
    }
    guard let list = root["recipients"], list.kind != .null else {
      throw Rejection(
        .missingAttribute, "\"recipients\" is missing. A part that nobody is in has an empty array.")
    }
    guard list.kind == .array else { throw Rejection(.invalidAttribute, "\"recipients\" is not an array.") }
    scratch.removeAll()
    // Views into it have to stay: unescaped text is never longer than what it was made from.
    scratch.reserve(value.count)
    recipients.removeAll(keepingCapacity: true)
    for element in list.elements {
      guard element.kind == .string else {
        throw Rejection(.invalidAttribute, "An entry of \"recipients\" is not a string.")
      }
      guard recipients.count < Self.maxRecipients else {
        throw Rejection(
          .tooManyRecipients,
          "\"recipients\" names more than \(Self.maxRecipients): make more parts of the audience.")
      }
      let recipient = element.string(scratch: &scratch)
      try RecipientKey.check(recipient: recipient, named: "recipients")
      guard recipient.count <= limits.maxAttributeBytes else {
        throw Rejection(
          .attributeTooLong,
          "An entry of \"recipients\" has \(recipient.count) bytes, and at most \(limits.maxAttributeBytes) are allowed."
        )
      }
      recipients.append(recipient)
    }
    return recipients
  }
}
