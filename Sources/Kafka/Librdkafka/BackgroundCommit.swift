import CLibrdkafka
import Dispatch
import Synchronization

/// Drives a commit on a thread of its own, so that the producer's owner can go on with other work.
///
/// librdkafka says that `rd_kafka_commit_transaction` may be called again after a time-out, and that a time-out of 0
/// makes it a poll. It is not so (2.0.2 to 2.14): the call begins with a short exchange with its main thread that
/// is not resumable, and a time-out in there forgets which call is under way. When the coordinator answers in that
/// moment, the answer is taken for that of an abort, and an assertion ends the process. So the call is made with all
/// the time that the transaction has, and what is polled is this object.
final class BackgroundCommit: Sendable {
  private enum State {
    case idle
    case running
    case finished(KafkaError?)
  }

  private let client: ProducerClient
  private let description: String
  private let timeout: Int32
  private let state = Mutex(State.idle)
  private let finished = DispatchSemaphore(value: 0)
  private let queue = DispatchQueue(label: "tidings.kafka.commit", qos: .userInitiated)

  /// - Parameter timeout: that of a transaction: after it, the outcome of a commit is unknown.
  init(_ client: ProducerClient, transactionalID: String, timeout: Duration) {
    self.client = client
    self.description = "\(transactionalID): committing"
    self.timeout = timeout.wholeMilliseconds
  }

  /// Starts a commit unless one is under way, and waits for its outcome as long as `timeout`.
  ///
  /// - Throws: what the commit ended with; the next call starts another one.
  func drive(timeout: Duration) throws(KafkaError) -> CommitProgress {
    let isNew = state.withLock { state in
      guard case .idle = state else { return false }
      state = .running
      return true
    }
    if isNew { queue.async { [self] in commit() } }
    let deadline = DispatchTime.now() + .milliseconds(Int(timeout.wholeMilliseconds))
    guard finished.wait(timeout: deadline) == .success else { return .pending }
    let error = state.withLock { state in
      defer { state = .idle }
      guard case .finished(let error) = state else { return nil as KafkaError? }
      return error
    }
    if let error { throw error }
    return .committed
  }

  private func commit() {
    let error = rd_kafka_commit_transaction(client.pointer, timeout)
      .map { KafkaError(consuming: $0, description) }
    state.withLock { $0 = .finished(error) }
    finished.signal()
  }
}
