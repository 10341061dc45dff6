import Kafka
import Synchronization

/// Writes what cannot be read to the dead-letter topic, and waits until the broker has it.
enum InboxDeadLetters {
  /// The largest record that is tried whole, in bytes; what the topic allows decides.
  static let messageMaxBytes = 4 << 20
  /// The bytes of key and value each that are kept of a record that is too large for the topic.
  static let keptBytes = 64 * 1024

  /// Sends all records; one that is too large goes cut, with its size in a header.
  ///
  /// - Throws: the first error of any of the records; then all are to be sent again. Some may be there twice then.
  static func send(_ records: [ProducerRecord], by producer: any IdempotentProducer) throws(KafkaError) {
    let tooLarge = try sendOnce(records, by: producer)
    guard !tooLarge.isEmpty else { return }
    let stillTooLarge = try sendOnce(tooLarge.map { cut(records[$0]) }, by: producer)
    guard stillTooLarge.isEmpty else {
      throw KafkaError(
        .messageTooLarge,
        message: "the topic does not take records of \(keptBytes) bytes; raise its max.message.bytes")
    }
  }

  /// - Returns: the indices of the records that are too large.
  private static func sendOnce(
    _ records: [ProducerRecord], by producer: any IdempotentProducer
  ) throws(KafkaError) -> [Int] {
    let reports = Reports()
    for (index, record) in records.enumerated() {
      do throws(KafkaError) {
        try record.withViews { (views) throws(KafkaError) in
          try producer.produce(views) { result in
            if case .failure(let error) = result { reports.note(error, of: index) }
          }
        }
      } catch {
        guard error.code == .messageTooLarge else { throw error }
        reports.note(error, of: index)
      }
    }
    try producer.flush(timeout: .seconds(10))
    let failures = reports.failures
    if let error = failures.first(where: { $0.error.code != .messageTooLarge })?.error { throw error }
    return failures.map(\.index).sorted()
  }

  /// The record as far as it surely fits: the start of key and value, and our own headers, which are the last ones.
  private static func cut(_ record: ProducerRecord) -> ProducerRecord {
    let own = record.headers.filter { $0.name.hasPrefix("tidings-") }.suffix(8)
    return ProducerRecord(
      topicIndex: record.topicIndex, partition: record.partition,
      key: record.key.map { Array($0.prefix(keptBytes)) },
      value: record.value.map { Array($0.prefix(keptBytes)) },
      headers: own + [ProducerRecord.Header("tidings-value-size", "\(record.value?.count ?? 0)")])
  }

  private final class Reports: Sendable {
    private let noted = Mutex<[(index: Int, error: KafkaError)]>([])

    var failures: [(index: Int, error: KafkaError)] { noted.withLock { $0 } }

    func note(_ error: KafkaError, of index: Int) { noted.withLock { $0.append((index, error)) } }
  }
}
