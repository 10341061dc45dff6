import Kafka

extension SimulatedProcess {
  /// Asks and waits for the answer, again where the connection breaks or the coordinator is away, as librdkafka does.
  ///
  /// - Parameter shouldRepeat: whether an answer means to ask again.
  /// - Throws: ``KafkaError/Code/timedOut``, retriable, when the time is over; ``KafkaError/Code/closed`` when the
  ///   process is dead.
  func ask<Answer>(
    _ target: RequestTarget, timeout: Duration, _ attempt: @autoclosure () -> String,
    backoff: Int64 = 100, shouldRepeat: @escaping (Answer) -> Bool = { _ in false },
    _ perform: @escaping (_ answer: @escaping (Answer) -> Void) -> Void
  ) throws(KafkaError) -> Answer {
    guard isAlive else { throw deathError }
    var result: Answer?
    var isOver = false
    func send() {
      guard !isOver else { return }
      request(target, perform) { (reply: Reply<Answer>) in
        switch reply {
        case .answer(let answer) where !shouldRepeat(answer): result = answer
        case .answer, .notAvailable, .connectionLost: self.later(backoff, send)
        }
      }
    }
    send()
    waitUntil(world.now + timeout.milliseconds) { result != nil }
    isOver = true
    guard isAlive else { throw deathError }
    guard let result else {
      throw KafkaError(.timedOut, message: "\(attempt()): no answer", isRetriable: true)
    }
    return result
  }
}
