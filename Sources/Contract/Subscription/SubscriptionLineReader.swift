/// Reads lines that describe parts of audiences, and makes the records of the subscriptions topic.
///
/// A line is an object with `audience`, optionally `tenant` and `part`, and the fields of the part's record. With
/// `"deleted":true` it removes the part.
public struct SubscriptionLineReader: ~Copyable {
  /// A record, and the key of its audience, by which it is at home; both are valid until the next line.
  public struct Line {
    /// The record to produce.
    public let record: OutputRecord
    /// The audience's key.
    public let audienceKey: ByteView
    /// The tenant.
    public let tenant: ByteView
    /// The ids of the recipients in the part; none where it is removed.
    public let recipients: [ByteView]
  }

  private var parser: JSONParser
  private var decoder: SubscriptionDecoder
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
    let decoder = try SubscriptionDecoder(maxBytes: limits.maxLineBytes)
    self.parser = parser
    self.decoder = decoder
  }

  /// Reads a line, without its line break.
  ///
  /// - Throws: `Rejection` with the field that is wrong.
  public mutating func read(_ line: ByteView) throws(Rejection) -> Line {
    let root: JSONValue
    do {
      root = try parser.parse(line)
    } catch {
      throw Rejection(.notJSON, "The line is not JSON: \(error).")
    }
    guard let audience = try root.optionalText("audience") else {
      throw Rejection(.missingAttribute, "\"audience\" is missing.")
    }
    let tenant = try root.optionalText("tenant") ?? RecipientKey.defaultTenant.description
    try audience.withByteView { (view) throws(Rejection) in
      try AudienceKey.check(audience: view, named: "audience")
    }
    try tenant.withByteView { (view) throws(Rejection) in
      try RecipientKey.check(tenant: view, named: "tenant")
    }
    key.removeAll()
    tenant.withByteView { tenant in
      audience.withByteView { AudienceKey.append(tenant: tenant, audience: $0, to: &key) }
    }
    let keyBytes = key.count
    if let part = try root.optionalText("part"), !part.isEmpty {
      key.append(byte: UInt8(ascii: "#"))
      key.append(text: part)
    }
    let parts = try AudienceKey.split(key.view)
    let isDeleted = root["deleted"]?.bool == true
    let recipients = isDeleted ? [] : try decoder.decode(line) ?? []
    value.removeAll()
    if !isDeleted {
      value.append("{\"recipients\":[")
      for (index, recipient) in recipients.enumerated() {
        if index > 0 { value.append(byte: UInt8(ascii: ",")) }
        value.append(jsonString: recipient)
      }
      value.append("]}")
    }
    let record = OutputRecord(
      key: key.view, value: isDeleted ? nil : value.view, headers: UnsafeBufferPointer(start: nil, count: 0))
    try limits.check(table: InputRecord(record), SubscriptionDecoder.advice)
    return Line(
      record: record, audienceKey: key.view.slice(0..<keyBytes), tenant: parts.tenant, recipients: recipients)
  }
}
