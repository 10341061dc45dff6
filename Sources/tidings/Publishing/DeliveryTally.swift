import Kafka
import Synchronization

/// What the broker said of the records that were sent. Delivery reports come on a thread of the producer's.
final class DeliveryTally: Sendable {
  /// What is known so far.
  struct Count: Sendable {
    /// Records that the broker has.
    var delivered = 0
    /// Records that it has not, and never will.
    var failed = 0
    /// The first failure: of which record, and why.
    var firstFailure: String?
  }

  private let state = Mutex(Count())

  var count: Count { state.withLock { $0 } }

  /// Takes the report of a record.
  ///
  /// - Parameter name: says which one in a message, such as `line 12`.
  func record(_ result: Result<RecordMetadata, KafkaError>, name: @autoclosure () -> String) {
    switch result {
    case .success: state.withLock { $0.delivered += 1 }
    case .failure(let error):
      let failure = "\(name()): \(error)"
      state.withLock { count in
        count.failed += 1
        if count.firstFailure == nil { count.firstFailure = failure }
      }
    }
  }
}
