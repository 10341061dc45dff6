import Kafka
import Logging

/// Asks the cluster again as long as it cannot be reached: a broker that is being started is no error yet.
enum ClusterWait {
  /// Calls `body` until it gets an answer.
  ///
  /// - Throws: the error of the cluster: at once unless it may pass, else after `patience`.
  static func retry<Result>(
    patience: Duration, logger: Logger, _ body: () throws(KafkaError) -> Result
  ) throws(KafkaError) -> Result {
    let deadline = ContinuousClock.now + patience
    while true {
      do throws(KafkaError) {
        return try body()
      } catch {
        let mayPass =
          error.isRetriable || [.timedOut, .transport, .allBrokersDown].contains(error.code)
        guard mayPass, !error.isFatal, ContinuousClock.now < deadline else { throw error }
        logger.debug("asking again: \(error)")
        StopSignal().wait(.milliseconds(200))
      }
    }
  }
}
