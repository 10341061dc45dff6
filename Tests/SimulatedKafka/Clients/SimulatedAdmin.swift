import Kafka

/// The admin requests of a world.
final class SimulatedAdmin: ClusterAdmin, @unchecked Sendable {
  private unowned let process: SimulatedProcess

  init(_ process: SimulatedProcess) { self.process = process }

  private var broker: SimulatedBroker { process.world.broker }

  func topics(timeout: Duration) throws(KafkaError) -> [TopicDescription] {
    let broker = broker
    return try process.ask(.broker, timeout: timeout, "asking for the topics") { answer in
      answer(
        broker.topics.map {
          TopicDescription(name: $0.name, partitionCount: $0.partitions.count, replicationFactor: 1)
        })
    }
  }

  func configuration(ofTopic topic: String, timeout: Duration) throws(KafkaError) -> [String: String] {
    let broker = broker
    let found: SimulatedTopic? = try process.ask(
      .broker, timeout: timeout, "asking for the configuration of \(topic)"
    ) { answer in answer(broker.topic(topic)) }
    guard let found else {
      throw KafkaError(
        .unknownTopicOrPartition, message: "asking for the configuration of \(topic): there is no such topic")
    }
    return found.allSettings
  }

  func create(_ topics: [NewTopic], timeout: Duration) throws(KafkaError) {
    let broker = broker
    let failure: KafkaError? = try process.ask(.broker, timeout: timeout, "creating topics") { answer in
      var failure: KafkaError?
      for topic in topics {
        if let problem = SimulatedTopic.problem(of: topic, broker) {
          failure = failure ?? problem
        } else {
          broker.create(topic)
        }
      }
      answer(failure)
    }
    if let failure { throw failure }
  }

  func deleteRecords(
    before offsets: [PartitionOffset], timeout: Duration
  ) throws(KafkaError) -> [PartitionOffset] {
    var deleted: [PartitionOffset] = []
    for offset in offsets {
      guard let log = broker.log(offset.topicPartition) else {
        throw KafkaError(
          .unknownTopicOrPartition, message: "deleting records: \(offset.topicPartition) does not exist")
      }
      let start: Int64? = try process.ask(.partition(log), timeout: timeout, "deleting records") { answer in
        guard offset.offset <= log.endOffset else { return answer(nil) }
        log.deleteRecords(before: offset.offset == PartitionOffset.end ? log.endOffset : offset.offset)
        answer(log.startOffset)
      }
      guard let start else {
        throw KafkaError(
          .offsetOutOfRange, message: "deleting records: \(offset) is behind the end")
      }
      deleted.append(PartitionOffset(offset.topicPartition, offset: start))
    }
    return deleted
  }

  func offsets(
    of partitions: [TopicPartition], isolation: IsolationLevel, timeout: Duration
  ) throws(KafkaError) -> [OffsetRange] {
    var logs: [PartitionLog] = []
    for partition in partitions {
      guard let log = broker.log(partition) else {
        throw KafkaError(
          .unknownTopicOrPartition, message: "asking for the offsets of \(partition): it does not exist")
      }
      logs.append(log)
    }
    return try process.ask(
      .partitions(logs), timeout: timeout, "asking for the offsets of \(partitions.count) partitions"
    ) { answer in
      answer(
        logs.map {
          OffsetRange(topicPartition: $0.topicPartition, earliest: $0.startOffset, latest: $0.end(isolation))
        })
    }
  }

  func offsets(
    of partitions: [TopicPartition], since milliseconds: Int64, timeout: Duration
  ) throws(KafkaError) -> [Int64?] {
    let attempt = "asking for the offsets of \(partitions.count) partitions since an instant"
    var logs: [PartitionLog] = []
    for partition in partitions {
      guard let log = broker.log(partition) else {
        throw KafkaError(.unknownTopicOrPartition, message: "\(attempt): \(partition) does not exist")
      }
      logs.append(log)
    }
    return try process.ask(.partitions(logs), timeout: timeout, attempt) { answer in
      answer(
        logs.map { log in
          log.entries.first { $0.record != nil && $0.timestamp >= milliseconds }?.offset
        })
    }
  }

  func committedOffsets(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [PartitionOffset] {
    let groups = broker.groups
    let offsets: [PartitionOffset]? = try process.ask(
      .groupCoordinator, timeout: timeout, "asking for the offsets of group \(group)",
      shouldRepeat: { $0 == nil }
    ) { answer in
      guard let known = groups.group(group) else { return answer([]) }
      answer(known.offsets.isUnstable ? nil : known.offsets.committed)
    }
    return offsets ?? []
  }

  func members(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [GroupMember] {
    let groups = broker.groups
    return try process.ask(.groupCoordinator, timeout: timeout, "asking for the members of group \(group)") {
      answer in
      let members = groups.group(group)?.members ?? []
      answer(
        members.map {
          GroupMember(
            memberID: $0.id, clientID: $0.clientName, host: "simulated", groupInstanceID: $0.instanceID)
        })
    }
  }
}
