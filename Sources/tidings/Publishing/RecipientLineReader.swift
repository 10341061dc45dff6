import Contract
import Kafka

/// Reads lines that describe recipients, and makes the records of the recipients topic.
///
/// A line is an object with `recipient`, optionally `tenant`, and the fields of a recipient's record. With
/// `"deleted":true` it deletes the record.
struct RecipientLineReader: ~Copyable {
  private var parser: JSONParser
  private var decoder: RecipientDecoder
  private var key = OutputBuffer(capacity: 256)
  private var value = OutputBuffer(capacity: 512)

  init() throws(JSONError) {
    let parser = try JSONParser()
    let decoder = try RecipientDecoder()
    self.parser = parser
    self.decoder = decoder
  }

  /// Reads a line; the record is valid until the next one.
  ///
  /// - Throws: `Rejection` with the field that is wrong.
  mutating func read(_ line: ByteView) throws(Rejection) -> OutgoingRecord {
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
  mutating func make(
    recipient: String, tenant: String, record: RecipientRecord?
  ) throws(Rejection) -> OutgoingRecord {
    for part in [recipient, tenant] where part.contains("/") || part.isEmpty {
      throw Rejection(.invalidRecipient, "Tenant and recipient must not be empty or hold \"/\": \"\(part)\".")
    }
    key.removeAll()
    value.removeAll()
    tenant.withByteView { tenant in
      recipient.withByteView { RecipientKey.append(tenant: tenant, recipient: $0, to: &key) }
    }
    _ = try RecipientKey.split(key.view)
    guard let record else {
      return OutgoingRecord(topicIndex: 0, key: key.view, value: nil)
    }
    value.append(recipient: record)
    return OutgoingRecord(topicIndex: 0, key: key.view, value: value.view)
  }
}
