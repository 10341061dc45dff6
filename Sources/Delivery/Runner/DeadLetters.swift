import Kafka

/// Writes records that cannot be delivered to the dead-letter topic: byte for byte, with headers that say why and
/// where they came from. Any task may call it.
struct DeadLetters: Sendable {
  /// Why a record is dead.
  struct Reason: Sendable {
    /// A code that is stable: `refused`, `attemptsExhausted`, or the contract's reason of a record that cannot be read.
    let code: String
    /// A sentence, in the other side's words where there are some.
    let detail: String
    /// How many attempts there were.
    let attempts: Int
  }

  /// How long a write may take before it counts as an outage; it goes on all the same.
  static let patience = Duration.seconds(5)

  /// The bytes of key and value each that are kept of a record that is too large for the topic.
  static let keptBytes = 64 * 1024

  private let producer: RenewedProducer
  private let topic: String

  init(cluster: any KafkaCluster, topic: String) throws(KafkaError) {
    self.topic = topic
    // Larger than any delivery with its headers; what the topic allows decides.
    producer = RenewedProducer(
      cluster: cluster, options: IdempotentProducerOptions(topics: [topic], messageMaxBytes: 4 << 20))
    try producer.prepare()
  }

  /// Writes a record and waits until the broker has it.
  ///
  /// - Throws: `KafkaError` that names the topic; the record is then not dead yet.
  func send(_ record: SinkRecord, reason: Reason) async throws(KafkaError) {
    var headers = record.headers
    headers += [
      ProducerRecord.Header("tidings-reason", reason.code),
      ProducerRecord.Header("tidings-detail", reason.detail),
      ProducerRecord.Header("tidings-attempts", "\(reason.attempts)"),
      ProducerRecord.Header("tidings-topic", record.topic),
      ProducerRecord.Header("tidings-partition", "\(record.partition)"),
      ProducerRecord.Header("tidings-offset", "\(record.offset)"),
    ]
    do {
      do {
        try await send(key: record.key, value: record.value, headers: headers)
      } catch  where error.code == .messageTooLarge {
        headers.append(ProducerRecord.Header("tidings-value-size", "\(record.value?.count ?? 0)"))
        try await send(
          key: record.key.map { Array($0.prefix(Self.keptBytes)) },
          value: record.value.map { Array($0.prefix(Self.keptBytes)) }, headers: Array(headers.suffix(7)))
      }
    } catch {
      throw error.during("a record cannot be written to the dead letters in \(topic)")
    }
  }

  func close() { producer.close() }

  private func send(key: [UInt8]?, value: [UInt8]?, headers: [ProducerRecord.Header]) async throws(KafkaError)
  {
    _ = try await producer.send(ProducerRecord(topicIndex: 0, key: key, value: value, headers: headers))
  }
}
