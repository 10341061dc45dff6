import Contract
import Foundation
import Kafka
import Pipeline

/// From an assignment to the first decision (design §5.4, §5.5), in steps between polls, so that the group keeps the
/// member however long it takes: the group's offsets, then the end of the state log without regard to transactions,
/// then the log itself read_committed up to there. Only then is the last owner's transaction surely in or out.
extension Worker {
  /// Begins the restores of what was assigned.
  ///
  /// The partitions that this worker had before come first, and alone: another's may be held by the transaction of a
  /// worker that died, which is no reason to hold up these.
  func startRestores() throws {
    let assigned = ownedHomes.filter {
      $0.phase == .assigned && $0.askAgainAt <= monotonic && isSnapshotRead($0)
    }
    let warm = assigned.filter(\.isWarm)
    let waiting = warm.isEmpty ? assigned : warm
    guard !waiting.isEmpty, try register(patience: Self.brokerPatience),
      let ends = try askOffsets(of: waiting)
    else { return }
    for home in waiting {
      let state = ends.state[home.partition, default: 0..<0]
      if cluster.isEmbedded, state.lowerBound > 0 {
        throw ProcessorFault.state(
          .noBeginning, topic: configuration.stateTopic, partition: home.partition, offset: state.lowerBound)
      }
      if !home.isWarm, let header = snapshotStart(of: home, within: state) {
        home.statePosition = header.offset
        home.checkpointStart = header.checkpointStart
        home.forgetTables()
      } else if !home.isWarm || !(state.lowerBound...state.upperBound).contains(home.statePosition) {
        // A log that ends before a known position was deleted and created again, or cut.
        home.pipeline.beginRestore()
        home.stateRecordOffset = nil
        home.checkpointStart = nil
        home.statePosition = state.lowerBound
        home.forgetTables()
        home.isWarm = false
      }
      home.superfluousBefore = nil
      for topic in InputTopic.tables {
        home.tables[topic, default: TableReading()].end = ends.tables[home.partition]?[topic] ?? 0
      }
      home.stateStart = home.statePosition
      home.restoreStart = monotonic
      home.phaseStart = monotonic
      home.restoredRecords = 0
      let isFlawed = home.isWarm && configuration.flaws.contains(.frozenWithoutCatchUp)
      home.phase = .restoringState(end: isFlawed ? home.statePosition : state.upperBound)
    }
    try assignStateReader()
    try finishStateRestores()
  }

  /// What has to be known of partitions before their logs are read.
  private struct Ends {
    /// The state logs, to the end without regard to transactions.
    var state: [Int32: Range<Int64>] = [:]
    /// The ends of the tables.
    var tables: [Int32: [InputTopic: Int64]] = [:]
  }

  /// The offsets of the group, and after them where the logs begin and end.
  ///
  /// - Returns: nil where they are not known yet (an open transaction holds the group's, a leader moves): the
  ///   question is to be put again a little later; the worker goes on with its other work.
  private func askOffsets(of waiting: [HomePartition]) throws -> Ends? {
    let inputs = waiting.flatMap { home in InputTopic.allCases.map { topicPartition($0, home.partition) } }
    let tables = waiting.flatMap { home in InputTopic.tables.map { topicPartition($0, home.partition) } }
    let logs = waiting.map { TopicPartition(topic: configuration.stateTopic, partition: $0.partition) }
    do throws(KafkaError) {
      let committed = try consumer.committed(inputs, timeout: Self.brokerPatience)
      // Not by a client that fetches: a broker answers a connection in order, behind its long polls.
      let ranges = try cluster.admin.offsets(
        of: inputs + logs,
        isolation: configuration.flaws.contains(.restoreToLastStableOffset)
          ? .readCommitted : .readUncommitted,
        timeout: Self.brokerPatience)
      let stable = try cluster.admin.offsets(
        of: tables, isolation: .readCommitted, timeout: Self.brokerPatience)
      var ends = Ends()
      for (index, home) in waiting.enumerated() {
        for topic in InputTopic.allCases {
          let place = index * InputTopic.allCases.count + topic.index
          home.groupOffsets[topic] = committed[place]?.offset
          home.inputStarts[topic] = ranges[place].earliest
          home.inputEnds[topic] = ranges[place].latest
        }
        let log = ranges[inputs.count + index]
        ends.state[home.partition] = log.earliest..<max(log.earliest, log.latest)
        for (number, topic) in InputTopic.tables.enumerated() {
          ends.tables[home.partition, default: [:]][topic] =
            stable[index * InputTopic.tables.count + number].latest
        }
      }
      return ends
    } catch {
      guard error.disposition == .retry else {
        throw ProcessorFault.kafka(
          error, doing: "asking for the offsets of \(configuration.groupID) and of its topics")
      }
      complainOfOffsets(error, waiting)
      for home in waiting { home.askAgainAt = monotonic + Self.brokerPatience.milliseconds }
      return nil
    }
  }

