import Foundation

/// Repeats a question to the brokers as long as its error may pass.
public enum Patience {
  /// Calls `body` until it gets an answer. It blocks the thread: for commands and set-up, not for a worker.
  ///
  /// - Parameters:
  ///   - patience: how long it goes on asking.
  ///   - pause: what is done between two questions; it waits for 200 ms unless given.
  /// - Throws: the error: at once where it is not of those that pass (`KafkaError.disposition`), else after `patience`.
  @discardableResult
  public static func retry<Result>(
    _ patience: Duration, pause: (KafkaError) -> Void = { _ in Thread.sleep(forTimeInterval: 0.2) },
    _ body: () throws(KafkaError) -> Result
  ) throws(KafkaError) -> Result {
    let deadline = ContinuousClock.now + patience
    while true {
      do throws(KafkaError) {
        return try body()
      } catch {
        guard error.disposition == .retry, ContinuousClock.now < deadline else { throw error }
        pause(error)
      }
    }
  }
}
