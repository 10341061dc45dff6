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
    try Patience.retry(
      patience,
      pause: { error in
        logger.debug("asking again: \(error)")
        StopSignal().wait(.milliseconds(200))
      }, body)
  }
}
