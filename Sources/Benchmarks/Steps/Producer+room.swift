import Foundation
import Kafka

/// How long a producer whose queue is full is waited for. Benchmarks publish faster than brokers take.
private let patience = Duration.seconds(60)

extension TransactionalProducer {
  /// Queues a copy of a record, and waits where the queue is full.
  func produceWithRoom(_ record: OutgoingRecord) throws(KafkaError) {
    // Records are measured by the million: only one that finds no room asks for the time.
    do throws(KafkaError) { return try produce(record) } catch { try error.checkForRoom() }
    try Patience.retry(
      patience,
      pause: { _ in
        poll()
        // The client's own threads make room.
        sched_yield()
      }
    ) { () throws(KafkaError) in try produce(record) }
  }
}

extension IdempotentProducer {
  /// Queues a copy of a record, and waits where the queue is full. What is lost on its way is told by `onDelivery`.
  func produceWithRoom(
    _ record: OutgoingRecord,
    onDelivery: @escaping @Sendable (Result<RecordMetadata, KafkaError>) -> Void = { _ in }
  ) throws(KafkaError) {
    do throws(KafkaError) {
      return try produce(record, onDelivery: onDelivery)
    } catch {
      try error.checkForRoom()
    }
    try Patience.retry(
      patience,
      pause: { _ in
        // Room is what comes of waiting for the brokers; there is some before all have answered.
        try? flush(timeout: .milliseconds(1))
      }
    ) { () throws(KafkaError) in try produce(record, onDelivery: onDelivery) }
  }
}

extension KafkaError {
  fileprivate func checkForRoom() throws(KafkaError) {
    guard code == .queueFull else { throw self }
  }
}
