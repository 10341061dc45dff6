import Contract
import Kafka
import Pipeline

/// Reads events that were neither decided nor rejected where they stood: they have to be forwarded, to each recipient.
struct ForwardReader {
  private let partition: Int32
  private let topics: AuditTopics
  private let decoder: ForwardedEventDecoder
  /// Forwards that retention may have deleted.
  private(set) var unproven = 0

  init(_ partition: Int32, _ topics: AuditTopics) throws(JSONError) {
    self.partition = partition
    self.topics = topics
    decoder = try ForwardedEventDecoder(recordLimit: topics.recordLimit)
  }

  /// Looks for the forwards of a record.
  ///
  /// - Parameter mayBeRejected: whether the record may have been rejected without a trace that is left: it is then
  ///   forwarded only if there is a forward of it.
  /// - Returns: whether the record was forwarded; what is missing of its forwards is a finding.
  mutating func check(
    _ record: ConsumedRecord, mayBeRejected: Bool, _ forwards: inout ForwardLedger,
    into findings: inout Findings
  ) -> Bool {
    guard let keys = decoder.keys(of: record) else { return false }
    let isAtHome = keys.count == 1 && home(of: keys[0]) == partition
    guard !isAtHome else { return false }
    let missing = keys.filter { key in
      !key.withByteView { forwards.match(partition: partition, offset: record.offset, key: $0) }
    }
    let lost = missing.filter { key in
      guard let cutSince = forwards.cutSince(home(of: key)) else { return true }
      return record.timestampMilliseconds > cutSince
    }
    if missing.count == keys.count, mayBeRejected || lost.count == keys.count { return false }
    unproven += missing.count - lost.count
    for key in lost {
      findings.add(
        .lostForward, topics.name(of: .events), partition, record.offset, id: "key \(key)",
        "not forwarded to \(topics.name(of: .routed)) [\(home(of: key))]")
    }
    return true
  }

  private func home(of key: String) -> Int32 {
    key.withByteView { Murmur2.partition(ofKey: $0, count: topics.partitionCount) }
  }
}

/// A decoder with an identity, so that values may hold it.
private final class ForwardedEventDecoder {
  private var decoder: EventDecoder
  private var scratch = OutputBuffer(capacity: 256)

  init(recordLimit: Int) throws(JSONError) {
    decoder = try EventDecoder(limits: EventLimits(maxRecordBytes: recordLimit))
  }

  /// The keys of an event's recipients; nil where the record is no event.
  func keys(of record: ConsumedRecord) -> [String]? {
    let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
    guard case .event(let event) = decoder.decode(input) else { return nil }
    return (0..<event.recipientCount).map { index in
      scratch.removeAll()
      RecipientKey.append(tenant: event.tenant, recipient: event.recipient(at: index), to: &scratch)
      return scratch.view.string
    }
  }
}
