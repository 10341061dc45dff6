import CLibrdkafka
import Foundation
import Synchronization

/// An idempotent producer by librdkafka, with a thread that serves its delivery reports.
final class LibrdkafkaIdempotentProducer: IdempotentProducer {
  private typealias Callback = DeliveryReports.Callback

  private let client: ProducerClient
  private let reports: DeliveryReports

  init(_ handle: consuming ClientHandle, _ options: IdempotentProducerOptions) throws(KafkaError) {
    client = try ProducerClient(handle, topics: options.topics)
    reports = DeliveryReports(client)
  }

  deinit { reports.stop() }

  func produce(
    _ record: OutgoingRecord, onDelivery: @escaping @Sendable (Result<RecordMetadata, KafkaError>) -> Void
  ) throws(KafkaError) {
    try reports.whileOpen { () throws(KafkaError) in
      let callback = Unmanaged.passRetained(Callback(onDelivery))
      do throws(KafkaError) {
        try client.produce(record, opaque: callback.toOpaque())
      } catch {
        callback.release()
        throw error
      }
    }
  }

  func flush(timeout: Duration) throws(KafkaError) {
    let code = rd_kafka_flush(client.pointer, timeout.wholeMilliseconds)
    try KafkaError.check(
      code, "flushing: \(rd_kafka_outq_len(client.pointer)) records have no delivery report")
  }

  func close() {
    reports.stop()
    reports.waitUntilStopped()
  }
}

/// The thread that serves the delivery reports of a producer, until it is stopped and every record has its report.
///
/// The thread keeps the client alive, not the producer: a producer may be dropped anywhere, in its own callbacks too.
private final class DeliveryReports: DeliveryHandler, Sendable {
  /// A delivery callback on its way through librdkafka.
  final class Callback: Sendable {
    let call: @Sendable (Result<RecordMetadata, KafkaError>) -> Void

    init(_ call: @escaping @Sendable (Result<RecordMetadata, KafkaError>) -> Void) { self.call = call }
  }

  private static let stopCheckInterval: Int32 = 50

  // Held while a record is queued, so that none slips in behind the last purge.
  private let isOpen = Mutex(true)
  private let stopped = DispatchSemaphore(value: 0)
  private let threadID = Mutex<pthread_t?>(nil)

  init(_ client: ProducerClient) {
    client.context.deliveryHandler = self
    let thread = Thread { self.serve(client) }
    thread.name = "kafka-reports"
    thread.start()
  }

  func whileOpen(_ body: () throws(KafkaError) -> Void) throws(KafkaError) {
    let result: Result<Void, KafkaError> = isOpen.withLock { isOpen in
      guard isOpen else { return .failure(.closed("producer")) }
      do throws(KafkaError) {
        return .success(try body())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  func stop() { isOpen.withLock { $0 = false } }

  /// Waits for the end of the thread, unless called on it.
  func waitUntilStopped() {
    if let threadID = threadID.withLock({ $0 }), pthread_equal(threadID, pthread_self()) != 0 { return }
    stopped.wait()
    stopped.signal()
  }

  private func serve(_ client: ProducerClient) {
    threadID.withLock { $0 = pthread_self() }
    while isOpen.withLock({ $0 }) { rd_kafka_poll(client.pointer, Self.stopCheckInterval) }
    rd_kafka_purge(
      client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
    while rd_kafka_outq_len(client.pointer) > 0 { rd_kafka_poll(client.pointer, Self.stopCheckInterval) }
    stopped.signal()
  }

  func delivered(opaque: UnsafeMutableRawPointer, message: UnsafePointer<rd_kafka_message_t>) {
    let callback = Unmanaged<Callback>.fromOpaque(opaque).takeRetainedValue()
    callback.call(
      message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR
        ? .success(RecordMetadata(message))
        : .failure(KafkaError(message.pointee.err, "delivery to \(Self.place(of: message.pointee))")))
  }

  private static func place(of message: rd_kafka_message_t) -> String {
    let topic = message.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? "?"
    return "\(topic) [\(message.partition)]"
  }
}

extension RecordMetadata {
  /// What a delivery report says. The embedded cluster's reports name an instant that means nothing.
  init(_ message: UnsafePointer<rd_kafka_message_t>) {
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let timestamp = rd_kafka_message_timestamp(message, &type)
    self.init(
      partition: message.pointee.partition, offset: message.pointee.offset,
      appendedMilliseconds: type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? timestamp : nil)
  }
}
