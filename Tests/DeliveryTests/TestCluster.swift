import Contract
import Foundation
import Kafka
import Logging
import Synchronization

@testable import Delivery

/// A delivery topic and its dead letters, and what tests do with them.
///
/// The cluster is an embedded one, or a real one where `KAFKA_BOOTSTRAP_SERVERS` names it; then the topics have a prefix
/// of their own.
struct TestCluster {
  let cluster: any KafkaCluster
  let partitionCount: Int
  let topic: String
  let group: String

  static var bootstrapServers: String? { ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"] }

  init(partitionCount: Int = 2) throws {
    if let servers = Self.bootstrapServers {
      let prefix = "test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
      let configuration = ClientConfiguration(bootstrapServers: servers, logger: Self.logger)
      try self.init(LibrdkafkaCluster(configuration), prefix: prefix, partitionCount: partitionCount)
    } else {
      try self.init(Self.embedded(), partitionCount: partitionCount)
    }
  }

  init(_ cluster: any KafkaCluster, prefix: String = "test", partitionCount: Int) throws {
    self.cluster = cluster
    self.partitionCount = partitionCount
    topic = "\(prefix).delivery.email"
    group = "\(prefix)-email"
    let topics = [
      NewTopic(name: topic, partitionCount: partitionCount),
      NewTopic(name: deadLetterTopic, partitionCount: 1),
    ]
    try cluster.admin.create(topics, timeout: .seconds(30))
  }

  /// A cluster that fails at will.
  static func embedded() throws -> EmbeddedCluster { try EmbeddedCluster(logger: logger) }

  private static var logger: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
  }

  var deadLetterTopic: String { "\(topic).dead-letter" }

  /// A runner with short waits.
  func runner(_ sink: some DeliverySink, _ change: (inout SinkOptions) -> Void = { _ in }) -> SinkRunner {
    var options = SinkOptions(
      channel: .email, topic: topic, group: group, concurrency: 4,
      retry: RetryPolicy(initialDelay: .milliseconds(20), maximumDelay: .milliseconds(50), attemptLimit: 3),
      outage: RetryPolicy(initialDelay: .milliseconds(20), maximumDelay: .milliseconds(50)),
      commitInterval: .milliseconds(50))
    change(&options)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return SinkRunner(cluster: cluster, sink: sink, options: options, logger: logger)
  }

  /// Produces values with their keys, in order; the partition is that of the key.
  func produce(_ records: [(key: String, value: [UInt8]?)]) async throws {
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic]))
    for record in records {
      _ = try await producer.send(
        ProducerRecord(
          topicIndex: 0, key: Array(record.key.utf8), value: record.value,
          headers: [ProducerRecord.Header("x-origin", "test")]))
    }
    producer.close()
  }

  /// Produces deliveries with ids that count up per recipient: `recipient-n`.
  func produceDeliveries(_ count: Int, recipients: [String]) async throws {
    try await produce(
      recipients.flatMap { recipient in
        (0..<count).map { (recipient, Self.delivery(id: "\(recipient)-\($0)", recipient: recipient)) }
      })
  }

  /// A record of the dead letters.
  struct DeadLetter {
    let key: String
    let value: [UInt8]?
    let headers: [String: String]
  }

  /// All dead letters.
  func deadLetters() throws -> [DeadLetter] {
    let reader = try cluster.makeLogReader(
      LogReaderOptions(topics: [deadLetterTopic], isolation: .readCommitted))
    defer { reader.close() }
    try reader.assign([
      PartitionOffset(
        TopicPartition(topic: deadLetterTopic, partition: 0), offset: PartitionOffset.beginning)
    ])
    var letters: [DeadLetter] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      switch reader.poll(timeout: .milliseconds(100)) {
      case .record(let record):
        let headers = record.headers.map { ($0.name.string, $0.value?.string ?? "") }
        letters.append(
          DeadLetter(
            key: record.key?.string ?? "", value: record.value.map { Array($0.buffer) },
            headers: Dictionary(headers) { _, last in last }))
      case .endOfPartition: return letters
      case .none, .error: continue
      }
    }
    throw TimedOut(what: "the end of the dead letters")
  }

  /// What the group has committed, by partition.
  func committed() throws -> [Int32: PartitionOffset] {
    let consumer = try cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: group, offsetReset: .error))
    let partitions = (0..<Int32(partitionCount)).map { TopicPartition(topic: topic, partition: $0) }
    let offsets = try consumer.committed(partitions, timeout: .seconds(10)).compactMap(\.self)
    try consumer.close()
    return Dictionary(offsets.map { ($0.topicPartition.partition, $0) }) { _, last in last }
  }

  /// The end of each partition.
  func ends() throws -> [Int32: Int64] {
    let partitions = (0..<Int32(partitionCount)).map { TopicPartition(topic: topic, partition: $0) }
    let ranges = try cluster.admin.offsets(of: partitions, isolation: .readCommitted, timeout: .seconds(10))
    return Dictionary(ranges.map { ($0.topicPartition.partition, $0.latest) }) { _, last in last }
  }

  /// The value of a delivery record.
  static func delivery(id: String, recipient: String, channel: String = "email") -> [UInt8] {
    Array(
      """
      {"specversion":"1.0","id":"\(id)","source":"tidings","type":"tidings.delivery.v1",
       "time":"2026-11-20T12:00:00Z","subject":"\(recipient)","datacontenttype":"application/json",
       "data":{"tenant":"default","recipient":"\(recipient)","channel":"\(channel)","kind":"single",
        "category":"c","type":"t","priority":"normal","address":"a@example.org","title":"x",
        "catalog":"0123456789abcdef","recipientRecord":null,"totals":{"events":1,"actors":1},
        "items":[{"source":"s","id":"e","type":"t","acceptedAt":"2026-11-20T12:00:00Z","data":{}}]}}
      """.utf8)
  }
}

