import Contract
import Kafka
import Logging
import Pipeline
import Policy
import Processor
import ProcessorTesting
import SimulatedKafka

/// The instants of a simulated process. Confined to the one thread of its run.
final class ProcessInstants: InstantSource, @unchecked Sendable {
  private unowned let process: SimulatedProcess

  init(_ process: SimulatedProcess) { self.process = process }

  var wallMilliseconds: Int64 { process.wallMilliseconds }
  var monotonicMilliseconds: Int64 { process.monotonicMilliseconds }
}

/// A background queue of a simulated process: its pieces begin in the order in which they were handed over. Confined to the
/// one thread of its run.
final class ProcessBackground: BackgroundWork, @unchecked Sendable {
  private unowned let process: SimulatedProcess
  /// When the last piece begins.
  private var last: Int64 = 0

  init(_ process: SimulatedProcess) { self.process = process }

  func run(_ work: @escaping @Sendable () -> Void) { last = process.background(from: last, work) }
}

/// One worker on its thread, from its start to its end: what a step of it does, and what checkers hear of it.
final class WorkerThread: WorkerObserver {
  private enum Phase { case starting, running, ended }

  /// A number that no other worker of the run has or had.
  let id: Int
  let name: String
  let process: SimulatedProcess
  private unowned let run: SimulationRun
  private unowned let instance: Instance
  private let catalog: Catalog
  private let control = WorkerControl()
  private var worker: Worker?
  private var phase = Phase.starting
  private var isStopping = false

  init(_ run: SimulationRun, _ instance: Instance, number: Int, id: Int, catalog: Catalog) throws {
    self.run = run
    self.instance = instance
    self.id = id
    self.catalog = catalog
    name = "\(instance.name)/\(number)#\(id)"
    process = run.world.spawn(name)
    process.wallOffset = instance.wallOffset
    worker = try Worker(
      cluster: process.cluster, configuration: run.scenario.configuration(instance: instance.name),
      catalog: catalog, number: number, random: run.world.random.next(),
      instants: ProcessInstants(process), control: control, background: ProcessBackground(process),
      disk: ProcessBackground(process),
      snapshots: instance.snapshots,
      observer: self, status: ProcessorStatus(), logger: run.trace.logger(name))
    run.replay.decides(worker: id, by: catalog)
    process.step = { [unowned self] in step() }
  }

  var hasEnded: Bool { phase == .ended || !process.isAlive }

  /// Told to drain and leave, as by SIGTERM.
  func stop() {
    guard !isStopping, !hasEnded else { return }
    isStopping = true
    control.stop()
    process.wake()
  }

  /// Told to decide by another catalog, as by SIGHUP.
  func reload(_ catalog: Catalog) {
    guard !hasEnded else { return }
    control.use(catalog)
    process.wake()
  }

  /// Ends at once, as by SIGKILL.
  func crash() {
    guard !hasEnded else { return }
    phase = .ended
    process.crash()
    run.service.ends(worker: id)
  }

  func stall(for milliseconds: Int64, wholeProcess: Bool) {
    process.stall(for: milliseconds, wholeProcess: wholeProcess)
    run.service.heldUp(worker: id, until: run.world.now + milliseconds)
  }

  private func step() -> Bool {
    guard let worker, phase != .ended, !run.isOver else { return !hasEnded }
    let begun = run.turnBegins(id)
    defer { run.turnEnds(id, begun: begun) }
    do {
      switch phase {
      case .starting:
        try worker.start()
        phase = .running
      case .running where isStopping:
        try worker.finish()
        end()
        return false
      case .running: try worker.turn()
      case .ended: return false
      }
      return true
    } catch {
      guard process.isAlive, phase != .ended else { return false }
      end()
      run.workerFailed(self, instance, error)
      return false
    }
  }

  private func end() {
    phase = .ended
    worker?.close()
    worker = nil
    run.service.ends(worker: id)
  }

  /// Runs a checker; what it finds ends the run.
  private func observe(_ body: () throws(Violation) -> Void) {
    guard !hasEnded, !run.isOver else { return }
    do {
      try body()
    } catch {
      run.found(error)
    }
    run.passedStep(of: self)
  }

