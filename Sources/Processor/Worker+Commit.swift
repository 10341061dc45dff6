import Contract
import Foundation
import Kafka
import Pipeline

/// A transaction that was sent and whose outcome is not known yet.
struct CommitInFlight {
  /// The home partitions that have a state record in it.
  var sealed: [(home: HomePartition, commit: SealedCommit)]
  /// Append times of the events whose immediate deliveries it holds by channel, in milliseconds.
  var delivered: [Channel: [Int64]] = [:]
  /// What the group is to hear; nil once it has.
  var offsets: (positions: [PartitionOffset], group: any GroupMetadata)?
  /// Whether it began since deliveries waited.
  var isForDeliveries = false
  /// Monotonic milliseconds.
  var started: Int64
  /// The timer clock at the start, in milliseconds since the epoch.
  var startInstant: Int64
  /// From here on the outcome is unknown: the broker has aborted the transaction by itself, or committed it.
  var deadline: Int64
}

/// The transaction: open → sending offsets → committing (both driven between batches) → confirmed.
extension Worker {
  /// Where nothing is full: the next commit begins no sooner, in monotonic milliseconds. The distance of two commits adapts
  /// to what a transaction takes.
  var earliestCommit: Int64 {
    max(
      lastCommitStart + max(configuration.minimumCommitInterval.milliseconds, transactionTime),
      lastCommitEnd + Self.markerTime)
  }

  var hasWaitingDelivery: Bool { ownedHomes.contains(where: \.hasWaitingDelivery) }

  // MARK: - Begin

  /// Begins a commit when interval or bytes are reached, sooner when a delivery waits or a log's record is full.
  func beginCommitIfDue() throws {
    let now = monotonic
    // After an abort the last start lies ahead.
    guard inFlight == nil, now >= lastCommitStart else { return }
    let isSpaced = now >= earliestCommit
    if let workSince {
      if pendingBytes >= configuration.commitBytes || isFullOfInput
        || workRecords >= configuration.commitRecords
      {
        return try beginCommit()
      }
      if isSpaced, hasWaitingDelivery {
        return try beginCommit(without: partitionsToDefer(), isForDeliveries: true)
      }
      if isSpaced, now - workSince >= configuration.commitInterval.milliseconds { return try beginCommit() }
    }
    if isSpaced, let flushAt, now >= flushAt { return try beginCommit() }
    if isSpaced, ownedHomes.contains(where: { needsHeartbeat($0, now) }) { try beginCommit() }
  }

  /// The partitions that a commit for which deliveries wait does not take, where it takes only half of them.
  ///
  /// - Returns: those whose work has the most time left. It goes with the next commit.
  private func partitionsToDefer() -> Set<Int32> {
    let interval = configuration.commitInterval.milliseconds
    var waiting: [(home: HomePartition, due: Int64)] = []
    for home in ownedHomes where home.takesPartInCommits {
      guard let since = home.batch.workSince else { continue }
      waiting.append((home, home.hasWaitingDelivery ? since : since + interval))
    }
    guard waiting.count > configuration.undividedPartitions,
      commitDivision.dividesNext(
        waiting: waiting.count, apart: configuration.minimumCommitInterval.milliseconds)
    else { return [] }
    waiting.sort { $0.due < $1.due }
    let later = waiting.suffix(waiting.count / 2).lazy.map(\.home)
      .filter { $0.isRunning && !$0.batch.isDeferred && !$0.pipeline.isHeaderDue }
    return Set(later.map(\.partition))
  }

