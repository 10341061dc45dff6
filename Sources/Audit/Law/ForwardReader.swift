import Contract
import Kafka
import Pipeline

/// Reads events that were neither decided nor rejected where they stood: they have to be forwarded, to each recipient,
/// to the home of their audience, or to all who follow that.
struct ForwardReader {
  private let partition: Int32
  private let topics: AuditTopics
  private let decoder: ForwardedEventDecoder
  /// Forwards that retention may have deleted.
  private(set) var unproven = 0

  init(_ partition: Int32, _ topics: AuditTopics) throws(JSONError) {
    self.partition = partition
    self.topics = topics
    decoder = try ForwardedEventDecoder()
  }

  /// Looks for the forwards of a record.
  ///
  /// - Parameters:
  ///   - topic: the topic of the record.
  ///   - served: how many followers of an audience the decision names that ended its fan-out; nil where there is none.
  ///   - mayBeRejected: whether the record may have been rejected without a trace that is left: it is then
  ///   forwarded only if there is a forward of it.
  /// - Returns: whether the record was forwarded; what is missing of its forwards is a finding.
  mutating func check(
    _ record: ConsumedRecord, of topic: InputTopic, served: Int64?, mayBeRejected: Bool,
    _ forwards: inout ForwardLedger,
    into findings: inout Findings
  ) -> Bool {
    guard let (keys, isAudience) = decoder.keys(of: record, isRouted: topic == .routed) else { return false }
    let isAtHome = keys.count == 1 && home(of: keys[0]) == partition
    if isAtHome, isAudience {
      return checkFanOut(
        record, of: topic, served: served, mayBeRejected: mayBeRejected, &forwards, into: &findings)
    }
    guard !isAtHome, topic == .events else { return false }
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

  /// An event for an audience in its home: as many were served as the decision says that ended the fan-out. Without
  /// one it is still under way.
  private mutating func checkFanOut(
    _ record: ConsumedRecord, of topic: InputTopic, served: Int64?, mayBeRejected: Bool,
    _ forwards: inout ForwardLedger, into findings: inout Findings
  ) -> Bool {
    let found = forwards.matchFanOut(topic, partition: partition, offset: record.offset)
    guard let served else { return found > 0 || !mayBeRejected }
    // What is forwarded is appended after its event: later than every cut, all of it is kept.
    if found < served, let cut = forwards.newestCut, record.timestampMilliseconds <= cut {
      unproven += Int(served - found)
    } else if found != served {
      findings.add(
        found < served ? .lostForward : .foreignForward, topics.name(of: topic), partition, record.offset,
        "its fan-out served \(served) followers, as its decision says, and \(topics.name(of: .routed)) holds \(found)"
      )
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
  private var routed: EventDecoder
  private var scratch = OutputBuffer(capacity: 256)

  init() throws(JSONError) {
    // What was too large has been rejected.
    let limits = EventLimits(maxRecordBytes: AuditTopics.anySize)
    decoder = try EventDecoder(limits: limits)
    routed = try EventDecoder(limits: limits.forwarded)
  }

  /// The keys of an event's recipients, or of its audience; nil where the record is no event.
  func keys(of record: ConsumedRecord, isRouted: Bool) -> (keys: [String], isAudience: Bool)? {
    let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
    let decoded = isRouted ? routed.decode(forwarded: input) : decoder.decode(input)
    guard case .event(let event) = decoded else { return nil }
    guard event.audience.isEmpty else {
      scratch.removeAll()
      AudienceKey.append(tenant: event.tenant, audience: event.audience, to: &scratch)
      return ([scratch.view.string], true)
    }
    let keys = (0..<event.recipientCount).map { index in
      scratch.removeAll()
      RecipientKey.append(tenant: event.tenant, recipient: event.recipient(at: index), to: &scratch)
      return scratch.view.string
    }
    return (keys, false)
  }
}
