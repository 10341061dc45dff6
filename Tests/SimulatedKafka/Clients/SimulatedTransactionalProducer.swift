import Contract
import Kafka

/// A producer of transactions in a world, after librdkafka's state machine (rdkafka_txnmgr.c): which answer makes the
/// transaction abortable and which the producer useless is what that file says.
final class SimulatedTransactionalProducer: TransactionalProducer {
  enum State {
    case initial
    case ready
    case inTransaction
    case committing
    case aborting
  }

  weak var deliveryListener: (any DeliveryListener)?

  let process: SimulatedProcess
  let options: TransactionalProducerOptions
  let sender: RecordSender
  var state = State.initial
  /// What the transaction, or with a fatal one the producer, failed of.
  var failure: KafkaError?
  /// Whether the coordinator may have heard of this transaction.
  var isKnownToCoordinator = false
  var failedDeliveries = 0
  /// The outcome of the commit or abort under way.
  var outcome: Result<Void, KafkaError>?
  var isEnding = false
  var commitDeadline: Int64 = 0
  var offsetsCall: OffsetsCall?
  /// Tells answers that belong to this transaction from late ones.
  var transactionNumber = 0
  var isInitialising = false
  /// Whether records were given up that may still arrive: the next transaction needs another epoch (KIP-360).
  var needsEpochBump = false
  /// Whether a call has returned with the registration: one that timed out may be done meanwhile, and the next says so.
  private var isRegistrationKnown = false
  private var isClosed = false
  private var isPumping = false
  private var keptMemory = KeptMemory()
  private var reports: [(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>)] = []

  init(_ process: SimulatedProcess, _ options: TransactionalProducerOptions) {
    self.process = process
    self.options = options
    // librdkafka lets no record live longer than its transaction.
    sender = RecordSender(
      process, topics: options.topics, messageMaxBytes: options.messageMaxBytes,
      messageTimeout: options.transactionTimeout.milliseconds)
    sender.onReport = { [weak self] record, queue, result in self?.reported(record, queue, result) }
    sender.onExpiry = { [weak self] in self?.recordsExpired() }
    sender.onRefusal = { [weak self] refusal, queue in self?.refused(refusal, queue) }
  }

  var world: SimulatedWorld { process.world }

  // MARK: Calls

  func initTransactions(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    guard state == .initial || !isRegistrationKnown else {
      throw wrongState("registering: the producer is registered")
    }
    if state == .initial, !isInitialising {
      isInitialising = true
      requestProducerID()
    }
    process.waitUntil(world.now + atLeastASecond(timeout)) { state == .ready || failure != nil }
    try checkOpen()
    if let failure { throw failure }
    guard state == .ready else { throw timedOut("registering") }
    isRegistrationKnown = true
  }

  func begin() throws(KafkaError) {
    try checkOpen()
    if let failure, failure.isFatal { throw failure }
    guard state == .ready else { throw wrongState("beginning a transaction in state \(state)") }
    state = .inTransaction
    transactionNumber += 1
    failedDeliveries = 0
    isKnownToCoordinator = false
    for queue in sender.queues {
      queue.isRegistered = false
      queue.isRegistering = false
    }
  }

  func keep(_ memory: consuming OutputBuffer) -> ByteView { keptMemory.keep(memory) }

  func produce(_ record: OutgoingRecord) throws(KafkaError) {
    try checkOpen()
    if record.isValueKept, let value = record.value, !keptMemory.contains(value) {
      throw KafkaError(.invalidArgument, message: "a value that is to be kept lies in memory that is not")
    }
    if failure == nil, process.takeFailure() {
      failure = KafkaError(.illegalGeneration, message: "a partition is refused", requiresAbort: true)
    }
    if let failure {
      // librdkafka takes no record into a transaction that has failed.
      throw failure.isFatal
        ? failure
        : KafkaError(
          .wrongState, message: "producing: the transaction has failed: \(failure.message)",
          requiresAbort: true)
    }
    guard state == .inTransaction else { throw wrongState("producing outside of a transaction") }
    _ = try sender.add(record)
    guard !isPumping else { return }
    isPumping = true
    process.later(options.linger.milliseconds) { [self] in
      isPumping = false
      pump()
    }
  }

  func sendOffsets(
    _ offsets: [PartitionOffset], group: any GroupMetadata, timeout: Duration
  ) throws(KafkaError) -> Bool {
    try checkNotCommitting()
    guard let group = group as? SimulatedGroupMetadata else {
      throw KafkaError(
        .invalidArgument, message: "the group metadata is of another kind of cluster")
    }
    let valid = offsets.filter { $0.offset >= 0 }
    guard !valid.isEmpty else {
      throw KafkaError(
        .invalidArgument, message: "no valid offset to send: the group would hear nothing and fence nobody")
    }
    let call: OffsetsCall
    if let offsetsCall { call = offsetsCall } else { call = try beginSending(valid, group) }
    if call.result == nil, timeout > .zero {
      process.waitUntil(min(world.now + timeout.milliseconds, call.deadline)) { call.result != nil }
    }
    guard process.isAlive else { throw process.deathError }
    guard call.result != nil || world.now >= call.deadline else { return false }
    call.isOver = true
    offsetsCall = nil
    guard let result = call.result else { throw timedOut("sending \(offsets.count) offsets") }
    try result.get()
    return true
  }

