import Contract
import Kafka

/// Reads engagement records as the processor does, to learn whose home they belong to.
struct EngagementReader: ~Copyable {
  private let partitionCount: Int32
  private var decoder: EngagementDecoder
  private var scratch = OutputBuffer(capacity: 64)

  init(_ topics: AuditTopics) throws(JSONError) {
    let decoder = try EngagementDecoder(limits: EventLimits(maxRecordBytes: topics.recordLimit).forwarded)
    self.decoder = decoder
    partitionCount = topics.partitionCount
  }

  /// The home of the recipient that a record is about; nil where it cannot be read.
  mutating func home(of record: ConsumedRecord) -> Int32? {
    do throws(Rejection) {
      let engagement = try decoder.decode(
        InputRecord(key: record.key, value: record.value, headers: record.headers))
      return RecipientKey.home(
        tenant: engagement.tenant, recipient: engagement.recipient, count: partitionCount, scratch: &scratch)
    } catch {
      return nil
    }
  }
}
