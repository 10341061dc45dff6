import Kafka

/// A producer outside of transactions in a world. Its reports come as events of the world.
final class SimulatedIdempotentProducer: IdempotentProducer, @unchecked Sendable {
  private let process: SimulatedProcess
  private let options: IdempotentProducerOptions
  private let sender: RecordSender
  private var isSending = false
  private var isClosed = false

  init(_ process: SimulatedProcess, _ options: IdempotentProducerOptions) {
    self.process = process
    self.options = options
    sender = RecordSender(process, topics: options.topics, messageMaxBytes: options.messageMaxBytes)
    sender.identity = RecordSender.Identity(
      producerID: process.world.broker.transactions.makeProducerID(), epoch: 0, transactionalID: nil)
    sender.onReport = { record, _, result in record.onDelivery?(result) }
  }

  func produce(
    _ record: OutgoingRecord, onDelivery: @escaping @Sendable (Result<RecordMetadata, KafkaError>) -> Void
  ) throws(KafkaError) {
    try checkOpen()
    _ = try sender.add(record, onDelivery)
    guard !isSending else { return }
    isSending = true
    process.later(options.linger.milliseconds) { [self] in
      isSending = false
      for queue in sender.queues { sender.send(queue) }
    }
  }

  func flush(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    process.waitUntil(process.world.now + timeout.milliseconds) { sender.unreported == 0 }
    guard process.isAlive else { throw process.deathError }
    guard sender.unreported == 0 else {
      throw KafkaError(
        .timedOut, message: "flushing: \(sender.unreported) records have no delivery report",
        isRetriable: true)
    }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    sender.purge()
  }

  private func checkOpen() throws(KafkaError) {
    guard process.isAlive else { throw process.deathError }
    if isClosed { throw KafkaError(.closed, message: "the producer is closed") }
  }
}
