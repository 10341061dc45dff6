import Contract
import Kafka
import Pipeline
import Processor
import SeededTesting
import SimulatedKafka

/// Makes happen what the profile of a run says, at instants that the seed gives, until the faults stop.
final class FaultInjector {
  /// How long after its clock was put right a worker may take to hear so from the broker: it asks every 5 s.
  private static let clockQuestion: Int64 = 6_000

  private unowned let run: SimulationRun
  private let profile: FaultProfile
  private var random: SeededGenerator
  private var isOver = false
  /// Crashes a worker's process when so many steps have passed that an observer sees.
  private var stepsToCrash: Int?
  /// Crashes an instance so many confirmed batches after it has saved its next snapshot.
  private var snapshotCrash: (instance: Instance, saved: Int, batches: Int64, damages: Bool)?
  /// Whether the next transaction that is sealed while a snapshot is written is to be aborted.
  private var abortsInSnapshot = false
  private var lastReset: Int64 = 0
  private var world: SimulatedWorld { run.world }

  init(_ run: SimulationRun, random: SeededGenerator) {
    self.run = run
    profile = run.scenario.faults
    self.random = random
  }

  func start() {
    world.broker.faults = profile.background
    next()
  }

  /// From here on everything works.
  func stop() {
    isOver = true
    stepsToCrash = nil
    snapshotCrash = nil
    abortsInSnapshot = false
    world.broker.faults = BrokerFaults()
    for topic in world.broker.topics {
      for log in topic.partitions {
        log.delay = 0
        log.stuckUntil = 0
      }
    }
    for instance in run.instances { instance.isWanted = true }
  }

  /// A step that observers see: the armed crash happens after one of them.
  func passedStep(of worker: WorkerThread) {
    guard let left = stepsToCrash else { return }
    guard left <= 0 else {
      stepsToCrash = left - 1
      return
    }
    stepsToCrash = nil
    guard let instance = run.instances.first(where: { $0.workers.contains { $0 === worker } }) else { return }
    crash(instance, after: number(0...40))
  }

  /// A batch was confirmed: what a snapshot saved before it holds has to agree with what the log says since.
  func confirmed(by instance: Instance) {
    guard let crash = snapshotCrash, crash.instance === instance, let snapshots = instance.snapshots,
      snapshots.commitCount > crash.saved
    else { return }
    guard crash.batches <= 0 else {
      snapshotCrash?.batches -= 1
      return
    }
    snapshotCrash = nil
    self.crash(instance, after: number(0...40)) { [self] in
      if crash.damages { instance.damageSlice(random.next()) }
    }
  }

  /// A transaction was sealed. While a snapshot is written, one of its slices belongs to it.
  func sealed(by instance: Instance) {
    guard !isOver, abortsInSnapshot, let snapshots = instance.snapshots, snapshots.isWriting else { return }
    abortsInSnapshot = false
    // The snapshot is saved before the members know that they are none, or not at all.
    snapshotCrash = (instance, snapshots.commitCount, number(0...6), false)
    world.schedule(after: 0) { [self] in resetGroup() }
  }

  /// A record was applied. One with which a minute of the input clock begins makes ids expire: the transaction that
  /// holds it is the one to abort.
  func applied(appended: Int64, home: Int) {
    guard !isOver, profile.kinds.contains(.groupReset), let confirmed = run.journal.latest[home]?.inputClock,
      appended / 60_000 > confirmed / 60_000, world.now > lastReset + 1_000, number(0...2) > 0
    else { return }
    world.schedule(after: number(0...2) == 0 ? number(0...200) : 0) { [self] in resetGroup() }
  }

  /// The group loses its members: the offsets of transactions under way are refused, and those are aborted.
  private func resetGroup() {
    guard !isOver, !run.isOver else { return }
    lastReset = world.now
    run.trace.note("fault: the group loses its members")
    run.service.disturbed(until: world.now)
    world.broker.groups.group("\(Scenario.prefix)-processor")?.removeMembers()
  }

  private func next() {
    guard !profile.kinds.isEmpty else { return }
    world.schedule(after: number(0...(2 * profile.meanDistance))) { [self] in
      // Not only when told to stop: while calls wait in one another, nobody comes to tell.
      guard !isOver, !run.isOver, world.now < run.end else { return }
      happen(profile.kinds[Int(number(0...Int64(profile.kinds.count - 1)))])
      next()
    }
  }

  private func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

  /// Mostly short, sometimes beyond the time-out of sessions and transactions.
  private func often(_ short: ClosedRange<Int64>, _ long: ClosedRange<Int64>) -> ClosedRange<Int64> {
    number(0...4) == 0 ? long : short
  }

