import Contract
import Kafka
import Pipeline

/// Records from the input topics into the state machines of their home partitions.
extension Worker {
  /// Polls at least once, so that the group is served, and then until the batch is full or nothing is at hand.
  ///
  /// - Returns: whether anything was at hand.
  func consume(timeout: Duration) throws -> Bool {
    hasPolled = true
    var wait = timeout
    var room = room
    var now: Int64?
    for number in 0..<Self.recordsPerTurn {
      let event = consumer.poll(timeout: wait)
      if let callbackFault { throw callbackFault }
      wait = .zero
      let instant = now ?? clock.now()
      now = instant
      switch event {
      case .none: return number > 0
      case .record(let record):
        room -= try take(record, now: instant)
        if room <= 0 { return true }
      case .endOfPartition(let topicIndex, let partition, let offset):
        try reachedEnd(topicIndex: topicIndex, partition: partition, offset: offset)
      case .error(let error): try consumerFailed(error)
      }
    }
    return true
  }

  /// - Returns: the bytes that the record takes of the batch's room: more than all of it where its partition is full.
  private func take(_ record: ConsumedRecord, now: Int64) throws -> Int {
    guard let home = home(record.partition), let topic = InputTopic(topicIndex: record.topicIndex) else {
      return 0
    }
    // A client's clock decides nothing; and where this process's clock cannot be trusted, the broker's does.
    let timestamp = record.timestampMilliseconds
    let appended = record.isLogAppendTime ? timestamp : timestamp < 0 ? now : min(timestamp, now)
    let now = areTimersStopped ? appended : now
    let input = PartitionRecord(
      topic: topic, offset: record.offset, appended: appended,
      content: InputRecord(key: record.key, value: record.value, headers: record.headers))
    switch home.phase {
    case .running:
      guard !home.waitingTopics.contains(topic) else { return 0 }
      guard record.offset >= home.pipeline.positions[topic] else {
        try seekAgain(topic, of: home, from: record.offset)
        return 0
      }
      return try apply(input, to: home, now: now)
    case .loadingTables:
      guard let table = home.tables[topic], record.offset >= table.position else { return 0 }
      home.tables[topic]?.position = record.offset + 1
      home.restoredRecords += 1
      guard record.offset >= home.pipeline.positions[topic] else {
        home.pipeline.load(input, using: &codecs)
        return 0
      }
      // By its own clock: that of this process may not have been compared with the broker's yet.
      return try apply(input, to: home, now: home.pipeline.timerClock)
    case .assigned, .restoringState, .verifyingClock:
      // Fetched before the pause; it comes again with the seek that ends the restore.
      return 0
    }
  }

  /// librdkafka may lose a seek soon after an assignment, where the query for the assigned position is repeated behind it:
  /// all that the topic holds would be read, to be passed over.
  private func seekAgain(_ topic: InputTopic, of home: HomePartition, from offset: Int64) throws {
    let position = PartitionOffset(
      topicPartition(topic, home.partition), offset: home.pipeline.positions[topic])
    logger.info(
      "a record before the position came: seeking again",
      metadata: [
        "topic": "\(position.topicPartition.topic)", "partition": "\(home.partition)", "offset": "\(offset)",
        "position": "\(position.offset)",
      ])
    try kafka("seeking again") { () throws(KafkaError) in try consumer.seek([position]) }
  }

  /// - Returns: as `take`.
  private func apply(_ input: PartitionRecord, to home: HomePartition, now: Int64) throws -> Int {
    let before = home.pipeline.pendingBytes
    let progress: Pipeline.Progress
    do {
      progress = try home.pipeline.apply(input, now: now, using: &codecs)
    } catch let PipelineFault.foreignRecord(recipientHome) {
      throw ProcessorFault.foreignRecord(
        topic: configuration.topic(input.topic.name), partition: home.partition, offset: input.offset,
        home: recipientHome)
    }
    observer?.applied(input, now: now, progress: progress, in: home.partition)
    home.isAtEnd[input.topic.index] = false
    home.inputAges.consumed(input.topic, appended: input.appended)
    home.batch.noteWork(at: monotonic)
    home.batch.records += 1
    if progress == .again {
      // It goes on with the next transaction: the record is read again once this one is sealed.
      home.waitingTopics.insert(input.topic)
      try kafka("pausing for the rest of a record") { () throws(KafkaError) in
        try consumer.pause([topicPartition(input.topic, home.partition)])
      }
    }
    return hasReached(configuration.inputBytes, in: home) ? .max : home.pipeline.pendingBytes - before
  }

  private func reachedEnd(topicIndex: Int, partition: Int32, offset: Int64) throws {
    guard let home = home(partition), let topic = InputTopic(topicIndex: topicIndex) else { return }
    switch home.phase {
    case .running:
      guard !home.waitingTopics.contains(topic) else { return }
      home.isAtEnd[topic.index] = true
      home.inputAges.reachedEnd(topic, now: instants.wallMilliseconds)
      advance(home, topic, to: offset)
    case .loadingTables:
      guard let table = home.tables[topic] else { return }
      home.tables[topic]?.position = max(table.position, offset)
      home.isAtEnd[topic.index] = true
    case .assigned, .restoringState, .verifyingClock:
      return
    }
  }

  /// A position moved without a record: past a transaction's marker. That alone is committed once a second.
  func advance(_ home: HomePartition, _ topic: InputTopic, to offset: Int64) {
    guard offset > home.pipeline.positions[topic] else { return }
    home.pipeline.advance(topic, to: offset)
    observer?.advanced(topic, to: offset, in: home.partition)
    if home.batch.flushAt == nil { home.batch.flushAt = monotonic + 1000 }
  }

  private func consumerFailed(_ error: KafkaError) throws {
    if error.isFatal { throw ProcessorFault.kafka(error, doing: "consuming") }
    // The client reads no further in that partition.
    if error.code == .noOffset { return doubtInput(error) }
    logger.warning("consumer: \(error)")
  }
}

extension InputTopic {
  /// The position in the list of topics that the consumer subscribes to.
  var index: Int { Int(rawValue) }

  init?(topicIndex: Int) {
    guard let raw = UInt8(exactly: topicIndex), let topic = InputTopic(rawValue: raw) else { return nil }
    self = topic
  }
}