  /// Sends everything that was applied, with the positions of all partitions that take part.
  ///
  /// - Parameters:
  ///   - deferred: whose work is left to a later commit. Of them the positions of the last commit are sent once more.
  ///   - isForDeliveries: whether it begins since deliveries wait.
  func beginCommit(without deferred: Set<Int32> = [], isForDeliveries: Bool = false) throws {
    let all = ownedHomes.filter(\.takesPartInCommits)
    let homes = all.filter { !deferred.contains($0.partition) }
    guard !homes.isEmpty else { return }
    let started = monotonic
    let deadline = started + configuration.transactionTimeout.milliseconds
    lastCommitStart = started
    let isOfTimersOnly = homes.allSatisfy { $0.batch.records == 0 && $0.batch.flushAt == nil }
    forgetBatch(of: configuration.flaws.contains(.deferredWorkForgotten) ? all : homes)
    var commit = CommitInFlight(
      sealed: [], started: started, startInstant: clock.now(), deadline: deadline)
    reportedAppendTime = nil
    do throws(KafkaError) {
      try producer.begin()
      try send(
        homes.filter { $0.pipeline.hasUncommittedWork || needsHeartbeat($0, started) }, into: &commit)
      if !isOfTimersOnly || !configuration.flaws.contains(.timersWithoutOffsets) {
        let isFlawed = configuration.flaws.contains(.idleOffsetsLeftOut)
        let sending = isFlawed ? commit.sealed.map(\.home) : all
        commit.offsets = try offsets(of: sending, without: deferred)
      }
    } catch {
      return try transactionFailed(error, doing: "sending a transaction")
    }
    for home in all where deferred.contains(home.partition) { home.batch.isDeferred = true }
    commit.isForDeliveries = isForDeliveries
    inFlight = commit
    try resumeFanOuts(of: homes)
    try driveCommit()
  }

  /// Nothing of those partitions is waiting for a commit any more.
  func forgetBatch(of homes: [HomePartition]) {
    for home in homes { home.batch = HomeBatch() }
    hasPolled = false
  }

  /// Whether a partition without work is to write a state record: so that its offsets and the transactional id do not
  /// expire, and to hear the broker's time.
  private func needsHeartbeat(_ home: HomePartition, _ now: Int64) -> Bool {
    switch home.phase {
    case .verifyingClock: true
    case .running where configuration.flaws.contains(.noHeartbeat): false
    case .running:
      now - home.lastCommit
        >= (areTimersStopped ? Self.clockQuestionInterval : configuration.heartbeatInterval.milliseconds)
    case .assigned, .restoringState, .loadingTables: false
    }
  }

  /// Hands everything over that those partitions have written.
  ///
  /// The client registers a topic's partition with the transaction when its first record comes. One request after another
  /// registers what has come since the one before, and for each the client's main thread waits busily for a millisecond.
  /// So the first records come first, and all in that time: values are not copied.
  private func send(_ homes: [HomePartition], into commit: inout CommitInFlight) throws(KafkaError) {
    defer { for home in homes { home.outbox.removeAll() } }
    for home in homes {
      home.pipeline.takeOutbox(into: &home.outbox)
      home.outbox.leaveBytes { producer.keep($0) }
    }
    for home in homes { try send(.first, of: home, into: &commit) }
    for home in homes { try sendLogs(of: home, into: &commit) }
    for home in homes { try send(.rest, of: home, into: &commit) }
  }

  private func send(
    _ part: Outbox.Part, of home: HomePartition, into commit: inout CommitInFlight
  ) throws(KafkaError) {
    let deadline = commit.deadline
    try home.outbox.forEach(part) { (record) throws(KafkaError) in
      if record.eventAppended > 0, let channel = record.topic.channel {
        commit.delivered[channel, default: []].append(record.eventAppended)
      }
      try produce(
        OutgoingRecord(
          topicIndex: Int(record.topic.rawValue), partition: record.partition, key: record.key,
          value: record.value, headers: record.headers, isValueKept: true), deadline: deadline)
    }
  }