  private func someInstance() -> Instance? {
    let alive = run.instances.filter(\.isAlive)
    return alive.isEmpty ? nil : alive[Int(number(0...Int64(alive.count - 1)))]
  }

  /// - Parameter then: what happens to its files; nil for what happens to those of any crash.
  private func crash(_ instance: Instance, after delay: Int64 = 0, then: (() -> Void)? = nil) {
    let back = number(0...1) == 0 ? number(50...3_000) : number(3_000...16_000)
    let workers = instance.workers.map(\.id)
    world.schedule(after: delay) { [self] in
      guard !isOver, instance.workers.map(\.id) == workers, instance.isAlive else { return }
      run.trace.note("fault: \(instance.name) is killed")
      run.service.disturbed(until: world.now + back)
      instance.crash()
      if let then { then() } else { disturbSnapshots(of: instance) }
      instance.restart(run, after: back)
    }
  }

  private func disturbSnapshots(of instance: Instance) {
    switch number(0...7) {
    case 0: instance.loseSnapshots()
    case 1: instance.damageSnapshot(random.next())
    case 2: instance.bringBackSnapshot(random.next())
    case 3: exchangeSnapshot(of: instance)
    default: break
    }
  }

  /// A file of another history comes to lie where this one's was: it says that it goes on from a record that the log
  /// holds, of the same number, and perhaps of the same epoch.
  private func exchangeSnapshot(of instance: Instance) {
    let home = Int(number(0...Int64(run.scenario.partitionCount - 1)))
    guard let commit = run.lastCommits[home] else { return }
    var configuration = run.scenario.configuration(instance: instance.name)
    configuration.flaws = []
    let epoch = number(0...1) == 0 ? commit.epoch : commit.epoch &+ 1
    var pipeline = Pipeline(
      configuration: configuration.pipeline(partition: Int32(home)), catalog: run.catalogInForce)
    pipeline.start(at: InputPositions(), epoch: epoch)
    var buffer = OutputBuffer(capacity: 4096)
    while pipeline.sequence < commit.sequence {
      buffer.removeAll()
      _ = pipeline.seal(into: &buffer)
      pipeline.confirm()
    }
    guard let slice = pipeline.snapshotSlice(from: 0, limit: 1 << 20) else { return }
    var encoder = pipeline.snapshotEncoder(
      topic: "\(Scenario.prefix).state", offset: commit.offset, checkpointStart: nil)
    var file = encoder.begin()
    file += encoder.block(of: slice)
    file += encoder.end()
    run.trace.note("fault: \(instance.name) finds another's snapshot of home \(home)")
    instance.exchangeSnapshot("\(Scenario.prefix).state-\(home).snapshot", with: file)
  }

  private func happen(_ kind: FaultProfile.Kind) {
    let now = world.now
    func lasts(_ range: ClosedRange<Int64>) -> Int64 {
      let length = number(range)
      run.service.disturbed(until: now + length)
      run.trace.note("fault: \(kind.rawValue) for \(length) ms")
      return now + length
    }
    switch kind {
    case .crash: if let instance = someInstance() { crash(instance) }
    case .crashAtStep: stepsToCrash = Int(number(0...60))
    case .stop:
      guard let instance = someInstance() else { return }
      run.trace.note("fault: \(instance.name) is told to stop, and comes back")
      run.service.disturbed(until: now)
      instance.stop()
      instance.restart(run, after: number(100...4_000))
    case .scale: scale()
    case .freezeProcess, .stallThread:
      guard let instance = someInstance() else { return }
      let worker = instance.workers[Int(number(0...Int64(instance.workers.count - 1)))]
      let end = lasts(number(0...2) == 0 ? 8_000...22_000 : 100...6_000)
      let whole = kind == .freezeProcess
      for other in whole ? instance.workers : [worker] { other.stall(for: end - now, wholeProcess: whole) }
      // It sees that its clock is right again when it goes on, and asks the broker a while later.
      if instance.isClockWrong { run.service.disturbed(until: end + Self.clockQuestion) }
    case .brokersDown: world.broker.faults.brokersDownUntil = lasts(often(300...6_000, 9_000...15_000))
    case .groupCoordinatorAway: world.broker.faults.groupCoordinatorAwayUntil = lasts(300...6_000)
    case .transactionCoordinatorAway:
      world.broker.faults.transactionCoordinatorAwayUntil = lasts(often(300...6_000, 9_000...15_000))
    case .stuckPartition: somePartition().stuckUntil = lasts(often(300...6_000, 9_000...15_000))
    case .slowPartition:
      let log = somePartition()
      log.delay = number(20...300)
      world.schedule(after: lasts(2_000...10_000) - now) { log.delay = 0 }
    case .clockJump: jump()
    case .retention, .compaction: run.clean(compacts: kind == .compaction)
    case .offsetExpiry:
      let topics = InputFacts.Topic.allCases.map(\.name).filter { _ in number(0...1) == 0 }
      world.broker.groups.expireOffsets(
        ofGroup: "\(Scenario.prefix)-processor", topics: topics.map { "\(Scenario.prefix).\($0)" })
    case .deploy: deploy()
    case .outage: outage()
    case .groupReset: resetGroup()
    case .reload: reload()
    case .crashAfterSnapshot:
      guard let instance = someInstance(), let snapshots = instance.snapshots else { return }
      snapshotCrash = (instance, snapshots.commitCount, number(0...6), number(0...2) == 0)
    case .abortInSnapshot: abortsInSnapshot = true
    case .additionsForbidden:
      let end = lasts(300...6_000)
      world.broker.faults.additionsForbiddenUntil = end
      // Who was refused again and again goes on a while later.
      run.service.disturbed(until: end + 2_000)
    }
  }