  /// What passes within some seconds, such as an open transaction, is nobody's business; what lasts is.
  private func complainOfOffsets(_ error: KafkaError, _ waiting: [HomePartition]) {
    let since = waiting.map(\.assignedAt).min() ?? monotonic
    guard monotonic - max(since, lastOffsetComplaint) >= 30_000 else {
      return logger.debug("asking for offsets: \(error.message); asking again")
    }
    lastOffsetComplaint = monotonic
    logger.warning(
      "the brokers do not say where partitions begin and end, so that they are not restored: \(error.message); asking again",
      metadata: ["partitions": "\(waiting.map(\.partition))"])
  }

  /// Reads on in the state log and the tables.
  func continueRestores() throws {
    guard ownedHomes.contains(where: { !$0.isRestored && $0.phase != .assigned }) else { return }
    var wait: Duration = .milliseconds(2)
    if ownedHomes.contains(where: \.isRestoringState) {
      var bytes = 0
      reading: while bytes < Self.restoreBytesPerTurn {
        switch stateReader.poll(timeout: wait) {
        case .none: break reading
        case .record(let record):
          bytes += 1024 + (record.value?.count ?? 0)
          try restore(record)
        case .endOfPartition(_, let partition, let offset):
          guard let home = home(partition), case .restoringState = home.phase else { continue }
          home.statePosition = max(home.statePosition, offset)
        case .error(let error):
          if error.isFatal { throw ProcessorFault.kafka(error, doing: "reading \(configuration.stateTopic)") }
          if error.code == .noOffset { return restartRestores() }
          logger.warning("state log: \(error)")
        }
        wait = .zero
      }
      try finishStateRestores()
    }
    for home in ownedHomes {
      if home.phase == .loadingTables, home.isTablesWhole { try startDeciding(home) }
    }
  }

  /// The log lost its beginning while it was read: the last owner's truncation came late. Its whole checkpoint is
  /// behind that, so that reading anew from the new beginning gives the same state.
  private func restartRestores() {
    logger.notice("the state log was truncated while it was read: reading it anew")
    for home in ownedHomes {
      guard case .restoringState = home.phase else { continue }
      home.phase = .assigned
      home.snapshot.loading = .untried
    }
  }

  private func restore(_ record: ConsumedRecord) throws {
    guard let home = home(record.partition), case .restoringState = home.phase,
      record.offset >= home.statePosition
    else { return }
    do {
      let restored = try home.pipeline.restore(record.value ?? .empty)
      if restored.startsCheckpoint { home.checkpointStart = record.offset }
      if restored.endsCheckpoint { home.superfluousBefore = home.checkpointStart }
    } catch {
      if restartWithoutSnapshot(home, because: error) { return }
      throw ProcessorFault.state(
        error, topic: configuration.stateTopic, partition: home.partition, offset: record.offset)
    }
    home.statePosition = record.offset + 1
    home.stateRecordOffset = record.offset
    home.snapshot.logBytes += Int64(record.value?.count ?? 0)
    home.restoredRecords += 1
  }

