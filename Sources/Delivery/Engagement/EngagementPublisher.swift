import Contract
import Kafka
import Metrics
import Synchronization

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
  private struct State {
    var producer: (any IdempotentProducer)?
    var isClosed = false
  }

  private let cluster: any KafkaCluster
  /// The topic.
  public let topic: String
  private let state = Mutex(State())

  /// A publisher to the topic `<prefix>.engagement`.
  public init(cluster: any KafkaCluster, prefix: String) {
    self.cluster = cluster
    topic = "\(prefix).engagement"
  }

  /// Writes a record, and waits until the broker has it.
  ///
  /// - Throws: `KafkaError` that names the topic.
  public func publish(_ report: EngagementReport) async throws {
    let record = try report.record()
    do throws(KafkaError) {
      _ = try await producer().send(record)
    } catch {
      throw error.during("writing to \(topic)")
    }
    Counter(
      label: "tidings_engagement_published_total",
      dimensions: [("channel", report.channel.name), ("kind", report.kind.rawValue)]
    ).increment()
  }

  /// Ends the producer; what it has not written is lost, and its `publish` throws.
  public func close() {
    let producer = state.withLock { state in
      state.isClosed = true
      defer { state.producer = nil }
      return state.producer
    }
    producer?.close()
  }

  private func producer() throws(KafkaError) -> any IdempotentProducer {
    let made = state.withLock { state -> Result<any IdempotentProducer, KafkaError> in
      if let producer = state.producer { return .success(producer) }
      guard !state.isClosed else {
        return .failure(KafkaError(.closed, message: "the sink is ending"))
      }
      do throws(KafkaError) {
        let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic]))
        state.producer = producer
        return .success(producer)
      } catch {
        return .failure(error)
      }
    }
    return try made.get()
  }
}
