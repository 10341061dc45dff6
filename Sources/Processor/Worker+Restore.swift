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
    let assigned = homes.values.filter { $0.phase == .assigned && $0.askAgainAt <= monotonic }
    let warm = assigned.filter(\.isWarm)
    let waiting = (warm.isEmpty ? assigned : warm).sorted { $0.partition < $1.partition }
    guard !waiting.isEmpty, try askGroupOffsets(of: waiting) else { return }
    for home in waiting {
      let partition = TopicPartition(topic: configuration.stateTopic, partition: home.partition)
      let (low, high) = try patiently("asking for the end of \(partition)") { () throws(KafkaError) in
        try offsetReader.watermarks(of: partition, timeout: .seconds(5))
      }
      if cluster.isEmbedded, low > 0 {
        throw ProcessorFault.state(
          .noBeginning, topic: configuration.stateTopic, partition: home.partition, offset: low)
      }
      if !home.isWarm || home.statePosition < low {
        home.pipeline.beginRestore()
        home.statePosition = low
        home.tablePosition = 0
        home.isWarm = false
      }
      home.stateStart = home.statePosition
      home.phase = .restoringState(end: high)
    }
    try assignStateReader()
    try finishStateRestores()
  }

  /// - Returns: whether the group's offsets are known. Where they are not yet (an open transaction holds them, the
  ///   coordinator moves), the question is to be put again a little later; the worker goes on with its other work.
  private func askGroupOffsets(of waiting: [HomePartition]) throws -> Bool {
    let partitions = waiting.flatMap { home in
      InputTopic.allCases.map { topicPartition($0, home.partition) }
    }
    let committed: [PartitionOffset?]
    do throws(KafkaError) {
      committed = try consumer.committed(partitions, timeout: Self.groupPatience)
    } catch {
      guard error.disposition == .retry else {
        throw ProcessorFault.kafka(error, doing: "asking for the offsets of \(configuration.groupID)")
      }
      logger.debug("asking for the offsets of \(configuration.groupID): \(error.message); asking again")
      for home in waiting { home.askAgainAt = monotonic + Self.groupPatience.milliseconds }
      return false
    }
    for (index, home) in waiting.enumerated() {
      home.groupOffsets = [:]
      for topic in InputTopic.allCases {
        let offset = committed[index * InputTopic.allCases.count + topic.index]
        home.groupOffsets[topic] = offset?.offset
      }
    }
    return true
  }

  /// Reads on in the state log and the recipients' table.
  func continueRestores() throws {
    guard homes.values.contains(where: { !$0.isRunning && $0.phase != .assigned }) else { return }
    var wait: Duration = .milliseconds(2)
    if homes.values.contains(where: { if case .restoringState = $0.phase { true } else { false } }) {
      reading: for _ in 0..<Self.recordsPerTurn {
        switch stateReader.poll(timeout: wait) {
        case .none: break reading
        case .record(let record): try restore(record)
        case .endOfPartition(_, let partition, let offset):
          guard let home = homes[partition], case .restoringState = home.phase else { continue }
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
    for home in homes.values {
      if case .loadingRecipients(let end) = home.phase, home.tablePosition >= end { try startDeciding(home) }
    }
  }

  /// The log lost its beginning while it was read: the last owner's truncation came late. Its whole checkpoint is
  /// behind that, so that reading anew from the new beginning gives the same state.
  private func restartRestores() {
    logger.notice("the state log was truncated while it was read: reading it anew")
    for home in homes.values {
      if case .restoringState = home.phase { home.phase = .assigned }
    }
  }

  /// What to say of input that is gone before it was consumed.
  func lostInput(_ error: KafkaError) throws -> ProcessorFault {
    for home in homes.values.sorted(by: { $0.partition < $1.partition }) {
      for topic in InputTopic.allCases {
        let partition = topicPartition(topic, home.partition)
        let position = home.pipeline.positions[topic]
        let low = try patiently("asking where \(partition) begins") { () throws(KafkaError) in
          try offsetReader.watermarks(of: partition, timeout: .seconds(5)).low
        }
        if position >= 0, position < low {
          return .lostInput(
            topic: partition.topic, partition: home.partition, position: position, low: low)
        }
      }
    }
    return .kafka(error, doing: "consuming")
  }

  private func restore(_ record: ConsumedRecord) throws {
    guard let home = homes[record.partition], case .restoringState = home.phase,
      record.offset >= home.statePosition
    else { return }
    do {
      let restored = try home.pipeline.restore(record.value ?? .empty)
      if restored.startsCheckpoint { home.checkpointStart = record.offset }
    } catch {
      throw ProcessorFault.state(
        error, topic: configuration.stateTopic, partition: home.partition, offset: record.offset)
    }
    home.statePosition = record.offset + 1
  }

  private func finishStateRestores() throws {
    var isAnyFinished = false
    for home in homes.values.sorted(by: { $0.partition < $1.partition }) {
      guard case .restoringState(let end) = home.phase, home.statePosition >= end else { continue }
      isAnyFinished = true
      let hasState: Bool
      do {
        hasState = try home.pipeline.endRestore()
      } catch {
        throw ProcessorFault.state(
          error, topic: configuration.stateTopic, partition: home.partition, offset: home.stateStart)
      }
      try settlePositions(of: home, hasState: hasState)
      try loadRecipients(of: home)
    }
    if isAnyFinished { try assignStateReader() }
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
        positions[topic] = try patiently("asking where \(partition) begins") { () throws(KafkaError) in
          try offsetReader.watermarks(of: partition, timeout: .seconds(5)).low
        }
      }
      home.pipeline.start(at: positions, epoch: makeEpoch(of: home.partition))
      return
    }
    for topic in InputTopic.allCases {
      let partition = topicPartition(topic, home.partition)
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
        let low = try patiently("asking where \(partition) begins") { () throws(KafkaError) in
          try offsetReader.watermarks(of: partition, timeout: .seconds(5)).low
        }
        guard position >= low else {
          throw ProcessorFault.lostInput(
            topic: partition.topic, partition: home.partition, position: position, low: low)
        }
      }
    }
  }

  /// The recipients' table is read to its end as of the assignment before anything is decided.
  private func loadRecipients(of home: HomePartition) throws {
    let partition = topicPartition(.recipients, home.partition)
    let (low, high) = try patiently("asking for the end of \(partition)") { () throws(KafkaError) in
      try offsetReader.watermarks(of: partition, timeout: .seconds(5))
    }
    if !home.isWarm { home.tablePosition = low }
    home.tablePosition = max(home.tablePosition, low)
    home.recipientsEnd = high
    guard home.tablePosition < high else { return try startDeciding(home) }
    home.phase = .loadingRecipients(end: high)
    try kafka("loading recipients from \(partition)") { () throws(KafkaError) in
      try consumer.seek([PartitionOffset(partition, offset: home.tablePosition)])
      try consumer.resume([partition])
    }
  }

  private func startDeciding(_ home: HomePartition) throws {
    home.phase = .running
    home.isWarm = true
    home.lastCommit = monotonic
    // Recipients' records behind the committed position were applied while the table was loaded.
    if workSince == nil, home.pipeline.hasUncommittedWork { workSince = monotonic }
    advance(home, .recipients, to: home.tablePosition)
    let partitions = InputTopic.allCases.map { topicPartition($0, home.partition) }
    try kafka("starting to decide") { () throws(KafkaError) in
      // The recipients' partition may have been read already: it is paused, so that the seek finds it at rest.
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
        "state-record": "\(home.pipeline.sequence)",
      ])
  }

  private func assignStateReader() throws {
    let restoring = homes.values.filter { if case .restoringState = $0.phase { true } else { false } }
    try kafka("reading \(configuration.stateTopic)") { () throws(KafkaError) in
      try stateReader.assign(
        restoring.map {
          PartitionOffset(
            TopicPartition(topic: configuration.stateTopic, partition: $0.partition), offset: $0.statePosition
          )
        })
    }
  }

  /// Repeats a question to the brokers as long as its error may pass. The pauses are short beside
  /// `max.poll.interval.ms`, and nothing is decided meanwhile.
  private func patiently<Result>(_ doing: String, _ body: () throws(KafkaError) -> Result) throws -> Result {
    var attempts = 0
    while true {
      do throws(KafkaError) {
        return try body()
      } catch {
        guard error.disposition == .retry, !control.isStopping else {
          throw ProcessorFault.kafka(error, doing: doing)
        }
        attempts += 1
        // New topics have no leader for a moment: that alone is not worth a line.
        if attempts % 50 == 0 { logger.warning("\(doing): \(error.message); still trying") }
        Thread.sleep(forTimeInterval: 0.1)
      }
    }
  }
}
