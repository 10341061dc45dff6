import Foundation
import KafkaTesting
import Synchronization
import Testing

@testable import Kafka

@Suite("Transactions")
struct TransactionTests {
  private let cluster: EmbeddedCluster

  init() throws {
    cluster = try EmbeddedCluster(logger: .silent)
    try cluster.createTopic("out", partitionCount: 1)
    try cluster.createTopic("wide", partitionCount: 4)
  }

  private final class Deliveries: DeliveryListener {
    var offsets: [UInt64: Int64] = [:]
    var failures: [UInt64: KafkaError] = [:]

    func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
      switch result {
      case .success(let metadata): offsets[tag] = metadata.offset
      case .failure(let error): failures[tag] = error
      }
    }
  }

  private func producer(_ id: String = "t", timeout: Duration = .seconds(10)) throws
    -> any TransactionalProducer
  {
    let producer = try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: id, topics: ["out", "wide"], transactionTimeout: timeout))
    try producer.initTransactions(timeout: .seconds(20))
    return producer
  }

  @Test("a commit with a time-out of zero is driven to its end without waiting, and its records are read")
  func resumedCommit() throws {
    let producer = try producer()
    try producer.begin()
    for index in 0..<2000 { try producer.produce(TextRecord(partition: 0, value: "\(index)")) }
    cluster.setRoundTripTime(.milliseconds(50))
    let deadline = Deadline()
    var calls = 1
    while try producer.commit(timeout: .zero) == .pending {
      try deadline.check("the commit")
      calls += 1
    }
    #expect(calls > 1, "the commit was not resumed")
    cluster.setRoundTripTime(.zero)
    let reader = try TestReader(cluster, topics: ["out"])
    #expect(try reader.values(2000) == (0..<2000).map { "\($0)" })
  }

  @Test("a transaction that fails while its records are produced is to be aborted, and the next one works")
  func failureWhileProducing() throws {
    let producer = try producer()
    // UNKNOWN_PRODUCER_ID, as the answer to AddPartitionsToTxn.
    cluster.failRequests(apiKey: 24, with: [KafkaError.Code(rawValue: 59)])
    try producer.begin()
    let deadline = Deadline()
    let error = try #require(throws: KafkaError.self) {
      while true {
        try deadline.check("the failure")
        try producer.produce(TextRecord(partition: 0, value: "lost"))
        producer.poll()
      }
    }
    #expect(error.disposition == .abort)
    try producer.abort(timeout: .seconds(20))
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "kept"))
    while try producer.commit(timeout: .milliseconds(100)) == .pending { try deadline.check("the commit") }
    let outside = #expect(throws: KafkaError.self) {
      try producer.produce(TextRecord(partition: 0, value: "outside"))
    }
    #expect(outside?.disposition == .fatal)
  }

  @Test("transactions follow one another closely without the stall of the default retry.backoff.ms")
  func closeTransactions() throws {
    let producer = try producer()
    let times = try (0..<50).map { index in
      let start = ContinuousClock.now
      try producer.begin()
      try producer.produce(TextRecord(topicIndex: 1, partition: Int32(index % 4), value: "v"))
      try producer.commitFully()
      return ContinuousClock.now - start
    }
    // Some may be slow on a busy machine, but a stall of 100 ms would be in each.
    #expect(times.sorted()[25] < .milliseconds(90), "\(times)")
  }

  @Test(
    "the offset of a tagged record is reported by the time its commit is confirmed; others are not reported")
  func deliveryTags() throws {
    let producer = try producer()
    let deliveries = Deliveries()
    producer.deliveryListener = deliveries
    try producer.begin()
    for index in 0..<10 {
      try producer.produce(TextRecord(partition: 0, value: "v"), tag: index % 2 == 0 ? 0 : UInt64(index))
    }
    try producer.commitFully()
    #expect(deliveries.offsets == [1: 1, 3: 3, 5: 5, 7: 7, 9: 9])
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"), tag: .max)
    try producer.commitFully()
    #expect(deliveries.offsets[.max] ?? 0 >= 10)
    #expect(deliveries.failures.isEmpty)
  }

  @Test("after an abort the next transaction works, and nothing unsent of the aborted one is written")
  func abort() throws {
    let producer = try producer()
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "aborted"))
    try producer.abort(timeout: .seconds(20))
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "kept"))
    try producer.commitFully()
    // The mock cluster shows records of aborted transactions if they were sent: only the last one is certain.
    for isolation in IsolationLevel.allCases {
      let reader = try TestReader(cluster, topics: ["out"], isolation: isolation)
      #expect(try reader.valuesToEnd().values.last == "kept")
    }
  }

  // The mock cluster forgets them: that they are there is for the conformance tests.
  @Test("offsets with a transaction, in the name of the group's member, are accepted")
  func sendOffsets() throws {
    let consumer = try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: "g", offsetReset: .error))
    let producer = try producer()
    try producer.begin()
    let position = PartitionOffset(TopicPartition(topic: "out", partition: 0), offset: 0)
    try producer.sendOffsets([position], group: try consumer.groupMetadata(), timeout: .seconds(20))
    try producer.commitFully()
  }

  @Test("offsets of which none is valid are refused, since the group would fence nobody")
  func noValidOffset() throws {
    let consumer = try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: "g", offsetReset: .error))
    let producer = try producer()
    try producer.begin()
    let position = PartitionOffset(TopicPartition(topic: "out", partition: 0), offset: -1001)
    for offsets in [[], [position]] {
      let error = #expect(throws: KafkaError.self) {
        try producer.sendOffsets(offsets, group: try consumer.groupMetadata(), timeout: .seconds(1))
      }
      #expect(error?.code == .invalidArgument)
    }
  }

  @Test("the metadata of another kind of cluster is refused")
  func foreignMetadata() throws {
    final class Foreign: GroupMetadata {}
    let producer = try producer()
    try producer.begin()
    let position = PartitionOffset(TopicPartition(topic: "out", partition: 0), offset: 1)
    let error = #expect(throws: KafkaError.self) {
      try producer.sendOffsets([position], group: Foreign(), timeout: .seconds(1))
    }
    #expect(error?.code == .invalidArgument)
  }

  @Test("a record out of a transaction is refused and may not be repeated")
  func outsideTransaction() throws {
    let producer = try producer()
    let error = #expect(throws: KafkaError.self) { try producer.produce(TextRecord(value: "v")) }
    #expect(error?.code == .wrongState && error?.disposition == .fatal)
  }

  // The numbers of the requests in Kafka's protocol.
  private enum APIKey {
    static let addPartitions: Int16 = 24
    static let endTransaction: Int16 = 26
  }

  @Test("a partition that the broker refuses makes the transaction abortable, and the next one works")
  func abortable() throws {
    let producer = try producer()
    let deliveries = Deliveries()
    producer.deliveryListener = deliveries
    let unauthorised = KafkaError.Code(rawValue: 29)
    cluster.failRequests(apiKey: APIKey.addPartitions, with: [unauthorised])
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"), tag: 1)
    let error = #expect(throws: KafkaError.self) { try producer.commitFully() }
    #expect(error?.disposition == .abort)
    try producer.abort(timeout: .seconds(20))
    #expect(deliveries.failures[1]?.code == .purgedFromQueue)
    #expect(deliveries.offsets.isEmpty)
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"))
    try producer.commitFully()
    #expect(try TestReader(cluster, topics: ["out"]).values(1) == ["v"])
  }

  @Test(
    "being fenced is fatal, at a commit too",
    arguments: [KafkaError.Code.producerFenced, .invalidProducerEpoch])
  func fenced(code: KafkaError.Code) throws {
    let producer = try producer()
    cluster.failRequests(apiKey: APIKey.endTransaction, with: [code])
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"))
    let error = #expect(throws: KafkaError.self) { try producer.commitFully() }
    #expect(error?.disposition == .fatal)
    #expect(error?.isFenced == true, "\(String(describing: error))")
  }

  @Test("memory is kept until its transaction has ended, and no longer")
  func keptMemory() throws {
    let producer = try producer()
    let client = try #require(producer as? LibrdkafkaTransactionalProducer).client
    for isCommitted in [true, false] {
      try producer.begin()
      try producer.produce(kept: TextRecord(partition: 0, value: "kept"))
      if isCommitted {
        cluster.setRoundTripTime(.milliseconds(50))
        #expect(try producer.commit(timeout: .zero) == .pending)
        #expect(client.context.keptMemory.byteCount == 4)
        cluster.setRoundTripTime(.zero)
        try producer.commitFully()
      } else {
        #expect(client.context.keptMemory.byteCount == 4)
        try producer.abort(timeout: .seconds(20))
      }
      #expect(client.context.keptMemory.byteCount == 0)
    }
  }

  @Test("a commit that the coordinator cannot take yet is pending, and goes through")
  func coordinatorLoading() throws {
    let producer = try producer()
    let loading = KafkaError.Code(rawValue: 14)
    cluster.failRequests(apiKey: APIKey.endTransaction, with: [loading, loading, loading])
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"))
    try producer.commitFully()
    #expect(try TestReader(cluster, topics: ["out"]).values(1) == ["v"])
  }

  @Test("a full queue is back-pressure inside of a transaction: after serving reports the rest goes in")
  func queueFull() throws {
    let configuration = ClientConfiguration(
      bootstrapServers: cluster.bootstrapServers, properties: ["queue.buffering.max.messages": "10"],
      logger: .silent)
    let producer = try LibrdkafkaCluster(configuration).makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: "full", topics: ["out"]))
    try producer.initTransactions(timeout: .seconds(20))
    try producer.begin()
    let deadline = Deadline()
    var refusals = 0
    for index in 0..<100 {
      while true {
        do throws(KafkaError) {
          try producer.produce(TextRecord(partition: 0, value: "\(index)"))
          break
        } catch {
          #expect(error.code == .queueFull && error.disposition == .retry)
          refusals += 1
          producer.poll()
        }
        try deadline.check("room in the queue")
      }
    }
    #expect(refusals > 0)
    try producer.commitFully()
    #expect(try TestReader(cluster, topics: ["out"]).values(100) == (0..<100).map { "\($0)" })
  }

  // librdkafka 2.0.2 asserts when a client is destroyed just while it registers a partition.
  @Test("while a commit is under way everything else is refused, and the producer may be dropped")
  func dropInCommit() throws {
    let producer = try producer()
    try producer.begin()
    try producer.produce(TextRecord(partition: 0, value: "v"))
    cluster.setRoundTripTime(.milliseconds(100))
    #expect(try producer.commit(timeout: .zero) == .pending)
    let errors = [
      #expect(throws: KafkaError.self) { try producer.begin() },
      #expect(throws: KafkaError.self) { try producer.produce(TextRecord(value: "v")) },
      #expect(throws: KafkaError.self) { try producer.abort(timeout: .zero) },
    ]
    #expect(errors.allSatisfy { $0?.code == .wrongState })
    producer.close()
  }

  // librdkafka 2.0.2 reports a commit as done that is under way when it is called with a time-out of 0 in a loop.
  @Test("a commit that is asked for in a tight loop, on busy cores, is done when it says so")
  func noFalseCommit() async throws {
    let isDone = Atomic(false)
    let busy = (0..<4).map { _ in Thread { while !isDone.load(ordering: .relaxed) {} } }
    for thread in busy { thread.start() }
    defer { isDone.store(true, ordering: .relaxed) }
    let producer = try producer()
    for round in 0..<40 {
      try producer.begin()
      for index in 0..<40 {
        try producer.produce(TextRecord(topicIndex: 1, partition: Int32(index % 4), value: "\(round)"))
      }
      let deadline = Deadline(.seconds(60))
      while try producer.commit(timeout: .zero) == .pending { try deadline.check("commit \(round)") }
    }
    isDone.store(true, ordering: .relaxed)
    let starts = (0..<4).map { PartitionOffset(TopicPartition(topic: "wide", partition: $0), offset: 0) }
    let values = try TestReader(cluster, topics: ["wide"], from: starts).values(1_600)
    let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counts == Dictionary(uniqueKeysWithValues: (0..<40).map { ("\($0)", 40) }))
  }

  @Test(
    "a producer may be closed or dropped in the midst of a transaction, at any moment",
    arguments: [true, false])
  func dropInTransaction(isClosed: Bool) throws {
    for _ in 0..<50 {
      let producer = try producer()
      try producer.begin()
      try producer.produce(TextRecord(partition: 0, value: "v"))
      if isClosed { producer.close() }
    }
  }

  @Test("a closed producer refuses everything")
  func closed() throws {
    let producer = try producer()
    try producer.begin()
    try producer.produce(TextRecord(value: "v"))
    producer.close()
    producer.close()
    producer.poll()
    #expect(throws: KafkaError.self) { try producer.produce(TextRecord(value: "v")) }
    #expect(throws: KafkaError.self) { try producer.commit(timeout: .zero) }
  }
}
