import Kafka

/// A transaction as its coordinator knows it, by `transactional.id`.
public final class TransactionState {
  /// How far it is.
  public enum Phase: Sendable {
    case empty
    case ongoing
    /// Decided; the markers are on their way.
    case prepareCommit
    case prepareAbort
    case completeCommit
    case completeAbort

    /// Whether markers are still to land.
    public var isPreparing: Bool { self == .prepareCommit || self == .prepareAbort }
  }

  /// The `transactional.id`.
  public let transactionalID: String
  /// The producer.
  public let producerID: Int64
  /// The epoch of the youngest producer, or that which the coordinator itself fences with.
  public internal(set) var epoch: Int16 = 0
  /// How far it is.
  public internal(set) var phase = Phase.empty
  /// When it began, in milliseconds since the epoch.
  public internal(set) var started: Int64 = 0
  /// The number of transactions of this id so far.
  public internal(set) var number = 0

  var timeout: Int64 = 0
  /// Those that it writes to, in the order of their registration.
  public internal(set) var partitions: [PartitionLog] = []
  var groups: [Group] = []
  var markersMissing = 0

  init(transactionalID: String, producerID: Int64) {
    self.transactionalID = transactionalID
    self.producerID = producerID
  }

  func contains(_ log: PartitionLog) -> Bool { partitions.contains { $0 === log } }
}

/// What a producer may be told instead of an answer.
enum TransactionRefusal: Int32, Error {
  case invalidProducerEpoch = 47
  case invalidTransactionState = 48
  case invalidProducerIDMapping = 49
  case concurrentTransactions = 51
  case producerFenced = 90
  case unknownTopicOrPartition = 3
  case messageTooLarge = 10
  case topicAuthorizationFailed = 29
  case groupAuthorizationFailed = 30

  var code: KafkaError.Code { KafkaError.Code(rawValue: rawValue) }
}

/// The coordinator of transactions (KIP-98): InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, the markers,
/// and the scan that ends transactions which are over their time.
public final class TransactionCoordinator {
  private unowned let broker: SimulatedBroker
  private var states: [String: TransactionState] = [:]
  private var nextProducerID: Int64 = 1000
  private var isScanning = false
  private var world: SimulatedWorld { broker.world }

  init(_ broker: SimulatedBroker) { self.broker = broker }

  /// All transactional ids, in order.
  public var transactions: [TransactionState] {
    states.values.sorted { $0.transactionalID < $1.transactionalID }
  }

  /// The transaction of an id.
  public func transaction(_ transactionalID: String) -> TransactionState? { states[transactionalID] }

  func makeProducerID() -> Int64 {
    nextProducerID += 1
    return nextProducerID
  }

  // MARK: InitProducerId

  /// Gives the id's next epoch, when nothing of the epochs before is open any more.
  ///
  /// - Parameter epoch: that of a producer which wants another one for itself (KIP-360); nil for a new producer.
  func initProducerID(
    _ transactionalID: String, timeout: Int64, epoch: Int16? = nil
  ) -> Result<(producerID: Int64, epoch: Int16), TransactionRefusal> {
    guard let state = states[transactionalID] else {
      let state = TransactionState(transactionalID: transactionalID, producerID: makeProducerID())
      state.timeout = timeout
      states[transactionalID] = state
      return .success((state.producerID, state.epoch))
    }
    if let epoch, epoch != state.epoch { return .failure(.producerFenced) }
    switch state.phase {
    case .ongoing:
      world.note("transaction \(transactionalID): fenced while it was open")
      state.epoch += 1
      end(state, commits: false)
      return .failure(.concurrentTransactions)
    case .prepareCommit, .prepareAbort:
      return .failure(.concurrentTransactions)
    case .empty, .completeCommit, .completeAbort:
      state.epoch += 1
      state.timeout = timeout
      state.phase = .empty
      return .success((state.producerID, state.epoch))
    }
  }

  // MARK: AddPartitionsToTxn and AddOffsetsToTxn

  func addPartitions(
    _ logs: [PartitionLog], _ transactionalID: String, producerID: Int64, epoch: Int16
  ) -> TransactionRefusal? {
    // A broker looks at the access rules before its coordinator hears of the transaction.
    guard world.now >= broker.faults.additionsForbiddenUntil else { return .topicAuthorizationFailed }
    switch begin(transactionalID, producerID, epoch) {
    case .failure(let error): return error
    case .success(let state):
      for log in logs where !state.contains(log) { state.partitions.append(log) }
      return nil
    }
  }

  func addOffsets(
    of group: Group, _ transactionalID: String, producerID: Int64, epoch: Int16
  ) -> TransactionRefusal? {
    guard world.now >= broker.faults.additionsForbiddenUntil else { return .groupAuthorizationFailed }
    switch begin(transactionalID, producerID, epoch) {
    case .failure(let error): return error
    case .success(let state):
      if !state.groups.contains(where: { $0 === group }) { state.groups.append(group) }
      return nil
    }
  }