  private func sendLogs(of home: HomePartition, into commit: inout CommitInFlight) throws(KafkaError) {
    let deadline = commit.deadline
    if let decisions = home.pipeline.takeDecisions() {
      let kept = producer.keep(decisions)
      try withHeader(Self.decisionsContentType) { (headers) throws(KafkaError) in
        try produce(
          OutgoingRecord(
            topicIndex: configuration.decisionsTopicIndex, partition: home.partition, key: nil,
            value: kept, headers: headers, isValueKept: true), deadline: deadline)
      }
    }
    var stateRecord = OutputBuffer.ofBatch()
    let sealed = home.pipeline.seal(into: &stateRecord)
    home.reportedStateOffset = nil
    #if TIDINGS_FLAWS
      spoil(sealed, of: home, &stateRecord)
    #endif
    let kept = producer.keep(stateRecord)
    try produce(
      OutgoingRecord(
        topicIndex: configuration.stateTopicIndex, partition: home.partition, key: nil, value: kept,
        tag: UInt64(home.partition) + 1, isValueKept: true), deadline: deadline)
    commit.sealed.append((home, sealed))
    takeSlice(of: home, recordBytes: kept.count)
    observer?.sealed(sealed, home.pipeline, in: home.partition)
  }

  /// The media type of a JSON array of events (CloudEvents 1.0 JSON format, §4).
  private static var decisionsContentType: HeaderView {
    HeaderView(name: ByteView("content-type"), value: ByteView("application/cloudevents-batch+json"))
  }

  private func withHeader(
    _ header: HeaderView, _ body: (UnsafeBufferPointer<HeaderView>) throws(KafkaError) -> Void
  ) throws(KafkaError) {
    let outcome = withUnsafePointer(to: header) { pointer in
      Result { () throws(KafkaError) in try body(UnsafeBufferPointer(start: pointer, count: 1)) }
    }
    try outcome.get()
  }

