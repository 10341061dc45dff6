import Contract
import Kafka

/// Reads engagement records as the processor does, to learn whose home they belong to.
struct EngagementReader: ~Copyable {
  private let partitionCount: Int32
  private let limit: Int
  private var decoder: EngagementDecoder
  private var scratch = OutputBuffer(capacity: 64)

  init(_ topics: AuditTopics) throws(JSONError) {
    let decoder = try EngagementDecoder(limits: EventLimits(maxRecordBytes: AuditTopics.anySize))
    self.decoder = decoder
    limit = EventLimits(maxRecordBytes: topics.recordLimit).forwarded.maxRecordBytes
    partitionCount = topics.partitionCount
  }

  /// The home of the recipient that a record is about; nil where it cannot be read.
  ///
  /// - Parameter mayBeRejected: whether the record may have been rejected without a trace that is left: as too large,
  ///   if it is by the limit of today.
  mutating func home(of record: ConsumedRecord, mayBeRejected: Bool) -> Int32? {
    let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
    if mayBeRejected, input.byteCount > limit { return nil }
    do throws(Rejection) {
      let engagement = try decoder.decode(input)
      return RecipientKey.home(
        tenant: engagement.tenant, recipient: engagement.recipient, count: partitionCount, scratch: &scratch)
    } catch {
      return nil
    }
  }
}
