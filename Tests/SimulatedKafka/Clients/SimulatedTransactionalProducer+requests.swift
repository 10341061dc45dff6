import Kafka

/// The requests of a transactional producer, and what their answers do to it.
extension SimulatedTransactionalProducer {
  /// `retry.backoff.ms` of our producers.
  private var backoff: Int64 { 2 }
  /// Until a coordinator that went away is looked for again.
  private var coordinatorBackoff: Int64 { 50 }

  private var identity: RecordSender.Identity? { sender.identity }
  private var transactions: TransactionCoordinator { world.broker.transactions }

  // MARK: InitProducerId

  func requestProducerID() {
    let id = options.transactionalID
    let timeout = options.transactionTimeout.milliseconds
    let transactions = transactions
    let epoch = identity?.epoch
    process.request(.transactionCoordinator) { answer in
      answer(transactions.initProducerID(id, timeout: timeout, epoch: epoch))
    } _: { [self] (reply: Reply<Result<(producerID: Int64, epoch: Int16), TransactionRefusal>>) in
      switch reply {
      case .answer(.success(let given)):
        sender.identity = RecordSender.Identity(
          producerID: given.producerID, epoch: given.epoch, transactionalID: id)
        needsEpochBump = false
        if state == .aborting { outcome = .success(()) } else { state = .ready }
      case .answer(.failure(.concurrentTransactions)):
        process.later(backoff) { [self] in requestProducerID() }
      case .answer(.failure(let refusal)): fail(fencedOr(refusal, "registering", isFatal: true))
      case .connectionLost, .notAvailable:
        process.later(coordinatorBackoff) { [self] in requestProducerID() }
      }
    }
  }

  // MARK: AddPartitionsToTxn

  /// Sends what waits; partitions that the transaction does not hold yet are registered before.
  func pump() {
    guard failure == nil, state == .inTransaction || state == .committing else { return }
    var added: [RecordSender.Queue] = []
    for queue in sender.queues where !queue.waiting.isEmpty {
      if queue.isRegistered {
        sender.send(queue)
      } else if !queue.isRegistering {
        queue.isRegistering = true
        added.append(queue)
      }
    }
    if !added.isEmpty { register(added) }
  }

  private func register(_ queues: [RecordSender.Queue]) {
    guard let identity, failure == nil else { return }
    isKnownToCoordinator = true
    let number = transactionNumber
    let transactions = transactions
    let id = options.transactionalID
    process.request(.transactionCoordinator) { answer in
      answer(
        transactions.addPartitions(
          queues.map(\.log), id, producerID: identity.producerID, epoch: identity.epoch))
    } _: { [self] (reply: Reply<TransactionRefusal?>) in
      guard number == transactionNumber, state == .inTransaction || state == .committing else { return }
      switch reply {
      case .answer(nil):
        for queue in queues {
          queue.isRegistered = true
          queue.isRegistering = false
        }
        pump()
      case .answer(.concurrentTransactions):
        process.later(backoff) { [self] in registerAgain(queues, number) }
      case .connectionLost, .notAvailable:
        process.later(coordinatorBackoff) { [self] in registerAgain(queues, number) }
      case .answer(.producerFenced), .answer(.invalidProducerEpoch), .answer(.invalidTransactionState):
        if case .answer(let refusal?) = reply {
          fail(fencedOr(refusal, "adding partitions to the transaction", isFatal: true))
        }
      case .answer(let refusal?):
        fail(fencedOr(refusal, "adding partitions to the transaction", isFatal: false))
      }
    }
  }

  private func registerAgain(_ queues: [RecordSender.Queue], _ number: Int) {
    guard number == transactionNumber, state == .inTransaction || state == .committing else { return }
    register(queues)
  }

  /// A batch was refused for good.
  func refused(_ refusal: TransactionRefusal, _ queue: RecordSender.Queue) {
    let attempt = "producing to \(queue.log.topicPartition)"
    fail(fencedOr(refusal, attempt, isFatal: refusal == .invalidProducerEpoch))
  }

  // MARK: AddOffsetsToTxn and TxnOffsetCommit

  func addOffsets(_ call: OffsetsCall) {
    guard let identity, !call.isOver, world.now < call.deadline else { return }
    isKnownToCoordinator = true
    let transactions = transactions
    let group = world.broker.groups.obtain(call.group.groupID)
    let id = options.transactionalID
    process.request(.transactionCoordinator) { answer in
      answer(
        transactions.addOffsets(
          of: group, id, producerID: identity.producerID, epoch: identity.epoch))
    } _: { [self] (reply: Reply<TransactionRefusal?>) in
      guard !call.isOver else { return }
      switch reply {
      case .answer(nil): commitOffsets(call, group)
      case .answer(.concurrentTransactions): process.later(backoff) { [self] in addOffsets(call) }
      case .connectionLost, .notAvailable:
        process.later(coordinatorBackoff) { [self] in addOffsets(call) }
      case .answer(let refusal?):
        let isFatal = refusal != .invalidProducerIDMapping && refusal != .groupAuthorizationFailed
        finish(call, fencedOr(refusal, "adding offsets to the transaction", isFatal: isFatal))
      }
    }
  }

