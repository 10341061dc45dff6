import Contract
import Kafka
import Pipeline
import Policy
import Processor
import SeededTesting
import SimulatedKafka

/// One run: a world with a cluster, processes, load and faults that follow from a seed, the checkers that look on, and
/// at the end the question whether all is well again.
public final class SimulationRun {
  let scenario: Scenario
  let trace: Trace
  let world: SimulatedWorld
  let journal: Journal
  let service: ServiceTracker
  let replay: ReplayChecker
  var writers = WriterChecker()
  private(set) var instances: [Instance] = []
  private(set) var isOver = false
  private(set) var violation: Violation?
  private(set) var commits = 0
  /// Changes what the checkers are shown of a commit: how tests see each of them fail.
  var doctor: ((inout CommittedTransaction, inout [HomeCommit]) -> Void)?

  private var workload: Workload
  private var faults: FaultInjector?
  private var offsets = OffsetChecker()
  private var conservation: ConservationChecker
  private var decisions: DecisionChecker
  private var windows: WindowChecker
  private var audiences: AudienceChecker
  private var bounds: BoundsChecker
  private var catalogIndex = 0
  private var workerCount = 0
  private var depth: [Int] = []
  /// By home: the last state record, and where it lies.
  private(set) var lastCommits: [Int: (epoch: UInt64, sequence: UInt64, offset: Int64)] = [:]
  private var isPublishing = true
  /// When the last fault ended; nil while faults go on.
  private var faultsEnded: Int64?
  /// When the run begins, in milliseconds since the epoch.
  let start: Int64
  /// When load and faults end, in milliseconds since the epoch. A call that waits then is waited for.
  var end: Int64 { start + scenario.duration }

  init(_ scenario: Scenario, isTraced: Bool) throws {
    self.scenario = scenario
    start = scenario.start
    world = SimulatedWorld(seed: scenario.seed, latencies: scenario.faults.latencies, start: start)
    trace = Trace(isOn: isTraced, start: start)
    journal = try Journal(prefix: Scenario.prefix, partitionCount: scenario.partitionCount)
    service = ServiceTracker(partitionCount: scenario.partitionCount, start: start)
    service.slack = scenario.faults.slack + scenario.commitInterval + 2 * scenario.minimumCommitInterval
    service.clockBound = 2 * scenario.clockSkew
    if scenario.faults.kinds.contains(.clockJump) { service.clockBound += 2_000 }
    replay = try ReplayChecker(
      broker: world.broker, prefix: Scenario.prefix, partitionCount: scenario.partitionCount,
      catalog: scenario.catalogs[0].catalog
    ) { scenario.configuration(instance: "").pipeline(partition: $0) }
    conservation = ConservationChecker(partitionCount: scenario.partitionCount)
    decisions = DecisionChecker(
      partitionCount: scenario.partitionCount, horizonMinutes: scenario.horizonMinutes,
      catalogs: scenario.catalogs)
    windows = WindowChecker(
      partitionCount: scenario.partitionCount, catalogs: scenario.catalogs, memberLimit: scenario.memberLimit)
    audiences = AudienceChecker(
      partitionCount: scenario.partitionCount, horizonMinutes: scenario.horizonMinutes,
      limit: scenario.fanOutCountLimit)
    bounds = BoundsChecker(scenario)
    let types = scenario.catalogs[0].types.map(\.name)
    workload = Workload(
      shape: scenario.shape, partitionCount: scenario.partitionCount, types: types,
      random: SeededGenerator(seed: scenario.seed ^ 0x5EED_10AD))
    trace.now = { [unowned world] in world.now }
    if isTraced { world.trace = { [trace] in trace.add($0, $1) } }
    world.broker.observer = self
    for topic in TopicPlan.topics(
      prefix: Scenario.prefix, partitionCount: scenario.partitionCount, replicationFactor: 1)
    {
      world.broker.create(topic)
    }
  }

  // MARK: - The course

  /// Runs to the end, or to the first violation.
  func run() throws {
    defer { world.end() }
    for record in workload.directory(now: world.now) { publish(record) }
    let injector = FaultInjector(self, random: SeededGenerator(seed: scenario.seed ^ 0xFA_17))
    faults = injector
    for _ in 0..<scenario.instances { addInstance() }
    publishNext()
    watch()
    injector.start()
    world.run(until: end) { isOver }
    trace.note("faults and load stop")
    isPublishing = false
    injector.stop()
    service.disturbed(until: world.now)
    faultsEnded = service.lastFaultEnd
    for instance in instances { instance.restart(self, after: 200) }
    settle()
    isOver = true
  }

