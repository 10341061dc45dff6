import Kafka
import KafkaTesting
import Testing

@Suite("Transactions on a real broker", Broker.isThere)
struct TransactionConformanceTests {
  private let limit: Duration = .seconds(30)

  private func producer(
    _ cluster: LibrdkafkaCluster, _ topic: String, id: String = Broker.unique("id")
  ) throws -> any TransactionalProducer {
    let producer = try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: id, topics: [topic]))
    try producer.initTransactions(timeout: limit)
    return producer
  }

  @Test("offsets sent in a transaction are unstable until it commits, and then what the group committed")
  func offsets() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let partition = TopicPartition(topic: topic, partition: 0)
    let group = Broker.unique("group")
    let consumer = try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: group, offsetReset: .error))
    let producer = try producer(cluster, topic)
    #expect(try consumer.committed([partition], timeout: limit) == [nil])
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"))
    let sent = PartitionOffset(partition, offset: 5, metadata: "m")
    try producer.sendOffsets([sent], group: try consumer.groupMetadata(), timeout: limit)
    let error = #expect(throws: KafkaError.self) {
      try consumer.committed([partition], timeout: .seconds(2))
    }
    #expect(error?.disposition == .retry)
    try producer.commitFully()
    #expect(try consumer.committed([partition], timeout: limit) == [sent])
    #expect(try cluster.admin.committedOffsets(ofGroup: group, timeout: limit) == [sent])
  }

  @Test("offsets of an aborted transaction are forgotten")
  func abortedOffsets() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let partition = TopicPartition(topic: topic, partition: 0)
    let consumer = try cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: Broker.unique("group"), offsetReset: .error))
    let producer = try producer(cluster, topic)
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"))
    try producer.sendOffsets(
      [PartitionOffset(partition, offset: 5)], group: try consumer.groupMetadata(), timeout: limit)
    try producer.abort(timeout: limit)
    #expect(try consumer.committed([partition], timeout: limit) == [nil])
  }

  @Test("a younger producer of the same id fences the older one, fatally, and finishes what it left open")
  func fencing() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let id = Broker.unique("id")
    let older = try producer(cluster, topic, id: id)
    try older.begin()
    try older.produce(TextRecord(partition: 0, value: "of the zombie"))
    let younger = try producer(cluster, topic, id: id)
    let error = #expect(throws: KafkaError.self) { try older.commitFully() }
    #expect(error?.disposition == .fatal)
    #expect(error?.isFenced == true, "\(String(describing: error))")
    try younger.begin()
    try younger.produce(TextRecord(partition: 0, value: "of the successor"))
    try younger.commitFully()
    #expect(try TestReader(cluster, topics: [topic]).valuesToEnd().values == ["of the successor"])
  }

  @Test("committed readers see neither aborted nor open transactions; uncommitted ones see all")
  func isolation() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let partition = TopicPartition(topic: topic, partition: 0)
    let deliveries = Deliveries()
    let producer = try producer(cluster, topic)
    producer.deliveryListener = deliveries
    for (index, value) in ["committed", "aborted", "open"].enumerated() {
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: value), tag: UInt64(index + 1))
      // Only what the broker has can be aborted or open there.
      let deadline = Deadline()
      while deliveries.offsets[UInt64(index + 1)] == nil {
        try deadline.check("the delivery of \(value)")
        producer.poll()
      }
      if value == "committed" { try producer.commitFully() }
      if value == "aborted" { try producer.abort(timeout: limit) }
    }
    // Offsets 1 and 3 are the markers.
    #expect(deliveries.offsets == [1: 0, 2: 2, 3: 4])
    let committed = try TestReader(cluster, topics: [topic]).valuesToEnd()
    #expect(committed == (["committed"], 4))
    let uncommitted = try TestReader(cluster, topics: [topic], isolation: .readUncommitted).valuesToEnd()
    #expect(uncommitted == (["committed", "aborted", "open"], 5))
    for (isolation, end) in [(IsolationLevel.readCommitted, Int64(4)), (.readUncommitted, 5)] {
      let reader = try TestReader(cluster, topics: [topic], isolation: isolation)
      #expect(try reader.reader.watermarks(of: partition, timeout: limit) == (0, end))
      let range = try cluster.admin.offsets(of: [partition], isolation: isolation, timeout: limit)
      #expect(range == [OffsetRange(topicPartition: partition, earliest: 0, latest: end)])
    }
    try producer.abort(timeout: limit)
  }

  @Test("the end of a partition lies behind the markers, so that committing it leaves no lag")
  func endBehindMarkers() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster)
    let partition = TopicPartition(topic: topic, partition: 0)
    let producer = try producer(cluster, topic)
    try producer.begin()
    for value in ["a", "b"] { try producer.produce(TextRecord(partition: 0, value: value)) }
    try producer.commitFully()
    let (values, end) = try TestReader(cluster, topics: [topic]).valuesToEnd()
    #expect(values == ["a", "b"])
    let range = try cluster.admin.offsets(of: [partition], isolation: .readCommitted, timeout: limit)
    #expect(end == 3 && range.first?.latest == end)
  }

  @Test("a commit with a time-out of zero is driven to its end over many partitions")
  func resumedCommit() throws {
    let cluster = try Broker.cluster()
    let topic = try Broker.createTopic(cluster, partitions: 16)
    let producer = try producer(cluster, topic)
    for round in 0..<20 {
      try producer.begin()
      for index in 0..<160 {
        try producer.produce(TextRecord(partition: Int32(index % 16), value: "\(round)"))
      }
      let deadline = Deadline()
      while try producer.commit(timeout: .zero) == .pending { try deadline.check("commit \(round)") }
    }
    let partitions = (0..<16).map { TopicPartition(topic: topic, partition: $0) }
    let ranges = try cluster.admin.offsets(of: partitions, isolation: .readCommitted, timeout: limit)
    // In each partition 10 records and a marker for each of 20 transactions.
    #expect(ranges.map(\.latest) == Array(repeating: 220, count: 16))
  }
}

private final class Deliveries: DeliveryListener {
  var offsets: [UInt64: Int64] = [:]

  func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
    offsets[tag] = try? result.get().offset
  }
}