  private func somePartition() -> PartitionLog {
    let logs = world.broker.topics.flatMap(\.partitions)
    return logs[Int(number(0...Int64(logs.count - 1)))]
  }

  /// The wall clock of a machine is wrong for a while. By more than a minute, timers stop until it is right again.
  private func jump() {
    guard let instance = someInstance(), !instance.isClockWrong else { return }
    instance.isClockWrong = true
    // What a guard of a minute does not see would be believed by a process that starts meanwhile, or puts its clock
    // right after a large one: a run has jumps of one kind.
    let isLarge = run.scenario.seed & 1 == 0
    let distance =
      isLarge
      ? (number(0...1) == 0 ? 1 : -1) * number(130_000...7_200_000) : number(-20_000...20_000)
    let length = number(1_000...12_000)
    run.trace.note("fault: the wall clock of \(instance.name) jumps by \(distance) ms for \(length) ms")
    // A worker that starts meanwhile compares its clock with the broker's, and asks again after a while.
    run.service.disturbed(until: world.now + length + Self.clockQuestion)
    if isLarge { instance.wallOffset += distance }
    for worker in instance.workers { worker.process.wallOffset += distance }
    world.schedule(after: length) { [self] in
      run.trace.note("the wall clock of \(instance.name) is right again")
      if isLarge { instance.wallOffset -= distance }
      for worker in instance.workers { worker.process.wallOffset = instance.wallOffset }
      instance.isClockWrong = false
    }
  }

  private func scale() {
    run.service.disturbed(until: world.now)
    if run.instances.filter(\.isWanted).count > 1, number(0...1) == 0, let instance = someInstance() {
      run.trace.note("fault: \(instance.name) is taken away")
      instance.isWanted = false
      instance.stop()
      world.schedule(after: number(3_000...15_000)) { [self] in
        instance.isWanted = true
        run.start(instance)
      }
    } else if run.instances.count < 5 {
      run.trace.note("fault: an instance is added")
      run.addInstance()
    }
  }

  /// A rolling restart with the other catalog.
  private func deploy() {
    run.trace.note("fault: the other catalog is deployed")
    run.exchangeCatalog()
    run.service.disturbed(until: world.now + 4_000)
    for (index, instance) in run.instances.enumerated() where instance.isAlive {
      world.schedule(after: Int64(index) * 1_000) { [self] in
        guard !isOver else { return }
        instance.stop()
        instance.restart(run, after: 500)
      }
    }
  }

  /// Each process is told to decide by the other catalog, one after another, while it goes on; some hear it twice.
  private func reload() {
    run.trace.note("fault: the other catalog is reloaded")
    run.exchangeCatalog()
    for instance in run.instances where instance.isAlive {
      for _ in 0...number(0...1) {
        world.schedule(after: number(0...1_500)) { [self] in
          guard !isOver, !run.isOver else { return }
          instance.reload(run.catalogInForce)
        }
      }
    }
  }

  /// All processes are gone for longer than ids are remembered, while events go on.
  private func outage() {
    let length = run.scenario.horizonMinutes * 60_000 + number(5_000...50_000)
    guard number(0...3) == 0 else { return }
    run.trace.note("fault: no process for \(length) ms")
    run.service.disturbed(until: world.now + length)
    for instance in run.instances where instance.isAlive {
      instance.crash()
      instance.restart(run, after: length)
    }
  }
}
