import Contract
import Kafka

/// An even rate. The time of an event counts from the instant that it has here, not from when it is published: where the
/// publisher is held up, those behind it have waited as well (coordinated omission).
struct EvenRate: Sendable {
  /// Events a second, at least one.
  let eventsPerSecond: Int
  /// The instant of the first, by the monotonic clock in nanoseconds.
  let start: Int64

  /// When an event is to be published, by the monotonic clock in nanoseconds.
  func instant(of place: Int) -> Int64 {
    start + Int64(place) * 1_000_000_000 / Int64(max(1, eventsPerSecond))
  }
}

/// Publishes events for a processor to decide while it is watched.
struct PacedPublisher: ~Copyable {
  private static let patience = Duration.seconds(60)

  private let producer: any IdempotentProducer
  private var record = EventRecord()

  init(_ site: BenchSite) throws {
    producer = try site.cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: ["\(site.prefix).events"], linger: .milliseconds(5)))
  }

  deinit { producer.close() }

  /// Publishes one event to its recipient's home. What is lost on its way is missing where deliveries are counted.
  mutating func publish(
    idPrefix: StaticString, number: Int, type: String, recipient: Int, partition: Int32
  ) throws {
    try record.with(idPrefix: idPrefix, number: number, type: type, recipient: recipient) {
      [producer] record throws(KafkaError) in
      try producer.produceWithRoom(
        OutgoingRecord(
          topicIndex: 0, partition: partition, key: record.key, value: record.value, headers: record.headers))
    }
  }

  /// Waits until the brokers have all of them.
  func finish() throws { try producer.flush(timeout: Self.patience) }
}