  // MARK: - Observed

  func assigned(_ partitions: [Int32]) {
    observe { () throws(Violation) in try run.writers.assigned(partitions.map(Int.init), worker: id) }
  }

  func revoking() {
    run.service.ends(worker: id)
    observe { () throws(Violation) in run.writers.revoking(worker: id) }
  }

  func revoked() { observe { () throws(Violation) in run.writers.revoked(worker: id) } }

  func took(_ catalog: Catalog) {
    run.trace.note("\(name): decides by catalog \(catalog.versionText)")
    run.replay.decides(worker: id, by: catalog)
  }

  func decides(in partition: Int32) {
    run.service.decides(Int(partition), worker: id, now: run.world.now)
    let ends = InputTopic.tables.map { table in
      let place = TopicPartition(topic: "\(Scenario.prefix).\(table.name)", partition: partition)
      return run.world.broker.log(place)?.endOffset ?? 0
    }
    run.writers.decides(Int(partition), worker: id, tableEnds: ends)
    observe { () throws(Violation) in }
  }

  func outcomeUnknown() {
    run.service.ends(worker: id)
    observe { () throws(Violation) in run.writers.dropped(worker: id) }
  }

  func applied(_ record: PartitionRecord, now: Int64, progress: Pipeline.Progress, in partition: Int32) {
    run.trace.note(
      "\(name): applies \(record.topic.name) [\(partition)] @ \(record.offset)\(progress == .again ? " in part" : "")"
    )
    run.replay.applied(record, now: now, worker: id, home: Int(partition))
    run.applied(appended: record.appended, home: Int(partition))
  }

  func ticked(now: Int64, in partition: Int32) {
    run.trace.note("\(name): closes what is due in \(partition)")
    run.replay.ticked(now: now, worker: id, home: Int(partition))
  }

  func continuedFanOut(now: Int64, in partition: Int32) {
    run.trace.note("\(name): goes on with a fan-out in \(partition)")
    run.replay.continuedFanOut(now: now, worker: id, home: Int(partition))
  }

  func advanced(_ topic: InputTopic, to offset: Int64, in partition: Int32) {
    run.trace.note("\(name): \(topic.name) [\(partition)] goes on to \(offset)")
    run.replay.advanced(topic, to: offset, worker: id, home: Int(partition))
  }

  func sealed(_ commit: SealedCommit, _ pipeline: borrowing Pipeline, in partition: Int32) {
    run.trace.note(
      "\(name): seals state record \(commit.sequence) of \(partition)"
        + (commit.startsCheckpoint ? ", a checkpoint begins" : "")
        + (commit.endsCheckpoint ? ", it ends" : ""))
    do throws(Violation) {
      try run.writers.sealed(worker: id, home: Int(partition))
      try run.replay.sealed(
        commit, pipeline, worker: id, writer: worker?.transactionalID ?? "", home: Int(partition),
        decided: run.writers.decided(worker: id))
    } catch {
      run.found(error)
    }
    run.sealed(by: instance)
    observe { () throws(Violation) in }
  }

  func confirmed(in partition: Int32) {
    run.writers.settled(worker: id, home: Int(partition))
    run.confirmed(by: instance)
    observe { () throws(Violation) in }
  }

  func rolledBack(_ pipeline: borrowing Pipeline, in partition: Int32) {
    run.trace.note("\(name): rolls \(partition) back to state record \(pipeline.sequence)")
    let positions = InputTopic.tables.map { pipeline.confirmedPositions[$0] }
    run.writers.rolledBack(
      Int(partition), worker: id, tables: positions)
    do throws(Violation) {
      try run.replay.rolledBack(pipeline, worker: id, home: Int(partition))
    } catch {
      run.found(error)
    }
    observe { () throws(Violation) in }
  }

