/// Reads lines that describe recipients, and makes the records of the recipients topic.
///
/// A line is an object with `recipient`, optionally `tenant`, and the fields of a recipient's record. With
/// `"deleted":true` it deletes the record.
public struct RecipientLineReader: ~Copyable {
  private var parser: JSONParser
  private var decoder: RecipientDecoder
  private var key = OutputBuffer(capacity: 256)
  private var value = OutputBuffer(capacity: 512)
  private let limits: EventLimits

  /// A reader of records with at most `maxBytes` bytes in key and value, so that the processor takes them; its memory is
  /// reused for every line.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(maxBytes: Int = EventLimits().maxRecordBytes) throws(JSONError) {
    limits = EventLimits(maxRecordBytes: maxBytes)
    let parser = try JSONParser()
    let decoder = try RecipientDecoder(maxBytes: limits.maxLineBytes)
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
    let tenant = try root.optionalText("tenant") ?? RecipientKey.defaultTenant.description
    return try make(
      recipient: recipient.string, tenant: tenant, record: root["deleted"]?.bool == true ? nil : record)
  }

  /// Makes the record of a recipient; nil deletes it. It is valid until the next one.
  ///
  /// - Throws: `Rejection` when tenant or recipient are empty or hold what they must not, or the record is too large.
  public mutating func make(
    recipient: String, tenant: String, record: RecipientRecord?
  ) throws(Rejection) -> OutputRecord {
    try tenant.withByteView { (view) throws(Rejection) in
      try RecipientKey.check(tenant: view, named: "tenant")
    }
    try recipient.withByteView { (view) throws(Rejection) in
      try RecipientKey.check(recipient: view, named: "recipient")
    }
    key.removeAll()
    value.removeAll()
    tenant.withByteView { tenant in
      recipient.withByteView { RecipientKey.append(tenant: tenant, recipient: $0, to: &key) }
    }
    if let record { value.append(recipient: record) }
    let output = OutputRecord(
      key: key.view, value: record == nil ? nil : value.view,
      headers: UnsafeBufferPointer(start: nil, count: 0))
    try limits.check(table: InputRecord(output))
    return output
  }
}
