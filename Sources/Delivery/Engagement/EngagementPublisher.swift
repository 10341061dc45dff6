import Contract
import Kafka
import Metrics

/// Where a sink tells what became of its deliveries.
public protocol EngagementPublishing: Sendable {
  /// Tells it, and returns when it cannot be lost any more.
  ///
  /// - Throws: what kept it from being told; to be tried again, which does no harm if it was told all the same.
  func publish(_ report: EngagementReport) async throws
}

/// Writes to the engagement topic, which the processor reads. Any task may use it.
///
/// The producer is made at the first report: a sink that never has one needs none.
public final class EngagementPublisher: EngagementPublishing {
  /// The topic.
  public let topic: String
  private let producer: RenewedProducer

  /// A publisher to the topic `<prefix>.engagement`.
  public init(cluster: any KafkaCluster, prefix: String) {
    topic = "\(prefix).engagement"
    producer = RenewedProducer(cluster: cluster, options: IdempotentProducerOptions(topics: [topic]))
  }

  /// Writes a record, and waits until the broker has it.
  ///
  /// - Throws: `KafkaError` that names the topic.
  public func publish(_ report: EngagementReport) async throws {
    let record = try report.record()
    do throws(KafkaError) {
      _ = try await producer.send(record)
    } catch {
      throw error.during("writing to \(topic)")
    }
    Counter(
      label: "tidings_engagement_published_total",
      dimensions: [("channel", report.channel.name), ("kind", report.kind.rawValue)]
    ).increment()
  }

  /// Ends the producer; what it has not written is lost, and its `publish` throws.
  public func close() { producer.close() }
}