  private func finishStateRestores() throws {
    var isAnyFinished = false
    for home in ownedHomes {
      guard case .restoringState(let end) = home.phase, home.statePosition >= end else { continue }
      isAnyFinished = true
      let hasState: Bool
      do throws(StateFault) {
        hasState = try home.pipeline.endRestore()
        // A log that begins at an offset and holds nothing held a state once.
        if !hasState, home.stateStart > 0 { throw StateFault.noBeginning }
      } catch {
        if restartWithoutSnapshot(home, because: error) { continue }
        throw ProcessorFault.state(
          error, topic: configuration.stateTopic, partition: home.partition, offset: home.stateStart)
      }
      snapshotConfirmed(of: home)
      if disagreesForNow(home, hasState: hasState) { continue }
      try settlePositions(of: home, hasState: hasState)
      observer?.restored(home.pipeline, in: home.partition)
      try loadTables(of: home)
    }
    // Not at each that finishes: the reader would fetch anew what it holds of the others.
    if isAnyFinished, !ownedHomes.contains(where: \.isRestoringState) { try assignStateReader() }
  }

  /// Whether state and group disagree, and are to be asked again a little later.
  private func disagreesForNow(_ home: HomePartition, hasState: Bool) -> Bool {
    let disagrees = InputTopic.allCases.contains { topic in
      home.groupOffsets[topic].map { !hasState || $0 != home.pipeline.positions[topic] } ?? false
    }
    guard disagrees, home.disagreements < Self.disagreementsToVerify else {
      home.disagreements = 0
      return false
    }
    home.disagreements += 1
    home.isWarm = hasState
    home.phase = .assigned
    home.askAgainAt = monotonic + Self.brokerPatience.milliseconds
    return true
  }

  /// Header and group must agree. Where the group has no offset, the header stands: the group's offsets expire.
  private func settlePositions(of home: HomePartition, hasState: Bool) throws {
    guard hasState else {
      var positions = InputPositions()
      for topic in InputTopic.allCases {
        let partition = topicPartition(topic, home.partition)
        if let group = home.groupOffsets[topic] {
          throw ProcessorFault.disagreement(
            topic: partition.topic, partition: home.partition, state: nil, group: group)
        }
        positions[topic] = home.inputStarts[topic, default: 0]
      }
      home.pipeline.start(at: positions, epoch: makeEpoch(of: home.partition))
      return
    }
    for topic in InputTopic.allCases {
      let partition = topicPartition(topic, home.partition)
      if home.pipeline.positions[topic] < 0, home.groupOffsets[topic] == nil {
        // A version that did not read the topic wrote the state.
        let start = home.inputStarts[topic, default: 0]
        home.pipeline.begin(topic, at: start)
        logger.notice(
          "the state knows no position in a topic, and the group none either: it is read from its beginning",
          metadata: ["partition": "\(partition)", "offset": "\(start)"])
        continue
      }
      let position = home.pipeline.positions[topic]
      if let group = home.groupOffsets[topic] {
        guard group == position else {
          throw ProcessorFault.disagreement(
            topic: partition.topic, partition: home.partition, state: position, group: group)
        }
      } else if !cluster.isEmbedded {
        logger.notice(
          "the group has no offset for a partition; the state's stands",
          metadata: ["partition": "\(partition)", "offset": "\(position)"])
        let start = home.inputStarts[topic, default: 0]
        if configuration.flaws.contains(.expiredOffsetsStartOver) {
          var positions = home.pipeline.positions
          positions[topic] = start
          home.pipeline.start(at: positions, epoch: home.pipeline.epoch)
          continue
        }
        guard position >= start else {
          throw ProcessorFault.lostInput(
            topic: partition.topic, partition: home.partition, position: position, low: start)
        }
      }
    }
  }

