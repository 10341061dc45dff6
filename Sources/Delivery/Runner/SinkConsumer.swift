import Contract
import Foundation
import Kafka
import Logging

/// The consumer's side of a sink: reads the topic, keeps the offsets, commits.
///
/// Made on, and confined to, a thread of its own. It meets the workers only in the queue.
final class SinkConsumer {
  private let consumer: any GroupConsumer
  private let queue: SinkQueue
  private let monitor: SinkMonitor
  private let options: SinkOptions
  private let logger: Logger

  private var assignments: [Int32: SinkAssignment] = [:]
  /// How partitions stood when they were revoked: what could not be committed then is still known here.
  private var revoked: [Int32: SinkAssignment] = [:]
  private var generation = 0
  private var isPaused = false
  private var nextCommit = ContinuousClock.now
  private var nextPublication = ContinuousClock.now
  private var nextLagLook = ContinuousClock.now
  private var complaints: [String: ContinuousClock.Instant] = [:]
  /// What makes going on senseless.
  private var failure: KafkaError?

  init(
    cluster: any KafkaCluster, queue: SinkQueue, monitor: SinkMonitor, options: SinkOptions, logger: Logger
  ) throws(KafkaError) {
    self.queue = queue
    self.monitor = monitor
    self.options = options
    self.logger = logger
    consumer = try cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: options.group, groupInstanceID: options.instance, offsetReset: .earliest))
  }

  /// Reads until `isStopping` says so, then lets what is in progress finish, commits and leaves the group.
  ///
  /// - Throws: `KafkaError` when the consumer cannot go on.
  func run(isStopping: () -> Bool) throws(KafkaError) {
    try consumer.subscribe(to: [options.topic], listener: self)
    defer { monitor.pulse.stop() }
    while !isStopping() && failure == nil {
      monitor.pulse.beat()
      queue.wake()
      collectCompletions()
      let load = queue.load
      commitIfDue()
      publishIfDue(load)
      lookAtLagIfDue()
      try adjustFlow(load)
      try handle(consumer.poll(timeout: pollTimeout(load)))
    }
    queue.halt()
    monitor.update { $0.isDraining = true }
    try drain()
    try consumer.close()
    if let failure { throw failure }
  }

  // MARK: Records

  private func handle(_ event: ConsumerEvent) throws(KafkaError) {
    switch event {
    case .none: break
    case .record(let record): receive(record)
    case .endOfPartition(_, let partition, let offset):
      assignments[partition]?.tracker.reachEnd(at: offset)
      assignments[partition]?.endOffset = offset
      assignments[partition]?.isAtEnd = true
    case .error(let error):
      if error.isFatal { throw error }
      complain(error)
    }
  }

  private func receive(_ record: ConsumedRecord) {
    guard var assignment = assignments.removeValue(forKey: record.partition) else { return }
    assignment.isAtEnd = false
    assignment.lastTimestampMilliseconds = record.timestampMilliseconds
    let isNew = assignment.tracker.receive(record.offset, timestampMilliseconds: record.timestampMilliseconds)
    assignments[record.partition] = assignment
    if isNew {
      queue.enqueue(SinkRecord(record, topic: options.topic), source: assignment.source)
    } else {
      monitor.recordSkipped()
    }
  }

  private func collectCompletions() {
    for completion in queue.takeCompletions() {
      // What an earlier assignment left behind is not this one's.
      guard assignments[completion.source.partition]?.source == completion.source else { continue }
      assignments[completion.source.partition]?.tracker.complete(completion.offset)
    }
  }

  /// Tells the outside how things stand, at most 20 times a second.
  private func publishIfDue(_ load: SinkQueue.Load) {
    guard ContinuousClock.now >= nextPublication else { return }
    nextPublication = .now + .milliseconds(50)
    monitor.record(inFlight: load.runningCount)
    monitor.update { status in
      status.positions = assignments.compactMapValues(\.tracker.committable)
      status.incompleteCount = assignments.values.reduce(0) { $0 + $1.tracker.incompleteCount }
      status.isIdle = status.isAssigned && load.recordCount == 0 && assignments.values.allSatisfy(\.isIdle)
    }
  }

  /// Pauses reading while the queue is full; the consumer is polled all the same, or the group would let it go.
  private func adjustFlow(_ load: SinkQueue.Load) throws(KafkaError) {
    if !isPaused, load.recordCount >= options.recordLimit || load.byteCount >= options.byteLimit {
      try consumer.pause(topicPartitions)
      isPaused = true
    } else if isPaused, load.recordCount <= options.recordLimit / 2, load.byteCount <= options.byteLimit / 2 {
      try consumer.resume(topicPartitions)
      isPaused = false
    }
  }

  private var topicPartitions: [TopicPartition] {
    assignments.keys.map { TopicPartition(topic: options.topic, partition: $0) }
  }

  /// Short while records are in hand, so that completions are committed soon; else until something becomes due.
  private func pollTimeout(_ load: SinkQueue.Load) -> Duration {
    let longest: Duration = load.recordCount > 0 ? .milliseconds(20) : .milliseconds(100)
    return min(longest, load.nextDue ?? longest)
  }

  // MARK: Offsets

  private func commitIfDue() {
    guard ContinuousClock.now >= nextCommit else { return }
    nextCommit = .now + options.commitInterval
    commit(Array(assignments.keys))
  }

  /// Commits the progress of these partitions. A failure is not the end: the next commit carries the same and more.
  private func commit(_ partitions: [Int32]) {
    var pending: [PartitionOffset] = []
    for partition in partitions {
      guard let (offset, omitted) = assignments[partition]?.pendingCommit else {
        continue
      }
      pending.append(offset)
      if omitted > 0 {
        complain(
          "omitted \(partition)",
          "more completed deliveries than a commit can note; a crash would repeat some")
      }
    }
    guard !pending.isEmpty else { return }
    do throws(KafkaError) {
      try consumer.commit(pending)
      for offset in pending { assignments[offset.topicPartition.partition]?.committed = offset }
    } catch {
      complain(error.during("progress in \(options.topic) cannot be committed; it will be tried again"))
    }
  }

  private func lookAtLagIfDue() {
    guard ContinuousClock.now >= nextLagLook else { return }
    nextLagLook = .now + .seconds(5)
    let now = SinkMonitor.nowMilliseconds
    // A broker that does not answer is not asked for each partition: this thread has other things to do.
    var isAnswering = true
    let oldestUntried = queue.oldestUntried()
    for (partition, assignment) in assignments {
      if !assignment.isAtEnd {
        guard isAnswering else { continue }
        let place = TopicPartition(topic: options.topic, partition: partition)
        // While records are fetched, the last fetch says the end, and a request for each partition would wait behind
        // the fetches. While nothing is fetched, only the broker knows it.
        let end =
          isPaused
          ? (try? consumer.watermarks(of: place, timeout: .milliseconds(500)))?.high
          : consumer.cachedHighWatermark(of: place)
        guard let end else {
          isAnswering = !isPaused
          continue
        }
        assignments[partition]?.endOffset = end
      }
      guard let assignment = assignments[partition] else { continue }
      let lag = assignment.lag(nowMilliseconds: now)
      let untried = assignment.untriedAge(oldest: oldestUntried[assignment.source], nowMilliseconds: now)
      monitor.record(lag: lag.records, age: lag.age, untried: untried, partition: partition)
    }
  }

  // MARK: The end

  /// Waits for what is in progress, and polls meanwhile so that the group stays patient.
  private func drain() throws(KafkaError) {
    let deadline = ContinuousClock.now + options.drainTimeout
    queue.drop(Set(assignments.values.map(\.source)))
    if !assignments.isEmpty {
      try consumer.pause(topicPartitions)
      isPaused = true
    }
    // Without a partition there is nothing to commit what ends for: a revoke has waited for it before.
    while !assignments.isEmpty, queue.load.runningCount > 0 {
      monitor.pulse.beat()
      guard ContinuousClock.now < deadline else {
        logger.warning(
          "deliveries still in progress were left; they may be repeated",
          metadata: ["topic": "\(options.topic)", "count": "\(queue.load.runningCount)"])
        break
      }
      if case .error(let error) = consumer.poll(timeout: .milliseconds(10)), error.isFatal { throw error }
    }
    collectCompletions()
    commit(Array(assignments.keys))
  }

  // MARK: Complaints

  private func complain(_ error: KafkaError) {
    complain(error.name, error.description)
  }

  /// Logs a trouble that may come again and again, at most every 30 s per kind.
  private func complain(_ kind: String, _ message: String) {
    let now = ContinuousClock.now
    if let last = complaints[kind], now - last < .seconds(30) { return }
    complaints[kind] = now
    logger.warning("\(message)", metadata: ["topic": "\(options.topic)", "group": "\(options.group)"])
  }
}

