import Kafka
import Pipeline

/// A transaction that fails: it is aborted, and its work is taken back; where nobody knows what became of it, all begins
/// anew from the state log.
extension Worker {
  /// Errors in the order of design §5.2: fatal, abortable, retriable (beyond its deadline), anything else fatal.
  func transactionFailed(_ error: KafkaError, doing: String) throws {
    switch error.disposition {
    case .fatal:
      throw ProcessorFault.kafka(error, doing: doing)
    case .abort:
      logger.warning("transaction aborted: \(error)")
      try abort(doing: doing)
    case .retry:
      try outcomeUnknown()
    }
  }

  private func abort(doing: String) throws {
    let deadline = monotonic + configuration.transactionTimeout.milliseconds
    while true {
      do {
        try producer.abort(timeout: .seconds(1))
        break
      } catch {
        switch error.disposition {
        case .retry where monotonic < deadline: continue
        case .retry, .abort: return try outcomeUnknown()
        case .fatal where error.code == .invalidTransactionState:
          // The coordinator has heard of nothing to abort, or has ended it: the client gives its producer up over that.
          logger.warning("\(error)")
          pauseBeforeNext()
          return try outcomeUnknown()
        case .fatal: throw ProcessorFault.kafka(error, doing: "\(doing), then aborting it")
        }
      }
    }
    metrics.transaction(.aborted)
    lastCommitStart = monotonic + Self.pauseAfterAbort
    try rollbackAll()
  }

  /// Who is refused without an end, as where access rules have changed, does not restore its state all the time.
  private func pauseBeforeNext() {
    lastCommitStart = monotonic + min(Self.pauseAfterAbort << refusals, Self.longestPauseAfterAbort)
    refusals = min(refusals + 1, 10)
  }

  /// Takes back what is not confirmed, and reads it again.
  private func rollbackAll() throws {
    inFlight = nil
    forgetBatch(of: ownedHomes)
    if configuration.flaws.contains(.noRollback) { return }
    var positions: [PartitionOffset] = []
    var waiting: [TopicPartition] = []
    var held: [TopicPartition] = []
    for home in ownedHomes where home.phase == .loadingTables {
      let tables = rollbackTables(of: home)
      positions += tables
      waiting += tables.map(\.topicPartition)
    }
    for home in ownedHomes where home.isRestored {
      for topic in InputTopic.allCases where home.waitingTopics.contains(topic) {
        waiting.append(topicPartition(topic, home.partition))
      }
      home.waitingTopics = []
      home.pipeline.rollback()
      if configuration.flaws.contains(.abortedSliceKept) { keepSlice(of: home, endsCheckpoint: false) }
      home.snapshot.rollback()
      observer?.rolledBack(home.pipeline, in: home.partition)
      for topic in InputTopic.allCases {
        home.isAtEnd[topic.index] = false
        positions.append(
          PartitionOffset(
            topicPartition(topic, home.partition), offset: home.pipeline.confirmedPositions[topic]))
      }
      let confirmed = home.pipeline.confirmedPositions
      guard home.tables.contains(where: { confirmed[$0.key] < $0.value.end }) else { continue }
      // Recipients and audiences whose records were taken back are read again before anything is decided.
      for topic in InputTopic.tables {
        home.tables[topic]?.position = confirmed[topic]
        home.tables[topic]?.start = confirmed[topic]
        // One that waited for the broker's time has paused them.
        waiting.append(topicPartition(topic, home.partition))
      }
      home.phaseStart = monotonic
      home.phase = .loadingTables
      for topic in InputTopic.allCases where !topic.isTable {
        held.append(topicPartition(topic, home.partition))
      }
    }
    guard !isRevoking else { return }
    try kafka("going back to the last confirmed positions") { () throws(KafkaError) in
      if !configuration.flaws.contains(.rollbackWithoutSeek) { try consumer.seek(positions) }
      try consumer.resume(waiting)
      try consumer.pause(held)
    }
  }

  /// Takes back what a partition has forwarded while its tables are read.
  ///
  /// - Returns: where the tables go on.
  private func rollbackTables(of home: HomePartition) -> [PartitionOffset] {
    home.waitingTopics = []
    home.pipeline.rollback()
    home.snapshot.rollback()
    observer?.rolledBack(home.pipeline, in: home.partition)
    return InputTopic.tables.map { topic in
      var table = home.tables[topic, default: TableReading()]
      table.position = min(table.position, home.pipeline.confirmedPositions[topic])
      table.start = min(table.start, table.position)
      home.tables[topic] = table
      home.isAtEnd[topic.index] = false
      return PartitionOffset(topicPartition(topic, home.partition), offset: table.position)
    }
  }

  /// Nobody knows whether the transaction is in: the producer goes, its successor's `initTransactions` settles it,
  /// and what is true is read from the group and the state log.
  func outcomeUnknown() throws {
    logger.error("the outcome of a transaction is unknown: starting over from the state log")
    metrics.transaction(.unknown)
    if configuration.flaws.contains(.producerReused) { return try rollbackAll() }
    observer?.outcomeUnknown()
    inFlight = nil
    forgetBatch(of: ownedHomes)
    producer.close()
    producer = try Self.makeProducer(cluster, configuration, transactionalID)
    producer.deliveryListener = self
    isRegistered = false
    frozen.removeAll()
    let partitions = homes.keys.sorted()
    for home in ownedHomes { home.snapshot.giveUp() }
    homes = [:]
    for partition in partitions { homes[partition] = makeHome(partition) }
    guard !isRevoking else { return }
    try kafka("pausing before a restore") { () throws(KafkaError) in try consumer.pause(assignedPartitions())
    }
  }
}
