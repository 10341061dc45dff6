/// The bounds that a record has to keep; what is beyond them is rejected.
public struct EventLimits: Equatable, Sendable {
  /// Bytes of key, value and headers together.
  public var maxRecordBytes: Int
  /// Entries of `recipients`, before repeated ones are counted once.
  public var maxRecipients: Int
  /// Bytes of one attribute, except `recipients`, which only `maxRecordBytes` bounds.
  public var maxAttributeBytes: Int
  /// Objects and arrays nested in JSON data.
  public var maxDepth: Int

  /// The limits of the contract: 256 KiB, 1,000 recipients, 4 KiB an attribute, 100 levels of JSON.
  public init(
    maxRecordBytes: Int = 256 * 1024, maxRecipients: Int = 1000, maxAttributeBytes: Int = 4096,
    maxDepth: Int = 100
  ) {
    self.maxRecordBytes = maxRecordBytes
    self.maxRecipients = maxRecipients
    self.maxAttributeBytes = maxAttributeBytes
    self.maxDepth = maxDepth
  }

  /// Bytes of a line that describes a record of a table: it names what goes into the key, and may be written with
  /// spaces.
  public var maxLineBytes: Int { forwarded.maxRecordBytes }

  /// Whether a record of a table, such as the recipients, is no larger than allowed: key, value and headers together,
  /// also where it deletes. One that was handed on to its home has 64 KiB more there, for the headers that say so.
  public func allows(table record: InputRecord) -> Bool { record.byteCount <= maxBytes(ofTable: record) }

  /// - Parameter advice: what to do; behind what is wrong.
  /// - Throws: `Rejection` for a record of a table that is larger than allowed.
  public func check(table record: InputRecord, _ advice: StaticString = ".") throws(Rejection) {
    guard !allows(table: record) else { return }
    throw Rejection(
      .recordTooLarge,
      "The record has \(record.byteCount) bytes in key, value and headers, and at most "
        + "\(maxBytes(ofTable: record)) are allowed\(advice)")
  }

  private func maxBytes(ofTable record: InputRecord) -> Int {
    let isHandedOn = record.headers.contains { $0.name.equals(OriginHeader.offset) }
    return isHandedOn ? forwarded.maxRecordBytes : maxRecordBytes
  }

  /// The same limits for records that were forwarded to `routed`: 64 KiB more, for the headers that forwarding adds.
  public var forwarded: EventLimits {
    var limits = self
    limits.maxRecordBytes += 64 * 1024
    return limits
  }
}