  private func begin(
    _ transactionalID: String, _ producerID: Int64, _ epoch: Int16
  ) -> Result<TransactionState, TransactionRefusal> {
    guard let state = states[transactionalID], state.producerID == producerID else {
      return .failure(.invalidProducerIDMapping)
    }
    guard state.epoch == epoch else { return .failure(.producerFenced) }
    guard !state.phase.isPreparing else { return .failure(.concurrentTransactions) }
    if state.phase != .ongoing {
      state.phase = .ongoing
      state.started = world.now
      state.number += 1
      state.partitions = []
      state.groups = []
      watchTimeouts()
    }
    return .success(state)
  }

  /// Whether a partition may take a batch of a transaction (KIP-890: no transaction is left hanging).
  func verify(_ log: PartitionLog, producerID: Int64, epoch: Int16, _ transactionalID: String) -> Bool {
    guard let state = states[transactionalID] else { return false }
    return state.producerID == producerID && state.epoch == epoch && state.phase == .ongoing
      && state.contains(log)
  }

  // MARK: EndTxn

  func endTransaction(
    _ transactionalID: String, producerID: Int64, epoch: Int16, commits: Bool
  ) -> TransactionRefusal? {
    guard let state = states[transactionalID], state.producerID == producerID else {
      return .invalidProducerIDMapping
    }
    guard state.epoch == epoch else { return .producerFenced }
    switch state.phase {
    case .ongoing:
      end(state, commits: commits)
      return nil
    case .prepareCommit: return commits ? .concurrentTransactions : .invalidTransactionState
    case .prepareAbort: return commits ? .invalidTransactionState : .concurrentTransactions
    case .completeCommit: return commits ? nil : .invalidTransactionState
    case .completeAbort: return commits ? .invalidTransactionState : nil
    case .empty: return .invalidTransactionState
    }
  }

  /// Decides a transaction: from here on it is in, or it is out; the markers follow, each in its own time.
  private func end(_ state: TransactionState, commits: Bool) {
    state.phase = commits ? .prepareCommit : .prepareAbort
    world.note(
      "transaction \(state.transactionalID) #\(state.number): \(commits ? "committed" : "aborted") at epoch \(state.epoch)"
    )
    if let observer = broker.observer {
      observer.transactionDecided(
        state, commits: commits,
        offsets: state.groups.map { ($0.id, $0.offsets.pendingOffsets(producerID: state.producerID)) })
    }
    state.markersMissing = state.partitions.count + state.groups.count
    guard state.markersMissing > 0 else { return complete(state) }
    var offsetsLanded: Int64 = 0
    for group in state.groups {
      let delay = markerDelay()
      offsetsLanded = max(offsetsLanded, delay)
      let epoch = state.epoch
      world.schedule(after: delay) { [self] in
        group.offsets.endTransaction(producerID: state.producerID, epoch: epoch, commits: commits)
        landed(state)
      }
    }
    let start = world.chance(broker.faults.offsetsFirst) ? offsetsLanded + 1 : 0
    for log in state.partitions {
      let delay = start + markerDelay() + log.extraDelay(world.now)
      let epoch = state.epoch
      world.schedule(after: delay) { [self] in
        log.appendMarker(
          producerID: state.producerID, epoch: epoch, commits: commits, timestamp: broker.appendTime(log))
        landed(state)
      }
    }
  }

  private func markerDelay() -> Int64 {
    let faults = broker.faults
    let range = world.chance(faults.lateMarkers) ? faults.lateMarker : world.latencies.marker
    return world.random(range) + max(0, faults.brokersDownUntil - world.now)
  }

  private func landed(_ state: TransactionState) {
    state.markersMissing -= 1
    if state.markersMissing == 0 { complete(state) }
  }

  private func complete(_ state: TransactionState) {
    state.phase = state.phase == .prepareCommit ? .completeCommit : .completeAbort
    state.partitions = []
    state.groups = []
  }

  // MARK: Time-outs

  /// The scan runs only as long as there is a transaction to look at: an idle world has no events.
  private func watchTimeouts() {
    guard !isScanning else { return }
    isScanning = true
    let interval = world.latencies.transactionScan
    let now = world.now
    world.schedule(after: interval - now % interval) { [self] in
      isScanning = false
      let isAway =
        world.now < broker.faults.transactionCoordinatorAwayUntil
        || world.now < broker.faults.brokersDownUntil
      for state in transactions where state.phase == .ongoing {
        if !isAway, state.started + state.timeout < world.now {
          world.note("transaction \(state.transactionalID): timed out")
          state.epoch += 1
          end(state, commits: false)
        } else {
          watchTimeouts()
        }
      }
    }
  }
}

extension TransactionCoordinator {
  /// Whether a younger producer, or the coordinator itself, has taken over.
  func isFenced(_ transactionalID: String, epoch: Int16) -> Bool {
    epoch < transaction(transactionalID)?.epoch ?? epoch
  }
}
