import Synchronization

/// An idempotent producer that is made at the first record unless it is prepared, and made anew once a fatal error has
/// made it useless: where access was refused, somebody may grant it, and whoever waits for that need not be started
/// again. Any task may use it.
public final class RenewedProducer: Sendable {
  private struct State {
    var producer: (any IdempotentProducer)?
    var isClosed = false
  }

  private let cluster: any KafkaCluster
  private let options: IdempotentProducerOptions
  private let state = Mutex(State())

  /// A producer that is not made yet.
  public init(cluster: any KafkaCluster, options: IdempotentProducerOptions) {
    self.cluster = cluster
    self.options = options
  }

  /// Makes the producer now, so that whoever starts learns what is wrong with its properties.
  ///
  /// - Throws: what librdkafka refuses.
  public func prepare() throws(KafkaError) { _ = try current() }

  /// Produces a record and waits until the broker has it.
  ///
  /// - Throws: as ``IdempotentProducer/send(_:)``; after a fatal error the next call has another producer.
  public func send(_ record: ProducerRecord) async throws(KafkaError) -> RecordMetadata {
    let producer = try current()
    do throws(KafkaError) {
      return try await producer.send(record)
    } catch {
      if error.isFatal { forget(producer) }
      throw error
    }
  }

  /// Ends the producer; what it has not written is lost, and its `send` throws.
  public func close() {
    let producer = state.withLock { state in
      state.isClosed = true
      defer { state.producer = nil }
      return state.producer
    }
    producer?.close()
  }

  private func current() throws(KafkaError) -> any IdempotentProducer {
    let made = state.withLock { state -> Result<any IdempotentProducer, KafkaError> in
      if let producer = state.producer { return .success(producer) }
      guard !state.isClosed else { return .failure(KafkaError(.closed, message: "the producer is closed")) }
      do throws(KafkaError) {
        let producer = try cluster.makeIdempotentProducer(options)
        state.producer = producer
        return .success(producer)
      } catch {
        return .failure(error)
      }
    }
    return try made.get()
  }

  /// Others that it has failed meanwhile find the next one.
  private func forget(_ producer: any IdempotentProducer) {
    let isCurrent = state.withLock { state in
      guard state.producer === producer else { return false }
      state.producer = nil
      return true
    }
    if isCurrent { producer.close() }
  }
}
