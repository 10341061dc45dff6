import Foundation
import Kafka
import Logging
import ServiceLifecycle
import Testing

@testable import Inbox

private let broker = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"]

@Suite(
  "The inbox's consumer, over a real broker",
  .enabled(if: broker != nil, "KAFKA_BOOTSTRAP_SERVERS is not set"), .timeLimit(.minutes(2)))
struct InboxBrokerTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  @Test(
    "behind transaction markers, and over aborted deliveries, an idle inbox has lag 0 as Kafka's tools see it"
  )
  func idleLag() async throws {
    let directory = try TemporaryDirectory()
    let store = try InboxStore(path: directory.database)
    let cluster = try LibrdkafkaCluster(
      ClientConfiguration(bootstrapServers: try #require(broker), logger: logger))
    let prefix = "inbox-test-\(UUID().uuidString.prefix(8))"
    let options = InboxConsumerOptions(prefix: prefix)
    let topics = [options.topic, options.deadLetterTopic].map { NewTopic(name: $0, partitionCount: 2) }
    try cluster.admin.create(topics, timeout: .seconds(20))
    let producer = try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: prefix, topics: [options.topic]))
    try producer.initTransactions(timeout: .seconds(20))
    try transaction(producer, 0..<10, commits: true)
    try transaction(producer, 100..<110, commits: false)
    try transaction(producer, 10..<20, commits: true)

    let consumer = InboxConsumer(
      cluster: cluster, store: store, signals: InboxSignals(), options: options, logger: logger)
    let group = ServiceGroup(services: [consumer], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask {
        while !(consumer.isIdle && consumer.counters.rows == 20) {
          try await Task.sleep(for: .milliseconds(20))
        }
        await group.triggerGracefulShutdown()
      }
      for try await _ in tasks {}
    }
    producer.close()
    #expect(try store.notificationCount() == 20)
    let places = (0..<2).map { TopicPartition(topic: options.topic, partition: $0) }
    let ends = try cluster.admin.offsets(of: places, isolation: .readUncommitted, timeout: .seconds(10))
    let committed = try cluster.admin.committedOffsets(ofGroup: options.groupID, timeout: .seconds(10))
    #expect(committed.map(\.offset) == ends.map(\.latest))
    // Per partition ten committed deliveries, five aborted ones (and the last of all in the first), three
    // markers.
    #expect(ends.map(\.latest) == [19, 18])
  }

  private func transaction(
    _ producer: any TransactionalProducer, _ numbers: Range<Int>, commits: Bool
  ) throws {
    try producer.begin()
    for number in numbers {
      let record = ProducerRecord(
        topicIndex: 0, partition: Int32(number % 2), key: Array("ada".utf8),
        value: try Fixture.delivery(number))
      try record.withViews { (views) throws(KafkaError) in try producer.produce(views) }
    }
    guard commits else {
      // Only what reached the broker leaves a marker and a gap.
      try waitForDelivery(producer)
      return try producer.abort(timeout: .seconds(20))
    }
    while case .pending = try producer.commit(timeout: .seconds(20)) {}
  }

  /// Waits out the producer's linger, with its reports served.
  private func waitForDelivery(_ producer: any TransactionalProducer) throws {
    let reports = DeliveryCount()
    producer.deliveryListener = reports
    let last = ProducerRecord(topicIndex: 0, partition: 0, key: nil, value: try Fixture.delivery(999))
    try last.withViews { (views) throws(KafkaError) in
      try producer.produce(
        OutgoingRecord(topicIndex: 0, partition: 0, key: nil, value: views.value, tag: 1))
    }
    let deadline = ContinuousClock.now + .seconds(10)
    while !reports.isDone, ContinuousClock.now < deadline { producer.poll() }
    #expect(reports.isDone)
  }

  private final class DeliveryCount: DeliveryListener {
    var isDone = false
    func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
      isDone = true
    }
  }
}