  /// A full queue is back-pressure: the broker takes what is there, then there is room.
  private func produce(_ record: OutgoingRecord, deadline: Int64) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        return try producer.produce(record)
      } catch {
        guard error.code == .queueFull, monotonic < deadline else { throw error }
        producer.poll()
        Thread.yieldProcessor()
      }
    }
  }

  private func offsets(
    of homes: [HomePartition], without deferred: Set<Int32>
  ) throws(KafkaError) -> ([PartitionOffset], any GroupMetadata) {
    let deferred = configuration.flaws.contains(.deferredPositionsSent) ? [] : deferred
    let offsets = homes.flatMap { home in
      let positions =
        deferred.contains(home.partition) ? home.pipeline.confirmedPositions : home.pipeline.positions
      return InputTopic.allCases.map {
        PartitionOffset(topicPartition($0, home.partition), offset: positions[$0])
      }
    }
    var group = try consumer.groupMetadata()
    #if TIDINGS_FLAWS
      group = flawedMetadata(group)
    #endif
    return (offsets, group)
  }

  /// The records that go on are read again, for their next part.
  private func resumeFanOuts(of homes: [HomePartition]) throws {
    for home in homes {
      for topic in InputTopic.allCases where home.waitingTopics.contains(topic) {
        let partition = topicPartition(topic, home.partition)
        try kafka("continuing a record") { () throws(KafkaError) in
          try consumer.seek([PartitionOffset(partition, offset: home.pipeline.positions[topic])])
          try consumer.resume([partition])
        }
      }
      home.waitingTopics = []
    }
  }

  // MARK: - Drive

  /// Drives the commit under way on, without waiting.
  func driveCommit() throws { try driveCommit(timeout: .zero) }

  /// Drives the commit under way to its outcome.
  func settleCommit() throws {
    while inFlight != nil { try driveCommit(timeout: .milliseconds(100)) }
  }

  func driveCommit(timeout: Duration) throws {
    guard let commit = inFlight else { return }
    let progress: CommitProgress
    do throws(KafkaError) {
      progress = try drive(commit.offsets, timeout: timeout)
    } catch {
      if error.disposition == .retry, monotonic <= commit.deadline { return }
      inFlight = nil
      return try transactionFailed(error, doing: "committing a transaction")
    }
    switch progress {
    case .committed: try confirmed(commit)
    case .pending:
      guard monotonic > commit.deadline else { return }
      try configuration.flaws.contains(.unknownCountsAsCommitted) ? confirmed(commit) : outcomeUnknown()
    }
  }

  /// - Parameter offsets: what is still to be sent before.
  private func drive(
    _ offsets: (positions: [PartitionOffset], group: any GroupMetadata)?, timeout: Duration
  ) throws(KafkaError) -> CommitProgress {
    guard let offsets else { return try producer.commit(timeout: timeout) }
    guard try producer.sendOffsets(offsets.positions, group: offsets.group, timeout: timeout) else {
      return .pending
    }
    inFlight?.offsets = nil
    return try producer.commit(timeout: .zero)
  }

  private func confirmed(_ commit: CommitInFlight) throws {
    inFlight = nil
    refusals = 0
    let now = monotonic
    lastCommitEnd = now
    compareClocks(since: commit.startInstant)
    // One that was held up by an outage says nothing of what the next one takes.
    let time = min(now - commit.started, Self.longestSpacing)
    transactionTime = (transactionTime * 7 + time) / 8
    if commit.isForDeliveries {
      commitDivision.confirmed(after: now - commit.started, taken: commit.sealed.count)
    }
    for (home, sealed) in commit.sealed {
      let before = home.pipeline.confirmedCounters
      let rejections = home.pipeline.confirmedRejections
      let engagements = home.pipeline.confirmedEngagements
      home.pipeline.confirm()
      observer?.confirmed(in: home.partition)
      home.lastCommit = now
      home.stateRecordOffset = home.reportedStateOffset
      if let offset = home.reportedStateOffset {
        home.statePosition = offset + 1
        if sealed.startsCheckpoint { home.checkpointStart = offset }
        if sealed.endsCheckpoint, let start = home.checkpointStart,
          !configuration.flaws.contains(.noTruncation)
        {
          truncation.truncate(
            TopicPartition(topic: configuration.stateTopic, partition: home.partition), before: start)
        }
      }
      keepSlice(of: home, endsCheckpoint: sealed.endsCheckpoint)
      metrics.count(from: before, to: home.pipeline.confirmedCounters)
      countLate(from: before, to: home.pipeline.confirmedCounters)
      metrics.countRejections(from: rejections, to: home.pipeline.confirmedRejections)
      metrics.countEngagements(from: engagements, to: home.pipeline.confirmedEngagements)
    }
    metrics.transaction(.committed, milliseconds: now - commit.started)
    for (channel, appendTimes) in commit.delivered {
      metrics.delivered(appendTimes, on: channel, now: instants.wallMilliseconds)
    }
    for (home, _) in commit.sealed where home.phase == .verifyingClock && !isRevoking { try decide(home) }
    publishStatus(force: true)
  }

  // MARK: - Register

  /// Fences the predecessors of this transactional id and settles what they left open: nothing is restored or sent
  /// before. Without a broker it goes on trying; the client says once what it cannot reach.
  ///
  /// - Returns: whether it is done; if not, ask again.
  func register(patience: Duration) throws -> Bool {
    guard !isRegistered else { return true }
    do throws(KafkaError) {
      try producer.initTransactions(timeout: patience)
      isRegistered = true
    } catch {
      guard error.disposition == .retry else {
        throw ProcessorFault.kafka(error, doing: "registering the transactional id \(transactionalID)")
      }
      logger.warning("waiting for the brokers at \(cluster.bootstrapServers): \(error.message)")
    }
    return isRegistered
  }

  // MARK: - Reports

  /// Where the broker put a state record. A pipeline may be at work: it is not for here.
  package func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
    guard case .success(let metadata) = result else { return }
    homes[partition]?.reportedStateOffset = metadata.offset
    // The embedded cluster's reports name an instant that means nothing.
    if !cluster.isEmbedded { reportedAppendTime = metadata.appendedMilliseconds }
  }
}

extension Thread {
  /// Leaves the processor to the client's own threads for a moment: they are what is waited for.
  static func yieldProcessor() { sched_yield() }
}