  /// Everything is decided, committed and closed within the bound.
  private func settle() {
    let longest = scenario.catalogs.map(\.longestWindow).max() ?? 0
    let stalls: Int64 = 25_000
    let deadline =
      world.now + longest + stalls + 2 * ServiceTracker.recoveryBound + scenario.faults.latencies
      .maxPollInterval
      % 100_000 + 2 * service.slack + outageLeft
    while !isOver, world.now < deadline {
      world.run(until: world.now + 500) { isOver }
      if unsettled == nil { return }
    }
    if !isOver, let unsettled { found(Violation(.bounds, "after the faults stopped, \(unsettled)")) }
  }

  private var outageLeft: Int64 { max(0, service.lastFaultEnd - world.now) }

  /// What is not as it should be in the end; nil when all is well.
  private var unsettled: String? {
    let group = world.broker.groups.group("\(Scenario.prefix)-processor")
    for topic in InputFacts.Topic.allCases {
      for partition in 0..<scenario.partitionCount {
        let place = TopicPartition(topic: "\(Scenario.prefix).\(topic.name)", partition: Int32(partition))
        guard let log = world.broker.log(place) else { continue }
        let committed = group?.offsets.committed.first { $0.topicPartition == place }?.offset
        // An offset that expired is written again with the next record; the state's stands.
        let position = journal.latest[partition]?.positions[topic.rawValue]
        guard (committed ?? position) == log.endOffset, position == log.endOffset else {
          return "\(place) is consumed to \(position.map(String.init) ?? "nowhere") of \(log.endOffset), "
            + "the group says \(committed.map(String.init) ?? "nothing")"
        }
      }
    }
    // Those of recipients who chose to wait for longer than the run stay open.
    let longest = scenario.catalogs.map(\.longestWindow).max() ?? 0
    let overdue = windows.overdueCount(at: end + longest)
    if overdue > 0 { return "\(overdue) windows are open" }
    if let fanOut = audiences.pending.first { return "the fan-out of \(fanOut) is not finished" }
    if !service.isServed { return "homes \(service.unserved) are decided by nobody" }
    return nil
  }

  private func watch() {
    world.schedule(after: 1_000) { [self] in
      guard !isOver else { return }
      do throws(Violation) {
        try windows.checkOverdue(now: world.now, service: service)
        try checkConsumed()
        try bounds.checkTruncated(now: world.now, service: service, broker: world.broker)
        try offsets.checkIdle(now: world.now, interval: scenario.heartbeatInterval, service: service)
      } catch {
        found(error)
      }
      watch()
    }
  }

  /// Nothing waits in the input for longer than a backlog takes.
  private func checkConsumed() throws(Violation) {
    for home in 0..<scenario.partitionCount {
      for topic in InputFacts.Topic.allCases {
        let position = journal.latest[home]?.positions[topic.rawValue] ?? 0
        let waiting = journal.facts.records(topic, partition: home, max(0, position)..<Int64.max)
        if let first = waiting.first { try service.checkDecided(first, home, at: world.now) }
      }
    }
  }

  // MARK: - Load

  private func publishNext() {
    world.schedule(after: workload.pause()) { [self] in
      guard isPublishing, !isOver, world.now < end else { return }
      publish(workload.next(now: world.now))
      publishNext()
    }
  }

  private func publish(_ record: PublishedRecord) {
    let place = TopicPartition(
      topic: "\(Scenario.prefix).\(record.topic.name)", partition: Int32(record.partition))
    let outgoing = ProducerRecord(
      topicIndex: 0, key: record.key, value: record.value,
      headers: record.headers.map { ProducerRecord.Header($0.name, $0.value) })
    let appended: (offset: Int64, appended: Int64)?
    do throws(KafkaError) {
      appended = try outgoing.withViews { (views) throws(KafkaError) in
        world.broker.append(views, to: place)
      }
    } catch {
      return found(Violation(.unexpectedFault, "the load cannot publish to \(place): \(error)"))
    }
    guard let appended else {
      return found(Violation(.unexpectedFault, "the load cannot publish to \(place): there is no such log"))
    }
    trace.note("published \(place) @ \(appended.offset): \(record.kind)")
    journal.facts.add(
      InputFact(offset: appended.offset, appended: appended.appended, kind: record.kind), to: record.topic,
      partition: record.partition)
  }

  // MARK: - Processes

  func nextWorkerID() -> Int {
    workerCount += 1
    return workerCount
  }

  var catalogInForce: Catalog { scenario.catalogs[catalogIndex].catalog }

  func exchangeCatalog() { catalogIndex = 1 - catalogIndex }

  func addInstance() {
    let skew = scenario.clockSkew
    let instance = Instance(
      name: "i\(instances.count)", wallOffset: skew > 0 ? world.random(-skew...skew) : 0,
      hasSnapshots: scenario.snapshotInterval != nil)
    instances.append(instance)
    start(instance)
  }

  func start(_ instance: Instance) {
    do {
      try instance.start(self)
    } catch {
      found(Violation(.unexpectedFault, "\(instance.name) does not start: \(error)"))
    }
  }

