import Dispatch
import Synchronization

/// Takes a step of a transaction that waits for the broker on a thread of its own, so that the producer's owner can go
/// on with other work.
///
/// librdkafka says that `rd_kafka_commit_transaction` may be called again after a time-out, and that a time-out of 0
/// makes it a poll. It is not so (2.0.2 to 2.14): the call begins with a short exchange with its main thread that
/// is not resumable, and a time-out in there forgets which call is under way. When the coordinator answers in that
/// moment, the answer is taken for that of an abort, and an assertion ends the process. So the call is made with all
/// the time that the transaction has, and what is polled is this object. `rd_kafka_send_offsets_to_transaction` is not
/// resumable at all, and its request waits on the connection behind the records.
final class BackgroundStep: Sendable {
  private enum State {
    case idle
    case running
    case finished(KafkaError?)
  }

  private let state = Mutex(State.idle)
  private let finished = DispatchSemaphore(value: 0)
  private let queue = DispatchQueue(label: "tidings.kafka.transaction", qos: .userInitiated)

  /// Starts a step unless one is under way, and waits for its end as long as `timeout`.
  ///
  /// - Returns: whether it has ended.
  /// - Throws: what the step ended with; the next call starts another one.
  func drive(timeout: Duration, _ step: @escaping @Sendable () -> KafkaError?) throws(KafkaError) -> Bool {
    let isNew = state.withLock { state in
      guard case .idle = state else { return false }
      state = .running
      return true
    }
    if isNew {
      queue.async { [self] in
        let error = step()
        state.withLock { $0 = .finished(error) }
        finished.signal()
      }
    }
    let deadline = DispatchTime.now() + .milliseconds(Int(timeout.wholeMilliseconds))
    guard finished.wait(timeout: deadline) == .success else { return false }
    let error = state.withLock { state in
      defer { state = .idle }
      guard case .finished(let error) = state else { return nil as KafkaError? }
      return error
    }
    if let error { throw error }
    return true
  }

  /// Runs something behind the step under way.
  func finally(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}
