import Kafka

/// A member of a group in a world: what librdkafka's consumer does with the classic protocol and eager `range`.
///
/// Its background (heartbeats, fetches, answers) runs as events of the world; rebalances are handed out by `poll` and
/// `close`, on the process's turn.
final class SimulatedGroupConsumer: GroupConsumer {
  let process: SimulatedProcess
  let options: GroupConsumerOptions
  let fetcher: Fetcher
  private(set) var topics: [String] = []
  weak var listener: (any RebalanceListener)?

  /// How far the membership is, after librdkafka's join states.
  enum JoinState {
    case initial
    case joining
    case syncing
    /// The assignment waits for a poll.
    case waitingForAssign
    case steady
    /// The revoke waits for a poll.
    case waitingForRevoke
    /// Fenced, or closed.
    case ended
  }

  var joinState = JoinState.initial
  var memberID = ""
  var generation: Int32 = -1
  /// What the group gave, whether the application has taken it or not; nil before the first assignment.
  var groupAssignment: [TopicPartition]?
  private(set) var assignmentLost = false
  /// Tells answers that belong to this attempt to join from those that are late.
  var attempt = 0
  var lastHeartbeat: Int64 = 0
  var lastPoll: Int64
  /// Whether the time between two polls was exceeded: no heartbeat goes out until the next one.
  var isPollOverdue = false
  var isClosed = false
  private var isRebalanceAnswered = true
  private(set) var fatalError: KafkaError?

  init(_ process: SimulatedProcess, _ options: GroupConsumerOptions) {
    self.process = process
    self.options = options
    lastPoll = process.world.now
    fetcher = Fetcher(
      process, options.isolation, offsetReset: options.offsetReset, wait: process.world.latencies.fetchWait)
    process.onEnd { [weak self] in
      self?.joinState = .ended
      self?.fetcher.stop()
    }
  }

  var world: SimulatedWorld { process.world }

  func subscribe(to topics: [String], listener: any RebalanceListener) throws(KafkaError) {
    try checkOpen()
    self.listener = listener
    self.topics = topics
    lastPoll = world.now
    for topic in topics where world.broker.topic(topic) == nil {
      fetcher.add(
        KafkaError(
          .unknownTopicOrPartition, message: "\(topic): Subscribed topic not available"))
    }
    join()
    watchPolls()
  }

  func poll(timeout: Duration) -> ConsumerEvent {
    guard process.isAlive else { return .error(process.deathError) }
    guard !isClosed else { return .error(closedError) }
    polled()
    fetcher.releaseRecord()
    if let error = fetcher.nextError() { return .error(error) }
    serveRebalance()
    if let event = nextEvent() { return event }
    _ = process.idle(for: timeout.milliseconds) {
      fetcher.hasEvents || joinState == .waitingForAssign || joinState == .waitingForRevoke
        || fatalError != nil
    }
    guard process.isAlive else { return .error(process.deathError) }
    polled()
    if let error = fetcher.nextError() { return .error(error) }
    serveRebalance()
    return nextEvent() ?? .none
  }

  private func polled() {
    lastPoll = world.now
    isPollOverdue = false
  }

  private func nextEvent() -> ConsumerEvent? {
    if let fatalError { return .error(fatalError) }
    return fetcher.isHeld ? nil : fetcher.next()
  }

  // MARK: Rebalances

  /// Calls the listener with what waits for it.
  private func serveRebalance() {
    guard fatalError == nil || isClosing else { return }
    switch joinState {
    case .waitingForAssign:
      isRebalanceAnswered = false
      listener?.partitionsAssigned(groupAssignment ?? [])
    case .waitingForRevoke:
      isRebalanceAnswered = false
      listener?.partitionsRevoked(groupAssignment ?? [], lost: assignmentLost)
    case .initial, .joining, .syncing, .steady, .ended: return
    }
    guard !isRebalanceAnswered, process.isAlive, !isClosed else { return }
    world.note("\(process.name): left a rebalance unanswered")
    try? unassign()
  }

  /// The group takes the partitions away: nothing of them is handed out until the listener has answered.
  func revoke(lost: Bool) {
    if lost, joinState == .steady || joinState == .waitingForRevoke { assignmentLost = true }
    // An assignment that waits for a poll is handed out first; the next heartbeat brings this again.
    guard joinState == .steady else { return }
    joinState = .waitingForRevoke
    fetcher.isHeld = true
    process.arrived()
  }

  func fail(_ error: KafkaError) {
    world.note("\(process.name): consumer of \(options.groupID) fails: \(error.message)")
    fatalError = error
    revoke(lost: true)
    attempt += 1
    process.arrived()
  }