  private func commitOffsets(_ call: OffsetsCall, _ group: Group) {
    guard let identity, !call.isOver, world.now < call.deadline else { return }
    if let failure {
      // librdkafka sends no offsets for a transaction that has failed meanwhile.
      call.result = .failure(
        KafkaError(
          .wrongState, message: "\(options.transactionalID): sending offsets: \(failure.message)",
          requiresAbort: true))
      return
    }
    process.request(.groupCoordinator) { answer in
      answer(
        group.commit(
          call.offsets, by: call.group, producerID: identity.producerID, epoch: identity.epoch))
    } _: { [self] (reply: Reply<GroupRefusal?>) in
      guard !call.isOver else { return }
      switch reply {
      case .answer(nil): call.result = .success(())
      case .connectionLost, .notAvailable:
        // librdkafka asks for the coordinator again half a second later.
        process.later(500) { [self] in commitOffsets(call, group) }
      case .answer(.invalidProducerEpoch):
        finish(call, fencedOr(.invalidProducerEpoch, "committing offsets to the transaction", isFatal: true))
      case .answer(let refusal?):
        finish(
          call,
          KafkaError(
            refusal.code,
            message: "\(options.transactionalID): committing offsets to the transaction: \(refusal)",
            requiresAbort: true))
      }
    }
  }

  private func finish(_ call: OffsetsCall, _ error: KafkaError) {
    fail(error)
    call.result = .failure(failure ?? error)
  }

  // MARK: EndTxn

  /// Goes on with the commit as soon as every record is delivered.
  func continueCommit() {
    guard state == .committing, outcome == nil, !isEnding else { return }
    if let failure { return outcome = .failure(failure) }
    guard sender.unreported == 0 else { return }
    guard failedDeliveries == 0 else {
      let error = KafkaError(
        KafkaError.Code(rawValue: -149),
        message: "\(options.transactionalID): \(failedDeliveries) records failed delivery",
        requiresAbort: true)
      fail(error)
      return outcome = .failure(error)
    }
    guard isKnownToCoordinator else { return outcome = .success(()) }
    isEnding = true
    endTransaction(commits: true)
  }

  /// Goes on with the abort as soon as nothing is on its way.
  func continueAbort() {
    guard state == .aborting, outcome == nil, !isEnding, sender.unreported == 0 else { return }
    isEnding = true
    guard isKnownToCoordinator else { return finishAbort() }
    endTransaction(commits: false)
  }

  private func finishAbort() {
    if needsEpochBump { requestProducerID() } else { outcome = .success(()) }
  }

  /// Some records were not delivered in time: nobody knows whether they will be.
  func recordsExpired() {
    needsEpochBump = true
    fail(
      KafkaError(
        .timedOut, message: "\(options.transactionalID): records were not delivered in time",
        requiresAbort: true))
  }

  private func endTransaction(commits: Bool) {
    guard let identity else { return }
    let transactions = transactions
    let id = options.transactionalID
    let number = transactionNumber
    process.request(
      .transactionCoordinator, replyLoss: world.broker.faults.endTransactionReplyLoss
    ) { [self] answer in
      let goesSilent = world.chance(world.broker.faults.unknownOutcomes)
      if goesSilent { world.broker.silenceTransactions() }
      guard !goesSilent || world.chance(0.5) else { return answer(.concurrentTransactions) }
      let refusal = transactions.endTransaction(
        id, producerID: identity.producerID, epoch: identity.epoch, commits: commits)
      answer(goesSilent ? .concurrentTransactions : refusal)
    } _: { [self] (reply: Reply<TransactionRefusal?>) in
      guard number == transactionNumber, isEnding else { return }
      switch reply {
      case .answer(nil): if commits { outcome = .success(()) } else { finishAbort() }
      case .answer(.concurrentTransactions):
        process.later(backoff) { [self] in endTransaction(commits: commits) }
      case .connectionLost, .notAvailable:
        process.later(coordinatorBackoff) { [self] in endTransaction(commits: commits) }
      case .answer(let refusal?):
        let isFatal = refusal != .invalidProducerIDMapping
        let error = fencedOr(refusal, commits ? "committing" : "aborting", isFatal: isFatal)
        fail(error)
        outcome = .failure(failure ?? error)
      }
    }
  }

  // MARK: Errors

  /// The first error stays, unless a fatal one follows.
  func fail(_ error: KafkaError) {
    if let failure, failure.isFatal || !error.isFatal { return }
    world.note("\(process.name): \(error)")
    failure = error
    if error.isFatal {
      sender.identity = nil
      // librdkafka ends the call under way with it.
      if let offsetsCall, offsetsCall.result == nil { offsetsCall.result = .failure(error) }
    }
    if state == .committing { continueCommit() }
  }

  /// librdkafka gives one name to every kind of fencing.
  private func fencedOr(_ refusal: TransactionRefusal, _ attempt: String, isFatal: Bool) -> KafkaError {
    let isFenced = refusal == .producerFenced || refusal == .invalidProducerEpoch
    return KafkaError(
      isFenced ? .fenced : refusal.code,
      message:
        "\(options.transactionalID): \(attempt): \(isFenced ? "fenced by a newer producer" : "\(refusal)")",
      isFatal: isFatal, requiresAbort: !isFatal)
  }
}
