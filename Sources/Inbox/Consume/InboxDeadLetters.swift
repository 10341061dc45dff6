import Kafka
import Synchronization

/// Writes what cannot be read to the dead-letter topic, and waits until the broker has it.
enum InboxDeadLetters {
  /// - Throws: the first error of any of the records; then all are to be sent again. Some may be there twice
  ///   then.
  static func send(_ records: [ProducerRecord], by producer: any IdempotentProducer) throws(KafkaError) {
    let failure = Failure()
    for record in records {
      try record.withViews { (views) throws(KafkaError) in
        try producer.produce(views) { result in
          if case .failure(let error) = result { failure.note(error) }
        }
      }
    }
    try producer.flush(timeout: .seconds(10))
    if let error = failure.first { throw error }
  }

  private final class Failure: Sendable {
    private let error = Mutex<KafkaError?>(nil)

    var first: KafkaError? { error.withLock { $0 } }

    func note(_ new: KafkaError) {
      error.withLock { if $0 == nil { $0 = new } }
    }
  }
}
