import Contract
import Foundation
import GRDB
import Kafka
import Logging
import Metrics
import MetricsTestKit
import ServiceLifecycle
import Synchronization
import Testing

@testable import Inbox

@Suite("The inbox's consumer, over an embedded cluster", .timeLimit(.minutes(2)))
struct InboxConsumerTests {
  private let directory: TemporaryDirectory
  private let cluster: EmbeddedCluster
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private let options = InboxConsumerOptions(prefix: "x")

  init() throws {
    directory = try TemporaryDirectory()
    cluster = try EmbeddedCluster(logger: logger)
    try cluster.createTopic("x.delivery.inapp", partitionCount: 2)
    try cluster.createTopic("x.delivery.inapp.dead-letter", partitionCount: 1)
  }

  private func produce(_ values: [[UInt8]?]) async throws {
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["x.delivery.inapp"]))
    for (index, value) in values.enumerated() {
      let record = ProducerRecord(
        topicIndex: 0, partition: Int32(index % 2), key: Array("ada".utf8), value: value)
      _ = try await producer.send(record)
    }
    producer.close()
  }

  /// Runs a consumer until `isDone`, then stops it gracefully.
  private func consume(
    _ store: InboxStore, factory: any MetricsFactory = TestMetrics(),
    onHealth: @escaping @Sendable (String?) -> Void = { _ in },
    until isDone: @escaping @Sendable (InboxConsumer) async throws -> Bool
  ) async throws -> InboxConsumerCounters {
    let consumer = InboxConsumer(
      cluster: cluster, store: store, signals: InboxSignals(), options: options, logger: logger,
      factory: factory, onHealth: onHealth)
    let group = ServiceGroup(
      services: [consumer], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask {
        while try await !isDone(consumer) { try await Task.sleep(for: .milliseconds(20)) }
        await group.triggerGracefulShutdown()
      }
      // The first error ends the other task, too.
      for try await _ in tasks {}
      return consumer.counters
    }
  }

  @Test("deliveries become rows, what cannot be read becomes a dead letter, and the group's lag is 0")
  func consume() async throws {
    let store = try InboxStore(path: directory.database)
    var values: [[UInt8]?] = try (0..<20).map { try Fixture.delivery($0, recipient: "r\($0 % 3)") }
    values.append(Array("no JSON".utf8))
    values.append(nil)
    values.append(try Fixture.delivery(90, channel: "email"))
    try await produce(values)
    let positions = Mutex<[Int32: Int64]>([:])
    _ = try await consume(store) { consumer in
      if consumer.isIdle { positions.withLock { $0 = consumer.counters.positions } }
      return consumer.isIdle && consumer.counters.rows + consumer.counters.deadLettered == 23
    }
    #expect(try store.notificationCount() == 20)
    #expect(positions.withLock { $0 } == [0: 12, 1: 11])
    // The embedded cluster answers a member's question for named partitions, not an admin's for all.
    let member = try cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: "x-inbox", offsetReset: .earliest))
    let places = (0..<2).map { TopicPartition(topic: "x.delivery.inapp", partition: $0) }
    let committed = try member.committed(places, timeout: .seconds(5))
    #expect(committed.map { $0?.offset } == [12, 11])

    let reader = try cluster.makeLogReader(
      LogReaderOptions(topics: ["x.delivery.inapp.dead-letter"], isolation: .readUncommitted))
    try reader.assign([
      PartitionOffset(
        TopicPartition(topic: "x.delivery.inapp.dead-letter", partition: 0), offset: PartitionOffset.beginning
      )
    ])
    var letters: [(value: String?, reason: String)] = []
    let deadline = ContinuousClock.now + .seconds(10)
    while letters.count < 3, ContinuousClock.now < deadline {
      guard case .record(let record) = reader.poll(timeout: .milliseconds(200)) else { continue }
      let reason = record.headers.first { $0.name.string == "tidings-reason" }?.value?.string ?? ""
      letters.append((record.value?.string, reason))
    }
    reader.close()
    #expect(letters.map(\.reason).sorted() == ["invalidAttribute", "notJSON", "tombstone"])
    #expect(letters.first { $0.reason == "notJSON" }?.value == "no JSON")
  }

  @Test("a dead letter that is too large for the topic goes cut, with its size")
  func largeDeadLetter() throws {
    let producer = try cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: ["x.delivery.inapp.dead-letter"], messageMaxBytes: 100_000))
    let letter = ProducerRecord(
      topicIndex: 0, key: nil, value: Array(repeating: 7, count: 200_000),
      headers: [.init("own", String(repeating: "h", count: 90_000)), .init("tidings-reason", "notJSON")])
    try InboxDeadLetters.send([letter], by: producer)
    producer.close()
    let reader = try cluster.makeLogReader(
      LogReaderOptions(topics: ["x.delivery.inapp.dead-letter"], isolation: .readUncommitted))
    let place = TopicPartition(topic: "x.delivery.inapp.dead-letter", partition: 0)
    try reader.assign([PartitionOffset(place, offset: PartitionOffset.beginning)])
    let deadline = ContinuousClock.now + .seconds(10)
    var found: (bytes: Int?, headers: [String])?
    while found == nil, ContinuousClock.now < deadline {
      guard case .record(let record) = reader.poll(timeout: .milliseconds(200)) else { continue }
      found = (record.value?.count, record.headers.map { "\($0.name.string)=\($0.value?.string ?? "")" })
    }
    reader.close()
    #expect(found?.bytes == InboxDeadLetters.keptBytes)
    #expect(found?.headers == ["tidings-reason=notJSON", "tidings-value-size=200000"])
  }

  @Test("a restart goes on where the database ends, whatever the group's offsets say")
  func restart() async throws {
    let store = try InboxStore(path: directory.database)
    try await produce(try (0..<10).map { try Fixture.delivery($0) })
    _ = try await consume(store) { $0.isIdle && $0.counters.rows == 10 }
    try await produce(try (10..<16).map { try Fixture.delivery($0) })
    let second = try await consume(store) { $0.isIdle && $0.counters.rows >= 6 }
    #expect(second.rows == 6)
    #expect(second.skipped == 0)
    // A database that lost its last transactions, as after a restore from a backup, reads them again.
    try await store.pool.write { database in
      try database.execute(sql: "DELETE FROM notification WHERE delivery >= ?", arguments: [Fixture.id(14)])
      try database.execute(sql: "UPDATE consumed SET next = next - 1")
    }
    let third = try await consume(store) { $0.isIdle && $0.counters.rows >= 2 }
    #expect(third.rows == 2)
    #expect(try store.notificationCount() == 16)
  }

  @Test("a database that is locked pauses the reading and says so; once it is free, nothing is missing")
  func locked() async throws {
    let store = try InboxStore(path: directory.database)
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: directory.database, configuration: configuration)
    try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    try await produce(try (0..<10).map { try Fixture.delivery($0) })
    let problems = Mutex<[String?]>([])
    let counters = try await consume(store) { problem in
      problems.withLock { $0.append(problem) }
    } until: { consumer in
      if consumer.counters.failedAttempts >= 1, problems.withLock({ $0.count }) == 1 {
        try await other.writeWithoutTransaction { database in
          if database.isInsideTransaction { try database.execute(sql: "ROLLBACK") }
        }
      }
      return consumer.isIdle && consumer.counters.rows == 10
    }
    #expect(counters.failedAttempts >= 1)
    let told = problems.withLock { $0 }
    #expect(told.count == 2)
    #expect(told.first??.contains("holds its lock") == true)
    #expect(told.last == .some(nil))
    #expect(try store.notificationCount() == 10)
  }

  @Test(
    "while the database refuses writes, the lag grows with the topic, also where all was read; then it is 0")
  func lagWhileLocked() async throws {
    let store = try InboxStore(path: directory.database)
    try await produce(try (0..<10).map { try Fixture.delivery($0) })
    _ = try await consume(store) { $0.isIdle && $0.counters.rows == 10 }
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: directory.database, configuration: configuration)
    try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    // The first partition has something to store, the second nothing.
    try await produce([try Fixture.delivery(10)])

    let registry = TestMetrics()
    let lag: @Sendable (_ unit: String, _ partition: Int) -> Double? = { unit, partition in
      let labels = [
        ("group", "x-inbox"), ("topic", "x.delivery.inapp"), ("partition", "\(partition)"),
      ]
      return try? registry.expectGauge("tidings_consumer_lag_\(unit)", labels).lastValue
    }
    let stage = Mutex(0)
    _ = try await consume(store, factory: registry) { consumer in
      switch stage.withLock({ $0 }) {
      case 0:
        guard consumer.counters.failedAttempts > 0, lag("records", 0) == 1, lag("records", 1) == 0 else {
          return false
        }
        try await produce(try (11..<15).map { try Fixture.delivery($0) })
        stage.withLock { $0 = 1 }
        return false
      case 1:
        guard lag("records", 0) == 3, lag("records", 1) == 2 else { return false }
        // What came meanwhile has waited for seconds, however long ago the record before it was.
        #expect(lag("seconds", 1).map { $0 < 60 } == true)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        stage.withLock { $0 = 2 }
        return false
      default:
        return consumer.isIdle && consumer.counters.rows == 5 && lag("records", 0) == 0
          && lag("records", 1) == 0 && lag("seconds", 0) == 0 && lag("seconds", 1) == 0
      }
    }
    #expect(try store.notificationCount() == 15)
  }

  @Test("the consumer says whether the group has given it partitions")
  func assignment() async throws {
    let store = try InboxStore(path: directory.database)
    let consumer = InboxConsumer(
      cluster: cluster, store: store, signals: InboxSignals(), options: options, logger: logger)
    #expect(!consumer.counters.isAssigned)
    let counters = try await consume(store) { $0.counters.isAssigned }
    #expect(!counters.isAssigned, "the group was left")
  }

  @Test("a database of another cluster is refused with both offsets")
  func foreign() async throws {
    let store = try InboxStore(path: directory.database)
    var batch = InboxBatch(topic: "x.delivery.inapp")
    batch.advance(partition: 0, to: 812)
    _ = try store.apply(batch)
    let error = await #expect(throws: InboxConsumerError.self) { try await consume(store) { _ in false } }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.contains("812") && words.contains("ends at 0") && words.contains("inbox.database"))
  }
}