  func restored(_ pipeline: borrowing Pipeline, in partition: Int32) {
    run.trace.note("\(name): has restored \(partition) to state record \(pipeline.sequence)")
    do throws(Violation) {
      try run.replay.restored(pipeline, worker: id, home: Int(partition))
    } catch {
      run.found(error)
    }
    observe { () throws(Violation) in }
  }
}

/// One process of a deployment: its workers live and die together, and a supervisor starts it again.
final class Instance {
  let name: String
  /// What its machine's wall clock is off by.
  var wallOffset: Int64
  /// Whether that is a fault of the moment.
  var isClockWrong = false
  fileprivate(set) var workers: [WorkerThread] = []
  /// The disk of its machine; nil where it keeps no snapshots.
  private(set) var snapshots: MemorySnapshotStore?
  /// Whether a supervisor starts it again when it has ended.
  var isWanted = true
  /// Files as they were when it was killed, in that order.
  private var former: [(name: String, bytes: [UInt8])] = []
  private var restarts = 0

  init(name: String, wallOffset: Int64, hasSnapshots: Bool) {
    self.name = name
    self.wallOffset = wallOffset
    snapshots = hasSnapshots ? MemorySnapshotStore() : nil
  }

  var isAlive: Bool { workers.contains { !$0.hasEnded } }

  func start(_ run: SimulationRun) throws {
    guard !isAlive, isWanted, !run.isOver else { return }
    run.trace.note("\(name) starts")
    restarts += 1
    workers = try (0..<run.scenario.workersPerInstance).map { number in
      try WorkerThread(run, self, number: number, id: run.nextWorkerID(), catalog: run.catalogInForce)
    }
  }

  func crash() {
    for worker in workers { worker.crash() }
    for (name, bytes) in (snapshots?.files ?? [:]).sorted(by: { $0.key < $1.key }) {
      if former.last(where: { $0.name == name })?.bytes != bytes { former.append((name, bytes)) }
    }
  }

  /// It comes back on another machine, without its files.
  func loseSnapshots() { if snapshots != nil { snapshots = MemorySnapshotStore() } }

  /// A file of it is damaged: its end is missing, or a byte is another.
  func damageSnapshot(_ number: UInt64) {
    guard let snapshots, let name = snapshots.files.keys.sorted().first, var bytes = snapshots.files[name],
      !bytes.isEmpty
    else { return }
    let place = Int(number % UInt64(bytes.count))
    if number & 1 == 0 { bytes.removeSubrange(place...) } else { bytes[place] ^= 0x40 }
    snapshots.set(name, to: bytes)
  }

  /// A bit of a file is flipped before its last block, which says no more than how much room its keys take.
  func damageSlice(_ number: UInt64) {
    let lastBlock = 2_077
    guard let snapshots, !snapshots.files.isEmpty else { return }
    let (name, file) = snapshots.files.sorted { $0.key < $1.key }[Int(number % UInt64(snapshots.files.count))]
    guard file.count > lastBlock else { return }
    var bytes = file
    bytes[Int((number >> 8) % UInt64(bytes.count - lastBlock))] ^= 1 << UInt8(number >> 61)
    snapshots.set(name, to: bytes)
  }

  /// The disk is put back to an older state: a file as it was at an earlier crash.
  func bringBackSnapshot(_ number: UInt64) {
    guard let snapshots, !former.isEmpty else { return }
    let (name, bytes) = former[Int(number % UInt64(former.count))]
    snapshots.set(name, to: bytes)
  }

  /// Another's file lies where this one's was.
  func exchangeSnapshot(_ name: String, with bytes: [UInt8]) { snapshots?.set(name, to: bytes) }

  func stop() { for worker in workers { worker.stop() } }

  func reload(_ catalog: Catalog) { for worker in workers { worker.reload(catalog) } }

  /// Starts it again after a while, if it is wanted then.
  func restart(_ run: SimulationRun, after milliseconds: Int64) {
    let before = restarts
    run.world.schedule(after: milliseconds) { [unowned run, self] in
      guard restarts == before, !run.isOver else { return }
      // A worker that waits in a call has not seen yet that it is to end.
      guard !isAlive else { return restart(run, after: 200) }
      run.start(self)
    }
  }
}
