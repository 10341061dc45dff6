/// Reads lines that describe recipients, and makes the records of the recipients topic.
///
/// A line is an object with `recipient`, optionally `tenant`, and the fields of a recipient's record. With
/// `"deleted":true` it deletes the record.
public struct RecipientLineReader: ~Copyable {
  private var parser: JSONParser
  private var decoder: RecipientDecoder
  private var key = OutputBuffer(capacity: 256)
  private var value = OutputBuffer(capacity: 512)

  /// A reader; its memory is reused for every line.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init() throws(JSONError) {
    let parser = try JSONParser()
    let decoder = try RecipientDecoder()
    self.parser = parser
    self.decoder = decoder
  }

  /// Reads a line; the record is valid until the next one.
  ///
  /// - Throws: `Rejection` with the field that is wrong.
  public mutating func read(_ line: ByteView) throws(Rejection) -> OutputRecord {
    guard let record = try decoder.decode(line) else { throw Rejection(.tombstone, "The line is empty.") }
    let root: JSONValue
    do {
      root = try parser.parse(line)
    } catch {
      throw Rejection(.notJSON, "The line is not JSON: \(error).")
    }
    guard let recipient = root["recipient"], recipient.kind == .string else {
      throw Rejection(.missingAttribute, "\"recipient\" is missing, or is no string.")
    }
    let tenant =
      root["tenant"].map { $0.kind == .string ? $0.string : "" } ?? RecipientKey.defaultTenant.description
    return try make(
      recipient: recipient.string, tenant: tenant, record: root["deleted"]?.bool == true ? nil : record)
  }

  /// Makes the record of a recipient; nil deletes it. It is valid until the next one.
  ///
  /// - Throws: `Rejection` when tenant or recipient are empty or hold what they must not.
  public mutating func make(
    recipient: String, tenant: String, record: RecipientRecord?
  ) throws(Rejection) -> OutputRecord {
    for part in [recipient, tenant] where part.contains("/") || part.isEmpty {
      throw Rejection(.invalidRecipient, "Tenant and recipient must not be empty or hold \"/\": \"\(part)\".")
    }
    key.removeAll()
    value.removeAll()
    tenant.withByteView { tenant in
      recipient.withByteView { RecipientKey.append(tenant: tenant, recipient: $0, to: &key) }
    }
    _ = try RecipientKey.split(key.view)
    guard let record else { return output(nil) }
    value.append(recipient: record)
    return output(value.view)
  }

  private func output(_ value: ByteView?) -> OutputRecord {
    OutputRecord(key: key.view, value: value, headers: UnsafeBufferPointer(start: nil, count: 0))
  }
}