  private func beginSending(
    _ offsets: [PartitionOffset], _ group: SimulatedGroupMetadata
  ) throws(KafkaError) -> OffsetsCall {
    if let failure { throw failure }
    guard state == .inTransaction else { throw wrongState("sending offsets outside of a transaction") }
    let call = OffsetsCall(offsets, group, deadline: world.now + options.transactionTimeout.milliseconds)
    offsetsCall = call
    addOffsets(call)
    return call
  }

  func commit(timeout: Duration) throws(KafkaError) -> CommitProgress {
    guard process.isAlive else { throw process.deathError }
    if isClosed { throw closedError }
    try checkNotSending()
    defer { handOverReports() }
    if state != .committing {
      if let failure { throw failure }
      guard state == .inTransaction else { throw wrongState("committing in state \(state)") }
      state = .committing
      outcome = nil
      isEnding = false
      commitDeadline = 0
    }
    if commitDeadline == 0 {
      commitDeadline = world.now + options.transactionTimeout.milliseconds
      pump()
      continueCommit()
    }
    if outcome == nil {
      let deadline = min(world.now + timeout.milliseconds, commitDeadline)
      if timeout > .zero { process.waitUntil(deadline) { outcome != nil } }
    }
    guard process.isAlive else { throw process.deathError }
    guard let outcome else {
      guard world.now >= commitDeadline else { return .pending }
      // The next call waits for the same commit anew.
      commitDeadline = 0
      throw timedOut("committing")
    }
    self.outcome = nil
    switch outcome {
    case .success:
      state = .ready
      keptMemory.removeAll()
      return .committed
    case .failure(let error):
      if !error.isFatal { state = .inTransaction }
      throw error
    }
  }

  func abort(timeout: Duration) throws(KafkaError) {
    try checkOpen()
    defer { handOverReports() }
    if let failure, failure.isFatal { throw failure }
    switch state {
    case .inTransaction:
      state = .aborting
      outcome = nil
      isEnding = false
      sender.purge()
      continueAbort()
    case .aborting: break
    case .initial, .ready, .committing: throw wrongState("aborting in state \(state)")
    }
    process.waitUntil(world.now + atLeastASecond(timeout)) { outcome != nil || failure?.isFatal == true }
    guard process.isAlive else { throw process.deathError }
    guard let outcome else {
      if let failure, failure.isFatal { throw failure }
      throw timedOut("aborting")
    }
    self.outcome = nil
    switch outcome {
    case .success:
      state = .ready
      keptMemory.removeAll()
      failure = nil
    case .failure(let error): throw error
    }
  }

  func poll() {
    guard process.isAlive, !isClosed else { return }
    handOverReports()
  }

  func close() {
    guard process.isAlive, !isClosed else { return }
    isClosed = true
    guard state != .committing, offsetsCall == nil else { return }
    pump()
    process.waitUntil(world.now + 1000) { sender.unreported == 0 }
    sender.purge()
    sender.identity = nil
  }

  // MARK: Reports

  private func reported(
    _ record: RecordSender.Queued, _ queue: RecordSender.Queue, _ result: Result<RecordMetadata, KafkaError>
  ) {
    if case .failure = result { failedDeliveries += 1 }
    if record.tag != 0 {
      reports.append((record.tag, queue.log.topicPartition.partition, result))
    }
    if state == .committing { continueCommit() }
    if state == .aborting { continueAbort() }
  }

  private func handOverReports() {
    guard !reports.isEmpty, process.isAlive else { return }
    let waiting = reports
    reports = []
    for report in waiting {
      deliveryListener?.delivered(tag: report.tag, partition: report.partition, result: report.result)
    }
  }

  // MARK: Errors

  func timedOut(_ attempt: String) -> KafkaError {
    KafkaError(
      .timedOut, message: "\(options.transactionalID): \(attempt): timed out",
      isRetriable: true)
  }

  private func wrongState(_ what: String) -> KafkaError {
    KafkaError(.wrongState, message: "\(options.transactionalID): \(what)")
  }

  private var closedError: KafkaError {
    KafkaError(.closed, message: "producer \(options.transactionalID) is closed")
  }

  private func checkOpen() throws(KafkaError) {
    try checkNotCommitting()
    try checkNotSending()
  }

  private func checkNotCommitting() throws(KafkaError) {
    guard process.isAlive else { throw process.deathError }
    if isClosed { throw closedError }
    guard state != .committing else {
      throw wrongState("a commit is under way: drive it to its end first")
    }
  }

  private func checkNotSending() throws(KafkaError) {
    guard offsetsCall == nil else {
      throw wrongState("sending offsets is under way: drive it to its end first")
    }
  }

  private func atLeastASecond(_ timeout: Duration) -> Int64 { max(1000, timeout.milliseconds) }
}

/// A call of sendOffsets under way.
final class OffsetsCall {
  let offsets: [PartitionOffset]
  let group: SimulatedGroupMetadata
  /// From here on nobody waits for it.
  let deadline: Int64
  var result: Result<Void, KafkaError>?
  /// Whether the caller has gone.
  var isOver = false

  init(_ offsets: [PartitionOffset], _ group: SimulatedGroupMetadata, deadline: Int64) {
    self.offsets = offsets
    self.group = group
    self.deadline = deadline
  }
}