  /// A worker ended by itself: its process ends with it, and is started again.
  func workerFailed(_ worker: WorkerThread, _ instance: Instance, _ error: any Error) {
    trace.note("\(worker.name) ends: \(error)")
    if !isExpected(error) {
      found(Violation(.unexpectedFault, "\(worker.name): \(error)"))
      return
    }
    service.disturbed(until: world.now + 1_500)
    instance.stop()
    instance.restart(self, after: world.random(300...1_500))
  }

  /// Being fenced ends a process; so does whatever else its clients cannot pass: but only where a fault can be the
  /// cause.
  private func isExpected(_ error: any Error) -> Bool {
    guard case ProcessorFault.kafka(let error, _) = error, error.isFenced || error.isFatal else {
      return false
    }
    guard let faultsEnded else { return !scenario.faults.isHarmless }
    return world.now <= faultsEnded + ServiceTracker.recoveryBound + service.slack
  }

  func passedStep(of worker: WorkerThread) { faults?.passedStep(of: worker) }

  func sealed(by instance: Instance) { faults?.sealed(by: instance) }

  func confirmed(by instance: Instance) { faults?.confirmed(by: instance) }

  func applied(appended: Int64, home: Int) { faults?.applied(appended: appended, home: home) }

  // MARK: - Turns

  /// A worker's thread goes into a turn, perhaps while others wait in calls of theirs.
  func turnBegins(_ worker: Int) -> Int64 {
    depth.append(worker)
    return world.now
  }

  /// Who waited below was held up by it.
  func turnEnds(_ worker: Int, begun: Int64) {
    depth.removeLast()
    guard world.now - begun > 50 else { return }
    for other in depth { service.heldUp(worker: other, until: world.now) }
  }

  // MARK: - Cleaning

  /// Retention of what is consumed, or the log cleaner over the recipients and audiences.
  func clean(compacts: Bool) {
    for partition in 0..<scenario.partitionCount {
      guard let header = journal.latest[partition] else { continue }
      if compacts {
        for topic in [InputFacts.Topic.recipients, .subscriptions] {
          let place = TopicPartition(topic: "\(Scenario.prefix).\(topic.name)", partition: Int32(partition))
          // What nobody has consumed yet would be missing from the counts.
          guard let log = world.broker.log(place), log.endOffset <= header.positions[topic.rawValue] else {
            continue
          }
          // The cleaner keeps a broken record in the place of the last whole one (docs/simulation.md).
          guard !journal.facts.hasBroken(topic, partition: partition) else { continue }
          world.broker.compact(place)
        }
      } else {
        for topic in [InputFacts.Topic.events, .routed, .engagement] {
          let place = TopicPartition(topic: "\(Scenario.prefix).\(topic.name)", partition: Int32(partition))
          world.broker.retain(place, from: header.positions[topic.rawValue])
        }
      }
    }
  }

  // MARK: - Findings

  /// The first violation ends the run.
  func found(_ violation: Violation) {
    guard self.violation == nil, !isOver else { return }
    trace.note("VIOLATION: \(violation)")
    self.violation = violation
    isOver = true
  }
}

extension SimulationRun: BrokerObserver {
  /// Every checker looks at every commit.
  public func transactionDecided(
    _ state: TransactionState, commits isCommit: Bool, offsets: [(group: String, offsets: [PartitionOffset])]
  ) {
    guard isCommit, !isOver else { return }
    commits += 1
    do throws(Violation) {
      var transaction = journal.transaction(state, offsets: offsets, now: world.now)
      var homes = try journal.homes(of: transaction)
      doctor?(&transaction, &homes)
      try self.offsets.check(transaction, homes: homes, latest: journal.latest)
      for commit in homes { try check(commit) }
      try journal.enterInputs(of: transaction)
    } catch {
      found(error)
    }
  }

  private func check(_ commit: HomeCommit) throws(Violation) {
    lastCommits[commit.home] = (commit.header.epoch, commit.header.sequence, commit.state.offset)
    try decisions.check(commit, facts: journal.facts) { (decision, fact, record) throws(Violation) in
      switch decision.kind {
      case .arrival(let arrival):
        guard let fact, let record else { break }
        try service.checkDecided(record, commit.home, at: commit.time)
        try windows.take(arrival, decision, fact, commit, record, facts: journal.facts)
      case .closure(let closure):
        try windows.take(closure, decision, commit, facts: journal.facts, service: service)
      case .withdrawal(let withdrawal):
        try windows.take(withdrawal, decision, commit, facts: journal.facts)
      case .fanOut: break
      }
    }
    try audiences.check(commit, facts: journal.facts)
    try windows.checkEnd(commit, facts: journal.facts, horizonMinutes: scenario.horizonMinutes)
    try conservation.check(commit, facts: journal.facts)
    try offsets.checkOwned(commit, decided: try replay.check(commit))
    try bounds.check(commit, service: service, broker: world.broker) { replay.liveBytes(of: commit.home) }
  }
}