extension SinkConsumer: RebalanceListener {
  /// Reads on where the group's commits say, without what their metadata notes as completed.
  func partitionsAssigned(_ partitions: [TopicPartition]) {
    generation += 1
    isPaused = false
    do throws(KafkaError) {
      let committed = try committedOffsets(of: partitions)
      assignments = [:]
      for (partition, commit) in zip(partitions, committed) {
        assignments[partition.partition] = SinkAssignment(
          source: DeliverySource(partition: partition.partition, generation: generation),
          topic: options.topic, committed: commit,
          revoked: revoked[partition.partition])
      }
      revoked = [:]
      try consumer.assign(
        partitions.map { partition in
          let start = assignments[partition.partition]?.tracker.committable
          return PartitionOffset(partition, offset: start ?? PartitionOffset.beginning)
        })
      monitor.update { $0.isAssigned = true }
    } catch {
      assignments = [:]
      failure = error
      unassign()
    }
    logger.info(
      "partitions assigned",
      metadata: ["topic": "\(options.topic)", "partitions": "\(partitions.map(\.partition).sorted())"])
  }

  /// Lets what is in progress finish and commits, unless the partitions are lost.
  func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    let numbers = partitions.map(\.partition)
    let sources = Set(numbers.compactMap { assignments[$0]?.source })
    queue.drop(sources)
    if !lost {
      // A drain has waited already.
      let patience = monitor.status.isDraining ? .zero : options.drainTimeout
      if !queue.waitUntilQuiet(sources, timeout: patience) {
        complain("revoke", "deliveries were in progress when their partitions went; they may be repeated")
      }
    }
    collectCompletions()
    if !lost { commit(numbers) }
    for number in numbers { revoked[number] = assignments.removeValue(forKey: number) }
    monitor.forgetLag(of: numbers)
    monitor.update { status in
      status.isAssigned = false
      status.isIdle = false
      status.positions = [:]
    }
    unassign()
    logger.info(
      "partitions revoked",
      metadata: ["topic": "\(options.topic)", "partitions": "\(numbers.sorted())", "lost": "\(lost)"])
  }

  /// Asks for the commits until there is an answer: beginning without it would repeat or skip deliveries.
  private func committedOffsets(of partitions: [TopicPartition]) throws(KafkaError) -> [PartitionOffset?] {
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
      do throws(KafkaError) {
        return try consumer.committed(partitions, timeout: .seconds(10))
      } catch  where error.disposition == .retry && ContinuousClock.now < deadline {
        complain(error.during("the commits of \(options.group) cannot be read; it is tried again"))
      }
    }
  }

  private func unassign() {
    do throws(KafkaError) {
      try consumer.unassign()
    } catch {
      complain(error.during("the partitions of \(options.topic) cannot be given back"))
    }
  }
}
