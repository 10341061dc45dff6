import CLibrdkafka
import Contract
import Synchronization

/// A transactional producer by librdkafka.
final class LibrdkafkaTransactionalProducer: TransactionalProducer, DeliveryHandler {
  weak var deliveryListener: (any DeliveryListener)?

  let client: ProducerClient
  private let transactionalID: String
  private let timeout: Int32
  private let background = BackgroundStep()
  /// What goes on in the background.
  private var step: Step?
  private var isInTransaction = false
  private var isClosed = false

  // Below this, a step of librdkafka may time out before its main thread has taken it, and its late result is then
  // taken for that of the next step (see BackgroundStep).
  private static let shortestTimeout: Duration = .seconds(1)

  private enum Step: String {
    case sendingOffsets = "sending offsets"
    case committing
  }

  private struct Report {
    var tag: UInt64
    var partition: Int32
    var result: Result<RecordMetadata, KafkaError>
  }

  /// A commit serves reports on its own thread; they wait here for the owner's.
  private let reports = Mutex<[Report]>([])

  init(_ handle: consuming ClientHandle, _ options: TransactionalProducerOptions) throws(KafkaError) {
    client = try ProducerClient(handle, topics: options.topics)
    transactionalID = options.transactionalID
    // After that of a transaction, the outcome of a commit is unknown.
    timeout = options.transactionTimeout.wholeMilliseconds
    client.context.deliveryHandler = self
  }

  deinit { settle() }

  func initTransactions(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    try check(rd_kafka_init_transactions(client.pointer, Self.milliseconds(timeout)), "registering")
  }

  func begin() throws(KafkaError) {
    try checkOpen()
    try check(rd_kafka_begin_transaction(client.pointer), "beginning a transaction")
    isInTransaction = true
  }

  func keep(_ memory: consuming OutputBuffer) -> ByteView {
    assert(isInTransaction && step == nil, "memory is kept for an open transaction")
    return client.context.keptMemory.keep(memory)
  }

  func produce(_ record: OutgoingRecord) throws(KafkaError) {
    try checkOpen()
    do throws(KafkaError) {
      try client.produce(record, opaque: UnsafeMutableRawPointer(bitPattern: UInt(record.tag)))
    } catch {
      // librdkafka says no more where the transaction has failed since it began, and by what only at the next step.
      guard isInTransaction, error.code == .wrongState, !error.isFatal else { throw error }
      throw error.asAbortable
    }
  }

  func sendOffsets(
    _ offsets: [PartitionOffset], group: any GroupMetadata, timeout: Duration
  ) throws(KafkaError) -> Bool {
    try checkOpen(except: .sendingOffsets)
    guard let group = group as? LibrdkafkaGroupMetadata else {
      throw KafkaError(.invalidArgument, message: "the group metadata is of another kind of cluster")
    }
    guard offsets.contains(where: { $0.offset >= 0 }) else {
      throw KafkaError(
        .invalidArgument, message: "no valid offset to send: the group would hear nothing and fence nobody")
    }
    let limit = self.timeout
    return try drive(.sendingOffsets, timeout: timeout) { [client, transactionalID] in
      let list = PartitionList(offsets)
      return rd_kafka_send_offsets_to_transaction(client.pointer, list.pointer, group.pointer, limit)
        .map { KafkaError(consuming: $0, "\(transactionalID): sending \(offsets.count) offsets") }
    }
  }

  func commit(timeout: Duration) throws(KafkaError) -> CommitProgress {
    try checkOpen(except: .committing)
    defer { handOverReports() }
    let limit = self.timeout
    let hasEnded = try drive(.committing, timeout: timeout) { [client, transactionalID] in
      rd_kafka_commit_transaction(client.pointer, limit)
        .map { KafkaError(consuming: $0, "\(transactionalID): committing") }
    }
    if hasEnded { transactionEnded() }
    return hasEnded ? .committed : .pending
  }

  /// Begins a step in the background, or goes on waiting for it.
  private func drive(
    _ step: Step, timeout: Duration, _ body: @escaping @Sendable () -> KafkaError?
  ) throws(KafkaError) -> Bool {
    self.step = nil
    let hasEnded = try background.drive(timeout: timeout, body)
    if !hasEnded { self.step = step }
    return hasEnded
  }

  func abort(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    defer { handOverReports() }
    try check(rd_kafka_abort_transaction(client.pointer, Self.milliseconds(timeout)), "aborting")
    transactionEnded()
  }

  /// Either way librdkafka has first delivered all messages, or purged them: none refers to memory any more.
  private func transactionEnded() {
    isInTransaction = false
    client.context.keptMemory.removeAll()
  }

  func poll() {
    guard !isClosed else { return }
    rd_kafka_poll(client.pointer, 0)
    handOverReports()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    settle()
    guard step == nil else { return }
    rd_kafka_purge(
      client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
  }

  // librdkafka 2.0.2 ends the process (an assertion on txn_req_cnt) when a client is destroyed between the moment its
  // main thread hands over a request to register partitions and the moment it counts it. A record is delivered only
  // after its partition is registered, so that nothing is in that state behind a flush, or a second later without a
  // broker. The transaction itself stays as it is. A step under way keeps the client alive: the flush is behind it.
  private func settle() {
    guard step == nil else { return background.finally { [client] in Self.settle(client) } }
    Self.settle(client)
  }

  private static func settle(_ client: ProducerClient) {
    guard rd_kafka_outq_len(client.pointer) > 0 else { return }
    rd_kafka_flush(client.pointer, shortestTimeout.wholeMilliseconds)
  }

  func delivered(opaque: UnsafeMutableRawPointer, message: UnsafePointer<rd_kafka_message_t>) {
    let result: Result<RecordMetadata, KafkaError> =
      message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR
      ? .success(RecordMetadata(message))
      : .failure(
        KafkaError(
          message.pointee.err, "\(transactionalID): delivery to partition \(message.pointee.partition)"))
    let report = Report(
      tag: UInt64(UInt(bitPattern: opaque)), partition: message.pointee.partition, result: result)
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

  private func checkOpen(except allowed: Step? = nil) throws(KafkaError) {
    if isClosed { throw .closed("producer \(transactionalID)") }
    if let step, step != allowed {
      throw KafkaError(
        .wrongState, message: "\(transactionalID): \(step.rawValue) is under way: drive it to its end first")
    }
  }

  private static func milliseconds(_ timeout: Duration) -> Int32 {
    max(timeout, shortestTimeout).wholeMilliseconds
  }
}
