import CLibrdkafka
import Synchronization

/// A transactional producer by librdkafka.
final class LibrdkafkaTransactionalProducer: TransactionalProducer, DeliveryHandler {
  weak var deliveryListener: (any DeliveryListener)?

  private let client: ProducerClient
  private let transactionalID: String
  private let backgroundCommit: BackgroundCommit
  private var isClosed = false

  private struct Report {
    var tag: UInt64
    var partition: Int32
    var result: Result<Int64, KafkaError>
  }

  /// A commit serves reports on its own thread; they wait here for the owner's.
  private let reports = Mutex<[Report]>([])

  init(_ handle: consuming ClientHandle, _ options: TransactionalProducerOptions) throws(KafkaError) {
    client = try ProducerClient(handle, topics: options.topics)
    transactionalID = options.transactionalID
    backgroundCommit = BackgroundCommit(
      client, transactionalID: options.transactionalID, timeout: options.transactionTimeout)
    client.context.deliveryHandler = self
  }

  func initTransactions(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    try check(rd_kafka_init_transactions(client.pointer, timeout.wholeMilliseconds), "registering")
  }

  func begin() throws(KafkaError) {
    try checkOpen()
    try check(rd_kafka_begin_transaction(client.pointer), "beginning a transaction")
  }

  func produce(_ record: OutgoingRecord) throws(KafkaError) {
    try checkOpen()
    try client.produce(record, opaque: UnsafeMutableRawPointer(bitPattern: UInt(record.tag)))
  }

  func sendOffsets(
    _ offsets: [PartitionOffset], group: any GroupMetadata, timeout: Duration
  ) throws(KafkaError) {
    try checkOpen()
    guard let group = group as? LibrdkafkaGroupMetadata else {
      throw KafkaError(.invalidArgument, message: "the group metadata is of another kind of cluster")
    }
    guard offsets.contains(where: { $0.offset >= 0 }) else {
      throw KafkaError(
        .invalidArgument, message: "no valid offset to send: the group would hear nothing and fence nobody")
    }
    let list = PartitionList(offsets)
    try check(
      rd_kafka_send_offsets_to_transaction(
        client.pointer, list.pointer, group.pointer, timeout.wholeMilliseconds),
      "sending \(offsets.count) offsets")
  }

  func commit(timeout: Duration) throws(KafkaError) -> CommitProgress {
    try checkOpen()
    let progress = try backgroundCommit.drive(timeout: timeout)
    handOverReports()
    return progress
  }

  func abort(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    try check(rd_kafka_abort_transaction(client.pointer, timeout.wholeMilliseconds), "aborting")
    handOverReports()
  }

  func poll() {
    guard !isClosed else { return }
    rd_kafka_poll(client.pointer, 0)
    handOverReports()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    rd_kafka_purge(
      client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
  }

  func delivered(opaque: UnsafeMutableRawPointer, message: UnsafePointer<rd_kafka_message_t>) {
    let message = message.pointee
    let result: Result<Int64, KafkaError> =
      message.err == RD_KAFKA_RESP_ERR_NO_ERROR
      ? .success(message.offset)
      : .failure(KafkaError(message.err, "\(transactionalID): delivery to partition \(message.partition)"))
    let report = Report(tag: UInt64(UInt(bitPattern: opaque)), partition: message.partition, result: result)
    reports.withLock { $0.append(report) }
  }

  private func handOverReports() {
    let waiting = reports.withLock { reports in
      defer { reports.removeAll() }
      return reports
    }
    for report in waiting {
      deliveryListener?.delivered(tag: report.tag, partition: report.partition, result: report.result)
    }
  }

  private func check(_ error: OpaquePointer?, _ attempt: String) throws(KafkaError) {
    try KafkaError.check(error, "\(transactionalID): \(attempt)")
  }

  private func checkOpen() throws(KafkaError) {
    if isClosed { throw .closed("producer \(transactionalID)") }
  }
}
