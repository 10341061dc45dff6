import Kafka
import KafkaTesting
import Testing

@Suite("Topics and groups on a real broker", Broker.isThere)
struct TopicConformanceTests {
  private let limit: Duration = .seconds(30)

  @Test("a topic has the settings it was created with, and its records the broker's time")
  func settings() async throws {
    let cluster = try Broker.cluster()
    let settings = [
      "message.timestamp.type": "LogAppendTime", "max.message.bytes": "400000", "retention.ms": "-1",
    ]
    let topic = try Broker.createTopic(cluster, partitions: 3, configuration: settings)
    let configuration = try cluster.admin.configuration(ofTopic: topic, timeout: limit)
    for (name, value) in settings { #expect(configuration[name] == value) }
    #expect(configuration["cleanup.policy"] == "delete", "defaults are included")
    let described = try cluster.admin.topics(timeout: limit).first { $0.name == topic }
    #expect(described == TopicDescription(name: topic, partitionCount: 3, replicationFactor: 1))

    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic]))
    _ = try await producer.send(TextRecord(partition: 0, value: "v").producerRecord)
    let reader = try TestReader(cluster, topics: [topic])
    let deadline = Deadline()
    while true {
      try deadline.check("the record")
      guard case .record(let record) = reader.poll(timeout: .milliseconds(50)) else { continue }
      #expect(record.isLogAppendTime && record.timestampMilliseconds > 0)
      return
    }
  }

  @Test("a topic that is there, and a setting that is none, are refused with the name of the topic")
  func refusedTopics() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let again = #expect(throws: KafkaError.self) {
      try cluster.admin.create(
        [NewTopic(name: topic, partitionCount: 1, replicationFactor: 1)], timeout: limit)
    }
    #expect(again?.code == .topicAlreadyExists && again?.message.contains(topic) == true)
    let name = Broker.unique("refused")
    let wrong = #expect(throws: KafkaError.self) {
      try cluster.admin.create(
        [NewTopic(name: name, partitionCount: 1, configuration: ["cleanup.policy": "sometimes"])],
        timeout: limit)
    }
    #expect(wrong?.message.contains(name) == true)
    let absent = #expect(throws: KafkaError.self) {
      try cluster.admin.configuration(ofTopic: name, timeout: limit)
    }
    #expect(absent?.code == .unknownTopicOrPartition)
  }

  @Test("deleted records are gone: the log begins behind them, and a position before it is an error event")
  func deleteRecords() async throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let partition = TopicPartition(topic: topic, partition: 0)
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic]))
    for value in 0..<10 {
      _ = try await producer.send(TextRecord(partition: 0, value: "\(value)").producerRecord)
    }
    let deleted = try cluster.admin.deleteRecords(
      before: [PartitionOffset(partition, offset: 7)], timeout: limit)
    #expect(deleted == [PartitionOffset(partition, offset: 7)])
    let reader = try TestReader(cluster, topics: [topic])
    #expect(try reader.valuesToEnd() == (["7", "8", "9"], 10))
    try reader.reader.assign([PartitionOffset(partition, offset: 3)])
    #expect(try reader.events { $0.last?.error != nil }.last?.error?.code == .noOffset)
  }

  @Test("batches stay within a topic's limit that leaves room for one record of the largest size")
  func batchSize() async throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster, configuration: ["max.message.bytes": "110000"])
    let producer = try cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: [topic], messageMaxBytes: 100_000, linger: .milliseconds(50)))
    var generator = SystemRandomNumberGenerator()
    // Random bytes do not compress: 40 records of 30 kB would be one batch of 1.2 MB by the default batch.size.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<40 {
        let value = (0..<30_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        group.addTask {
          _ = try await producer.send(ProducerRecord(topicIndex: 0, partition: 0, key: nil, value: value))
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("a topic that does not exist is an error event that names it, and the others are read")
  func missingTopic() async throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let absent = Broker.unique("absent")
    let member = try TestMember(
      cluster, GroupConsumerOptions(groupID: Broker.unique("group"), offsetReset: .error),
      topics: [topic, absent])
    let events = try member.events { events in events.contains { $0.error != nil } }
    let error = try #require(events.compactMap(\.error).first)
    #expect(error.code == .unknownTopicOrPartition)
    #expect(error.message.contains(absent))
    try member.awaitAssignment()
    try member.consumer.close()
  }

  @Test("what is committed inside of a revoke, in the midst of a poll, is what the next owner begins with")
  func commitInRevoke() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster, partitions: 2)
    let partition = TopicPartition(topic: topic, partition: 0)
    let options = GroupConsumerOptions(groupID: Broker.unique("group"), offsetReset: .error)
    let first = try TestMember(cluster, options, topics: [topic])
    try first.awaitAssignment()
    let position = PartitionOffset(partition, offset: 0, metadata: "from the revoke")
    first.beforeUnassign = { try $0.commit([position]) }
    let second = try TestMember(cluster, options, topics: [topic])
    let deadline = Deadline(.seconds(60))
    while second.assigned.isEmpty || first.assigned.count != 1 {
      try deadline.check("a rebalance")
      _ = first.poll(timeout: .milliseconds(20))
      _ = second.poll(timeout: .milliseconds(20))
    }
    #expect(first.failures.isEmpty, "\(first.failures)")
    #expect(try second.consumer.committed([partition], timeout: limit) == [position])
    first.beforeUnassign = nil
    try first.consumer.close()
    try second.consumer.close()
  }
}