  /// The tables are read to their ends as of the assignment before anything is decided.
  private func loadTables(of home: HomePartition) throws {
    var positions: [PartitionOffset] = []
    for topic in InputTopic.tables {
      var table = home.tables[topic, default: TableReading()]
      let start = home.inputStarts[topic, default: 0]
      table.position = home.isWarm ? max(table.position, start) : start
      table.start = table.position
      let flaw: Flaws = topic == .recipients ? .recipientsNotLoaded : .audiencesNotLoaded
      if configuration.flaws.contains(flaw) { table.end = table.position }
      home.tables[topic] = table
      if table.position < table.end {
        positions.append(PartitionOffset(topicPartition(topic, home.partition), offset: table.position))
      }
    }
    guard !positions.isEmpty else { return try startDeciding(home) }
    home.phaseStart = monotonic
    home.phase = .loadingTables
    try kafka("loading recipients and audiences of partition \(home.partition)") { () throws(KafkaError) in
      try consumer.seek(positions)
      try consumer.resume(positions.map(\.topicPartition))
    }
  }

  /// All is known. What was read to fill the tables may have brought the partition's first work.
  private func startDeciding(_ home: HomePartition) throws {
    home.isWarm = true
    home.lastCommit = monotonic
    truncateSuperfluous(of: home)
    for topic in InputTopic.tables { advance(home, topic, to: home.tables[topic]?.position ?? 0) }
    // What stopped the timers may be over since the last partition went away: whoever has none hears no time.
    guard !clockGuard.isVerified || areTimersStopped else { return try decide(home) }
    home.phase = .verifyingClock
    try kafka("waiting for the broker's time") { () throws(KafkaError) in
      try consumer.pause(InputTopic.tables.map { topicPartition($0, home.partition) })
    }
  }

  /// Whoever committed the end of a checkpoint may not have learned so, or not have lived to cut the log behind it.
  private func truncateSuperfluous(of home: HomePartition) {
    guard let start = home.superfluousBefore else { return }
    home.superfluousBefore = nil
    guard !configuration.flaws.contains(.noTruncation) else { return }
    truncation.truncate(
      TopicPartition(topic: configuration.stateTopic, partition: home.partition), before: start)
  }

  func decide(_ home: HomePartition) throws {
    try checkPersistedClocks(of: home)
    home.phase = .running
    observer?.decides(in: home.partition)
    // Records of a table behind the committed position were applied while it was loaded.
    if home.pipeline.hasUncommittedWork { home.batch.noteWork(at: monotonic) }
    let partitions = InputTopic.allCases.map { topicPartition($0, home.partition) }
    try kafka("starting to decide") { () throws(KafkaError) in
      // The tables' partitions may have been read already: they are paused, so that the seek finds them at rest.
      try consumer.pause(partitions)
      try consumer.seek(
        InputTopic.allCases.map {
          PartitionOffset(topicPartition($0, home.partition), offset: home.pipeline.positions[$0])
        })
      try consumer.resume(partitions)
    }
    logger.info(
      "partition decides",
      metadata: [
        "partition": "\(home.partition)", "ids": "\(home.pipeline.idCount)",
        "windows": "\(home.pipeline.openWindowCount)", "recipients": "\(home.pipeline.recipientCount)",
        "state-record": "\(home.pipeline.sequence)", "records-read": "\(home.restoredRecords)",
        "took": "\(monotonic - home.restoreStart) ms",
      ])
    publishStatus(force: true)
  }

  /// Says how far restores are that take long.
  func logRestores() {
    let now = monotonic
    let restoring = ownedHomes.filter { !$0.isRestored && now - $0.assignedAt >= Self.restoreLogInterval }
    guard !restoring.isEmpty, now - lastRestoreLog >= Self.restoreLogInterval else { return }
    lastRestoreLog = now
    for home in restoring {
      logger.info(
        "restoring",
        metadata: [
          "partition": "\(home.partition)", "phase": "\(home.phaseText)",
          "records": "\(home.restoredRecords)",
          "share": "\(Int(home.restoreProgress * 100)) %",
          "left": "\(home.restoreTimeLeft(now: now).map { "\($0 / 1000) s" } ?? "unknown")",
        ])
    }
  }

  private func assignStateReader() throws {
    let restoring = ownedHomes.filter(\.isRestoringState)
    try kafka("reading \(configuration.stateTopic)") { () throws(KafkaError) in
      try stateReader.assign(
        restoring.map {
          PartitionOffset(
            TopicPartition(topic: configuration.stateTopic, partition: $0.partition), offset: $0.statePosition
          )
        })
    }
  }
}
