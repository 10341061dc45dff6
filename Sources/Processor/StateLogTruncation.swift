import Kafka
import Logging

/// Deletes the part of a state log that a whole checkpoint has made superfluous. A worker does not wait for it, and
/// what is not deleted now goes with the next checkpoint.
final class StateLogTruncation: Sendable {
  private let admin: (any ClusterAdmin)?
  private let logger: Logger
  private let background: any BackgroundWork

  /// - Parameter admin: nil where the cluster cannot delete records.
  init(admin: (any ClusterAdmin)?, background: any BackgroundWork, logger: Logger) {
    self.admin = admin
    self.background = background
    self.logger = logger
  }

  func truncate(_ partition: TopicPartition, before offset: Int64) {
    guard let admin else { return }
    background.run { [logger] in
      do throws(KafkaError) {
        _ = try admin.deleteRecords(
          before: [PartitionOffset(partition, offset: offset)], timeout: .seconds(10))
        logger.debug("state log truncated", metadata: ["partition": "\(partition)", "before": "\(offset)"])
      } catch {
        logger.warning(
          "the state log keeps records that it no longer needs: \(error)",
          metadata: ["partition": "\(partition)", "before": "\(offset)"])
      }
    }
  }
}