struct TimedOut: Error { let what: String }

/// Waits until a condition holds; fails after a deadline.
func eventually(_ what: String, within limit: Duration = .seconds(30), _ condition: () throws -> Bool)
  async throws
{
  let deadline = ContinuousClock.now + limit
  while try !condition() {
    guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
    try await Task.sleep(for: .milliseconds(10))
  }
}

/// A sink in memory that keeps what it is given, and answers as the test says.
final class MemorySink: DeliverySink {
  private struct State {
    var attempts: [String: Int] = [:]
    var handedOver: [String: [String]] = [:]
    var inProgress: Set<String> = []
    var overlaps = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let answer: @Sendable (_ id: String, _ attempt: Int) async -> DeliveryOutcome
  private let closing: @Sendable () async -> Void

  /// - Parameters:
  ///   - answer: the outcome of an attempt (from 1) at a delivery.
  ///   - closing: what has to happen before it is closed.
  init(
    _ answer: @escaping @Sendable (_ id: String, _ attempt: Int) async -> DeliveryOutcome = { _, _ in
      .delivered(detail: "")
    },
    closing: @escaping @Sendable () async -> Void = {}
  ) {
    self.closing = closing
    self.answer = answer
  }

  func deliver(_ delivery: Delivery) async -> DeliveryOutcome {
    let attempt = state.withLock { state in
      if !state.inProgress.insert(delivery.recipient).inserted { state.overlaps += 1 }
      state.attempts[delivery.id, default: 0] += 1
      return state.attempts[delivery.id] ?? 1
    }
    let outcome = await answer(delivery.id, attempt)
    state.withLock { state in
      state.inProgress.remove(delivery.recipient)
      if case .delivered = outcome { state.handedOver[delivery.recipient, default: []].append(delivery.id) }
    }
    return outcome
  }

  func close() async {
    await closing()
    state.withLock { $0.isClosed = true }
  }

  /// The ids handed over, by recipient, in their order.
  var handedOver: [String: [String]] { state.withLock { $0.handedOver } }
  /// How many were handed over.
  var count: Int { state.withLock { $0.handedOver.values.reduce(0) { $0 + $1.count } } }
  /// How often each id was tried.
  var attempts: [String: Int] { state.withLock { $0.attempts } }
  /// How often a delivery began while another of the same recipient was in progress.
  var overlaps: Int { state.withLock { $0.overlaps } }
  var isClosed: Bool { state.withLock { $0.isClosed } }
}
