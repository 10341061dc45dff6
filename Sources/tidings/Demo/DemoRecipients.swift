import Contract
import Kafka
import Processor
import Synchronization

/// Gives each recipient without a record one with an address, before the first event for them.
final class DemoRecipients: Sendable {
  private struct Recipient: Hashable {
    let tenant: String
    let id: String
  }

  private let cluster: any KafkaCluster
  private let topic: String
  private let known = Mutex<Set<Recipient>>([])
  private let publishedCount = Atomic<Int>(0)

  init(cluster: any KafkaCluster, topic: String) {
    self.cluster = cluster
    self.topic = topic
  }

  /// Records that the broker has.
  var published: Int { publishedCount.load(ordering: .relaxed) }

  /// The address of a recipient: `<id>@example.org`, with a hyphen for what an address cannot hold.
  static func address(of id: String) -> String {
    var local = ""
    for scalar in id.unicodeScalars.prefix(64) {
      let isPlain =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          || "_+-".unicodeScalars.contains(scalar))
      // A dot may stand between two other characters only (RFC 5321, dot-string).
      let isDot = scalar == "." && local.last.map { $0 != "." } ?? false
      local.unicodeScalars.append(isPlain || isDot ? scalar : "-")
    }
    if local.last == "." { local.removeLast() }
    return "\(local.isEmpty ? "nobody" : local)@example.org"
  }

  /// Publishes a record for each recipient of the events in a file that has none yet. Blocks the calling thread.
  func publishRecipients(ofEventsIn path: String, recordLimit: Int, stop: StopSignal) throws {
    var lines = try LineReader(path: path, limit: recordLimit, stop: stop)
    var decoder = try EventDecoder()
    var reader = try RecipientLineReader()
    var sender = try RecordSender(cluster: cluster, topic: topic, recordLimit: recordLimit, stop: stop)
    while let line = try lines.next() {
      guard !line.isCut, case .event(let event) = decoder.decode(structured: line.bytes) else { continue }
      for index in 0..<event.recipientCount {
        let recipient = Recipient(tenant: event.tenant.string, id: event.recipient(at: index).string)
        guard known.withLock({ $0.insert(recipient).inserted }) else { continue }
        let record = try reader.make(
          recipient: recipient.id, tenant: recipient.tenant,
          record: RecipientRecord(email: Self.address(of: recipient.id)))
        let outgoing = OutgoingRecord(topicIndex: 0, key: record.key, value: record.value)
        guard sender.send(outgoing, name: "the record of \(recipient.id)") else { return }
      }
    }
    try sender.flush {}
    let count = sender.tally.count
    if let failure = count.firstFailure { throw CommandEnd(.failed, failure) }
    publishedCount.add(count.delivered, ordering: .relaxed)
  }

  /// Publishes a record for each recipient of one event that has none yet.
  ///
  /// - Returns: the keys of those who were new.
  func publishRecipients(
    of recipients: [String], tenant: String, by producer: any IdempotentProducer
  ) async throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    for id in recipients {
      let recipient = Recipient(tenant: tenant, id: id)
      guard known.withLock({ $0.insert(recipient).inserted }) else { continue }
      let (key, record) = try Self.record(of: recipient)
      _ = try await producer.send(record)
      publishedCount.add(1, ordering: .relaxed)
      keys.append(key)
    }
    return keys
  }

  private static func record(of recipient: Recipient) throws -> (key: [UInt8], record: ProducerRecord) {
    var reader = try RecipientLineReader()
    let made = try reader.make(
      recipient: recipient.id, tenant: recipient.tenant,
      record: RecipientRecord(email: address(of: recipient.id)))
    let key = made.key.map { Array($0.buffer) } ?? []
    let record = ProducerRecord(
      topicIndex: DemoForm.recipientsIndex, key: key, value: made.value.map { Array($0.buffer) })
    return (key, record)
  }
}
