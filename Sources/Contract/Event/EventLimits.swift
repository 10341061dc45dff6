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

  /// The same limits for records that were forwarded to `routed`: 64 KiB more, for the headers that forwarding adds.
  public var forwarded: EventLimits {
    var limits = self
    limits.maxRecordBytes += 64 * 1024
    return limits
  }
}