  func assign(_ positions: [PartitionOffset]) throws(KafkaError) {
    try checkOpen()
    isRebalanceAnswered = true
    fetcher.isHeld = false
    fetcher.assign(try process.resolve(positions, topics: topics))
    if joinState == .waitingForAssign { joinState = .steady }
  }

  func unassign() throws(KafkaError) {
    guard process.isAlive else { throw process.deathError }
    isRebalanceAnswered = true
    fetcher.isHeld = false
    fetcher.stop()
    switch joinState {
    case .waitingForAssign: joinState = .steady
    case .waitingForRevoke:
      groupAssignment = nil
      assignmentLost = false
      joinState = .initial
      join()
    case .initial, .joining, .syncing, .steady, .ended: break
    }
  }

  // MARK: Flow

  func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
    try checkOpen()
    for partition in partitions { if let known = fetcher.partition(partition) { fetcher.pause(known) } }
  }

  func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
    try checkOpen()
    for partition in partitions { if let known = fetcher.partition(partition) { fetcher.resume(known) } }
  }

  func seek(_ positions: [PartitionOffset]) throws(KafkaError) {
    try checkOpen()
    fetcher.releaseRecord()
    for position in positions {
      if let known = fetcher.partition(position.topicPartition) { fetcher.seek(known, to: position.offset) }
    }
  }

  func cachedHighWatermark(of partition: TopicPartition) -> Int64? {
    fetcher.partition(partition)?.highWatermark
  }

  // MARK: Offsets

  func committed(
    _ partitions: [TopicPartition], timeout: Duration
  ) throws(KafkaError) -> [PartitionOffset?] {
    try checkOpen()
    guard !partitions.isEmpty else { return [] }
    let group = world.broker.groups.obtain(options.groupID)
    let needsStable = options.isolation == .readCommitted
    let offsets: [PartitionOffset?]? = try process.ask(
      .groupCoordinator, timeout: timeout, "asking for committed offsets of \(options.groupID)",
      shouldRepeat: { $0 == nil }
    ) { answer in
      if needsStable, partitions.contains(where: group.offsets.isUnstable) { return answer(nil) }
      answer(partitions.map { group.offsets[$0] })
    }
    return offsets ?? []
  }

  func commit(_ offsets: [PartitionOffset]) throws(KafkaError) {
    try checkOpen()
    guard !offsets.isEmpty else { return }
    let group = world.broker.groups.obtain(options.groupID)
    let (memberID, generation, instanceID) = (memberID, generation, options.groupInstanceID)
    let refusal: GroupRefusal? = try process.ask(
      .groupCoordinator, timeout: .seconds(60), "committing \(offsets.count) offsets"
    ) { answer in
      answer(
        group.commit(offsets, memberID: memberID, instanceID: instanceID, generation: generation))
    }
    guard let refusal else { return }
    throw KafkaError(
      refusal.code, message: "committing \(offsets.count) offsets of \(options.groupID): \(refusal)")
  }

  func watermarks(
    of partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    try checkOpen()
    return try process.watermarks(of: partition, options.isolation, timeout: timeout)
  }

  func groupMetadata() throws(KafkaError) -> any GroupMetadata {
    try checkOpen()
    return SimulatedGroupMetadata(
      groupID: options.groupID, memberID: memberID, instanceID: options.groupInstanceID,
      generation: generation)
  }

  // MARK: End

  func close() throws(KafkaError) {
    guard process.isAlive else { throw process.deathError }
    guard !isClosed else { return }
    isClosing = true
    if joinState == .steady, groupAssignment != nil { joinState = .waitingForRevoke }
    // The heartbeats go on while the listener finishes what is in flight.
    if joinState == .waitingForRevoke { serveRebalance() }
    guard process.isAlive else { throw process.deathError }
    let id = memberID
    attempt += 1
    isClosed = true
    joinState = .ended
    fetcher.stop()
    guard !id.isEmpty, options.groupInstanceID == nil else { return }
    let group = world.broker.groups.obtain(options.groupID)
    _ = try? process.ask(.groupCoordinator, timeout: .seconds(5), "leaving the group") { answer in
      answer(group.leave(memberID: id))
    }
  }

  var isClosing = false

  private var closedError: KafkaError {
    KafkaError(.closed, message: "the consumer is closed")
  }

  private func checkOpen() throws(KafkaError) {
    guard process.isAlive else { throw process.deathError }
    if isClosed { throw closedError }
  }
}

/// A membership at a moment.
final class SimulatedGroupMetadata: GroupMetadata {
  let groupID: String
  let memberID: String
  let instanceID: String?
  let generation: Int32

  init(groupID: String, memberID: String, instanceID: String?, generation: Int32) {
    self.groupID = groupID
    self.memberID = memberID
    self.instanceID = instanceID
    self.generation = generation
  }
}
