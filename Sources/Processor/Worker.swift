import Contract
import Foundation
import Kafka
import Logging
import Pipeline
import Policy

/// One member of the processors' group: a thread that owns a consumer, a transactional producer and the state
/// machines of its home partitions (design §5). Everything in here happens on that thread; what may cross is
/// `WorkerControl` (stop, another catalog) and `ProcessorStatus` (what others look at).
///
///     turn: drive the commit on ─> close what is due ─> consume and decide ─> restore ─> begin the next commit
///
/// The rebalance callbacks run inside `consumer.poll` and re-enter this object, so that no access to its state
/// spans a poll.
package final class Worker: RebalanceListener, DeliveryListener {
  let cluster: any KafkaCluster
  let configuration: ProcessorConfiguration
  let number: Int
  let logger: Logger
  let status: ProcessorStatus
  let metrics: WorkerMetrics
  let control: WorkerControl
  let instants: any InstantSource
  package let transactionalID: String
  /// Drawn by whoever starts the process: what has to differ from all other workers is made from it.
  let random: UInt64
  weak var observer: (any WorkerObserver)?

  let consumer: any GroupConsumer
  var producer: any TransactionalProducer
  /// Whether the producer may begin transactions: its predecessors are fenced, and what they left open is settled.
  var isRegistered = false
  let stateReader: any LogReader
  let truncation: StateLogTruncation
  let disk: any BackgroundWork
  /// Where snapshots are kept; nil for none.
  let snapshots: (any SnapshotStore)?
  /// Whether all that was applied is committed, and nothing more is to come.
  private var isDrained = false

  var clock: TimerClock
  var clockGuard: ClockGuard
  /// Whether the clocks differ too much for windows to be closed by them.
  var areTimersStopped = false
  /// When the broker appended the last state record of this worker, in milliseconds since the epoch.
  var reportedAppendTime: Int64?
  // Unchecked where it is shipped, since every record takes them: the state machines never call back.
  #if !TIDINGS_FLAWS
    @exclusivity(unchecked)
  #endif
  var codecs: Codecs
  var catalog: Catalog
  /// How many catalogs it was given since its start.
  var catalogNumber = 0
  var homes: [Int32: HomePartition] = [:] {
    didSet {
      ownedHomes = homes.values.sorted { $0.partition < $1.partition }
      homesByNumber = (0...(ownedHomes.last?.partition ?? 0)).map { homes[$0] }
    }
  }
  /// The same in the order of the partitions: a run with the same input takes the same steps.
  private(set) var ownedHomes: [HomePartition] = []
  /// The same at the places of their numbers, for every record to be found without a hash.
  private var homesByNumber: [HomePartition?] = []
  var frozen: [Int32: HomePartition] = [:]
  var inFlight: CommitInFlight?
  var flawMemory = FlawMemory()
  /// Whether the assignment is on its way out: what is rolled back then is not read again by this member.
  var isRevoking = false
  /// Whether the group has given an assignment, be it an empty one. The client's own word for it is a question to
  /// its main thread, which a callback inside of `close` would wait for in vain.
  var hasJoined = false
  /// When it last said that the brokers do not tell offsets, in monotonic milliseconds.
  var lastOffsetComplaint: Int64 = 0
  /// Input that the client does not find, until it is known why.
  var inputDoubt: InputDoubt?
  /// What comes too late to be delivered at once, while it comes.
  var lateNotifications = LateNotifications()
  /// What a callback could not throw.
  var callbackFault: (any Error)?

  /// Whether the consumer was polled since the last commit began.
  var hasPolled = false
  /// The partition whose fan-outs go on next.
  var nextFanOutPartition: Int32 = 0
  var lastCommitStart: Int64 = 0
  var lastCommitEnd: Int64 = 0
  /// Refused aborts since the last commit.
  var refusals = 0
  var transactionTime: Int64 = 0
  var commitDivision: CommitDivision
  /// When the last turn began; nil before the first.
  var lastTurn: TurnStart?
  var lastStatus: Int64 = 0
  var lastRestoreLog: Int64 = 0
  private var lastRelease: Int64 = 0

  static let recordsPerTurn = 1024
  /// Bytes of the state log that one turn reads, about: the group and the other partitions wait for no more.
  static let restoreBytesPerTurn = 8 << 20
  static let statusInterval: Int64 = 500
  /// The most that a measured transaction counts for the distance of commits, in milliseconds.
  static let longestSpacing: Int64 = 200
  /// How often a disagreement of state and group is looked at again before it counts: who has lost the partition, and
  /// does not know it yet, reads the offsets of one commit and the state of the next.
  static let disagreementsToVerify = 3
  /// What a coordinator needs for the markers of a transaction after it has said that it is committed, about, in
  /// milliseconds. The client waits for 20 ms where the next one is not let in yet (CONCURRENT_TRANSACTIONS).
  static let markerTime: Int64 = 4
  /// How long after an abort no transaction begins, in milliseconds: who is refused for a while, such as a member that
  /// the group has lost, does not send all of it again at once.
  static let pauseAfterAbort: Int64 = 100
  /// The same where aborts are refused, too, each for twice as long as the one before.
  static let longestPauseAfterAbort: Int64 = 1_600
  /// How often the broker's time is asked for while timers are stopped, and restores are logged, in milliseconds.
  static let clockQuestionInterval: Int64 = 5_000
  static let restoreLogInterval: Int64 = 10_000
  /// How long a question to the brokers may hold up a worker, and how long it waits to put it again.
  static let brokerPatience = Duration.milliseconds(300)

  /// - Parameters:
  ///   - number: among the workers of the process.
  ///   - random: what the transactional id is made from where the instance has no name.
  ///   - background: for questions that the worker does not wait for; its pieces run one after another.
  ///   - disk: the same for files, so that a slow disk does not hold up the cutting of logs.
  ///   - snapshots: where they are kept; nil for none.
  ///   - observer: held weakly.
  package init(
    cluster: any KafkaCluster, configuration: ProcessorConfiguration, catalog: Catalog, number: Int,
    random: UInt64, instants: any InstantSource, control: WorkerControl, background: any BackgroundWork,
    disk: any BackgroundWork,
    snapshots: (any SnapshotStore)? = nil, observer: (any WorkerObserver)? = nil, status: ProcessorStatus,
    logger: Logger
  ) throws {
    self.cluster = cluster
    self.configuration = configuration
    self.catalog = catalog
    self.number = number
    self.random = random
    self.control = control
    self.status = status
    self.instants = instants
    self.metrics = WorkerMetrics(configuration: configuration, worker: number)
    self.commitDivision = CommitDivision(trialDistance: configuration.commitTrialDistance)
    self.clock = TimerClock(instants, flaws: configuration.flaws)
    self.clockGuard = ClockGuard(hasBrokerClock: !cluster.isEmbedded)
    self.codecs = try Codecs(
      prefix: configuration.prefix, recordLimit: configuration.recordLimit, timeZone: configuration.timeZone)
    self.transactionalID = configuration.transactionalID(worker: number, random: random)
    var logger = logger
    logger[metadataKey: "worker"] = "\(number)"
    self.logger = logger
    self.observer = observer
    self.disk = disk
    self.snapshots = snapshots
    self.truncation = StateLogTruncation(
      admin: cluster.isEmbedded ? nil : cluster.admin, background: background, logger: logger)
    self.consumer = try cluster.makeGroupConsumer(configuration.memberOptions(worker: number))
    self.stateReader = try cluster.makeLogReader(
      LogReaderOptions(
        topics: [configuration.stateTopic],
        isolation: configuration.flaws.contains(.restoreReadsUncommitted) ? .readUncommitted : .readCommitted)
    )
    self.producer = try Self.makeProducer(cluster, configuration, transactionalID)
    self.producer.deliveryListener = self
  }

  static func makeProducer(
    _ cluster: any KafkaCluster, _ configuration: ProcessorConfiguration, _ transactionalID: String
  ) throws -> any TransactionalProducer {
    try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(
        transactionalID: transactionalID, topics: configuration.producerTopics,
        transactionTimeout: configuration.transactionTimeout, messageMaxBytes: TopicPlan.logRecordLimit,
        linger: .zero))
  }

  var monotonic: Int64 { instants.monotonicMilliseconds }

  // MARK: - The loop

  /// Runs until it is told to stop.
  ///
  /// - Throws: `ProcessorFault` for what only a person can mend.
  func run() throws {
    defer { close() }
    try start()
    while !control.isStopping { try turn() }
    try finish()
  }

  /// Fences what this worker was before, and joins the group.
  package func start() throws {
    while !control.isStopping, try !register(patience: .seconds(5)) {}
    do {
      try consumer.subscribe(to: configuration.inputTopics, listener: self)
    } catch {
      throw ProcessorFault.kafka(error, doing: "joining the group \(configuration.groupID)")
    }
  }

  /// One turn of the loop.
  package func turn() throws {
    noticeStandstill()
    takeCatalog()
    try driveCommit()
    try settleInputDoubt()
    readSnapshots()
    try startRestores()
    checkClocks()
    reportCaughtUp()
    // Before anything is consumed: a backlog of events must not hold up what is due. Nor may a million digests of one
    // instant hold up events: half of what input may fill is theirs, if any come.
    closeDueWindows(upTo: configuration.inputBytes / 2)
    continueFanOuts()
    // At least once a batch, whatever fills it: it is how the group speaks.
    if !isFullOfInput || !hasPolled {
      if try !consume(timeout: waitBudget()) { closeDueWindows(upTo: .max) }
    } else {
      closeDueWindows(upTo: .max)
      try waitForRoom()
    }
    try continueRestores()
    logRestores()
    try beginCommitIfDue()
    writeSnapshots()
    producer.poll()
    dropOldFrozen()
    releaseMemory()
    publishStatus()
  }

  /// Back-pressure: the batch is full of input, so that only a commit makes room for more.
  private func waitForRoom() throws {
    if inFlight != nil {
      try driveCommit(timeout: .milliseconds(1))
    } else if monotonic < lastCommitStart {
      // After an abort none begins for a moment.
      Thread.yieldProcessor()
    }
  }

  /// What batches were written into, and none of the last seconds needed, goes back.
  private func releaseMemory() {
    let now = monotonic
    guard now - lastRelease >= 10_000 else { return }
    lastRelease = now
    OutputBuffer.releaseUnusedMemory()
  }

  /// What is applied gets one last commit, whose outcome is waited for.
  package func finish() throws {
    try settleCommit()
    if workSince != nil || flushAt != nil {
      try beginCommit()
      try settleCommit()
    }
    isDrained = true
    logger.info("worker drained", metadata: ["partitions": "\(homes.count)"])
  }

  /// Leaves the group and ends all clients; after a drain, saves snapshots.
  package func close() {
    do { try consumer.close() } catch { logger.warning("leaving the group failed: \(error)") }
    producer.close()
    stateReader.close()
    status.remove(worker: number)
    if isDrained { saveSnapshots() }
  }

  /// Bytes that the next commit would send.
  var pendingBytes: Int {
    ownedHomes.reduce(0) { $1.takesPartInCommits ? $0 + $1.pipeline.pendingBytes : $0 }
  }

  /// When the oldest work that the next commit may hold was applied, in monotonic milliseconds; nil where there is none.
  var workSince: Int64? {
    ownedHomes.lazy.filter(\.takesPartInCommits).compactMap(\.batch.workSince).min()
  }

  /// Records applied since the last commit.
  var workRecords: Int { ownedHomes.reduce(0) { $1.takesPartInCommits ? $0 + $1.batch.records : $0 } }

  /// When positions alone are worth a commit, in monotonic milliseconds.
  var flushAt: Int64? { ownedHomes.lazy.filter(\.takesPartInCommits).compactMap(\.batch.flushAt).min() }

  /// Bytes of the batch that are of windows that were due.
  var dueBytes: Int { ownedHomes.reduce(0) { $0 + $1.batch.dueBytes } }

  /// Whether nothing more is to be taken in before the next commit.
  var isFullOfInput: Bool { hasReached(configuration.inputBytes) }

  /// Whether the batch has so many bytes, or a partition of it its part of them.
  func hasReached(_ bytes: Int) -> Bool {
    pendingBytes >= bytes || ownedHomes.contains { $0.takesPartInCommits && hasReached(bytes, in: $0) }
  }

  /// Whether one of the partition's records in the logs has its part of so many bytes. It has to stay within the limit of
  /// a record, also where the next input, which may close many windows' worth of decisions, doubles it.
  func hasReached(_ bytes: Int, in home: HomePartition) -> Bool {
    home.pipeline.pendingRecordBytes >= configuration.logRecordBytes(ofBatch: bytes)
  }

  /// Bytes that what comes in may still add to the batch: beside a commit under way up to the input's bound, else up
  /// to the commit's, in which windows that were due do not count.
  var room: Int {
    if isFullOfInput { return 0 }
    let backlog = configuration.inputBytes - pendingBytes
    // What was taken in beside a commit may be more than the next one's, and after an abort none may begin at once.
    guard inFlight == nil else { return backlog }
    return max(0, min(backlog, configuration.commitBytes - pendingBytes + dueBytes))
  }

  /// How long the next poll may wait without delaying anything.
  private func waitBudget() -> Duration {
    if ownedHomes.contains(where: { $0.phase == .assigned && $0.askAgainAt <= monotonic }) { return .zero }
    if inFlight != nil { return .milliseconds(1) }
    if ownedHomes.contains(where: { !$0.isRunning && $0.phase != .assigned }) { return .milliseconds(1) }
    if room <= 0 || pendingBytes >= configuration.commitBytes || canContinueFanOuts { return .zero }
    var wait: Int64 = 100
    let monotonicNow = monotonic
    if let workSince {
      let earliest = earliestCommit
      let due =
        hasWaitingDelivery ? earliest : max(earliest, workSince + configuration.commitInterval.milliseconds)
      wait = min(wait, due - monotonicNow)
    }
    if let flushAt { wait = min(wait, max(earliestCommit, flushAt) - monotonicNow) }
    for home in ownedHomes where home.phase == .assigned { wait = min(wait, home.askAgainAt - monotonicNow) }
    let now = clock.now()
    for home in ownedHomes where home.isRunning && !areTimersStopped {
      if let due = home.pipeline.nextDue() { wait = min(wait, due - now) }
    }
    return .milliseconds(max(0, wait))
  }

  /// The home partition of a number; nil where this worker does not have it.
  func home(_ partition: Int32) -> HomePartition? {
    homesByNumber.indices.contains(Int(partition)) ? homesByNumber[Int(partition)] : nil
  }

  func topicPartition(_ topic: InputTopic, _ partition: Int32) -> TopicPartition {
    TopicPartition(topic: configuration.inputTopics[topic.index], partition: partition)
  }

  /// Turns a client's error into one that says what was being done.
  func kafka<Result>(_ doing: String, _ body: () throws(KafkaError) -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      throw ProcessorFault.kafka(error, doing: doing)
    }
  }
}
