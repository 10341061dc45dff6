import Contract
import Foundation
import Kafka
import Logging
import Pipeline
import Policy
import ServiceLifecycle
import Synchronization
import Testing

@testable import Processor

/// A cluster with the topics of a deployment, and what a test does around processors: publish, read back, wait.
///
/// The cluster is the embedded one, or a real one where `KAFKA_BOOTSTRAP_SERVERS` names it; then every harness has a
/// prefix of its own.
final class ProcessorHarness {
  let cluster: any KafkaCluster
  let prefix: String
  let partitionCount: Int
  var logger: Logger
  let catalog: Catalog

  static let catalogYAML = """
    unknownTypes: reject
    types:
      card.moved:
        category: cards
        title: "{{actor}} moved a card"
        channels:
          inapp: { policy: immediate }
          email: { policy: digest, window: 500ms, items: 3 }
    """

  static var bootstrapServers: String? { ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"] }

  init(partitionCount: Int = 4, catalogYAML: String = ProcessorHarness.catalogYAML) throws {
    var logger = Logger(label: "processor-tests")
    logger.logLevel =
      ProcessInfo.processInfo.environment["TIDINGS_TEST_LOG"].flatMap { Logger.Level(rawValue: $0) }
      ?? .warning
    self.logger = logger
    self.partitionCount = partitionCount
    catalog = try Catalog.parse(yaml: catalogYAML, file: "catalog.yaml")
    if let servers = Self.bootstrapServers {
      prefix = "test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
      cluster = try LibrdkafkaCluster(ClientConfiguration(bootstrapServers: servers, logger: logger))
    } else {
      prefix = "tidings"
      cluster = try EmbeddedCluster(logger: logger)
    }
    try cluster.admin.create(
      TopicPlan.topics(prefix: prefix, partitionCount: partitionCount, replicationFactor: 1),
      timeout: .seconds(30))
  }

  var configuration: ProcessorConfiguration {
    ProcessorConfiguration(prefix: prefix, partitionCount: Int32(partitionCount))
  }

  func topic(_ name: String) -> String { "\(prefix).\(name)" }

  // MARK: - Publish

  static func event(_ id: String, recipients: String) -> String {
    let name = recipients.contains(",") ? "recipients" : "recipient"
    return "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"card.moved\","
      + "\"\(name)\":\"\(recipients)\",\"actor\":\"zoe\",\"data\":{\"n\":1}}"
  }

  func publish(
    _ values: [String], to name: String = "events", keys: [String]? = nil,
    contentType: String = "application/cloudevents+json"
  ) async throws {
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic(name)]))
    defer { producer.close() }
    for (index, value) in values.enumerated() {
      let key = keys.map { Array($0[index].utf8) }
      _ = try await producer.send(
        ProducerRecord(
          topicIndex: 0, key: key, value: Array(value.utf8),
          headers: [ProducerRecord.Header("content-type", contentType)]))
    }
  }

  // MARK: - Run

  /// A processor that runs until `stop`.
  final class Running {
    let status = ProcessorStatus()
    private let trigger: GracefulShutdownTrigger
    private let task: Task<Void, any Error>
    private let ended = SharedError()

    /// - Parameter cluster: in place of the harness's, to fail where the test says so.
    init(
      _ harness: ProcessorHarness, cluster: (any KafkaCluster)? = nil,
      instants: any InstantSource = SystemInstants(), configure: (inout ProcessorConfiguration) -> Void
    ) {
      var configuration = harness.configuration
      configure(&configuration)
      let service = ProcessorService(
        cluster: cluster ?? harness.cluster, configuration: configuration, catalog: harness.catalog,
        instants: instants, status: status,
        logger: harness.logger)
      let group = ServiceGroup(services: [service], logger: harness.logger)
      trigger = GracefulShutdownTrigger(group)
      let ended = ended
      task = Task {
        do {
          try await group.run()
        } catch {
          ended.set(error)
          throw error
        }
      }
    }

    /// Throws the error that it ended with, if it did.
    func checkAlive() throws {
      if let error = ended.value { throw error }
    }

    /// Whether it has ended with an error.
    var hasEnded: Bool { ended.value != nil }

    /// Shuts down gracefully and waits for the end.
    func stop() async throws {
      await trigger.fire()
      try await task.value
    }

    /// The error that it ended with.
    func failure() async -> (any Error)? {
      do {
        try await task.value
        return nil
      } catch {
        return error
      }
    }
  }

  struct GracefulShutdownTrigger: Sendable {
    private let group: ServiceGroup

    init(_ group: ServiceGroup) { self.group = group }

    func fire() async { await group.triggerGracefulShutdown() }
  }

  func start(_ configure: (inout ProcessorConfiguration) -> Void = { _ in }) async throws -> Running {
    let running = Running(self, configure: configure)
    try await eventually("the processor decides") {
      try running.checkAlive()
      return running.status.isReady && running.status.runningPartitions > 0
    }
    return running
  }

  // MARK: - Read

  /// The values of a topic as a read_committed consumer sees them, up to the end as of now.
  func read(_ name: String) throws -> [(key: String?, value: String, headers: [String: String])] {
    let reader = try cluster.makeLogReader(LogReaderOptions(topics: [topic(name)], isolation: .readCommitted))
    defer { reader.close() }
    var ends: [Int32: Int64] = [:]
    for partition in 0..<Int32(partitionCount) {
      let range = try reader.watermarks(
        of: TopicPartition(topic: topic(name), partition: partition), timeout: .seconds(10))
      if range.high > range.low { ends[partition] = range.high }
    }
    try reader.assign(
      ends.keys.map {
        PartitionOffset(TopicPartition(topic: topic(name), partition: $0), offset: PartitionOffset.beginning)
      })
    var found: [(key: String?, value: String, headers: [String: String])] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while !ends.isEmpty {
      guard ContinuousClock.now < deadline else { throw TimedOut(what: "reading \(name)") }
      switch reader.poll(timeout: .milliseconds(100)) {
      case .none: continue
      case .record(let record):
        let headers = Dictionary(
          record.headers.map { ($0.name.string, $0.value?.string ?? "") }
        ) { first, _ in first }
        found.append((record.key?.string, record.value?.string ?? "", headers))
        if let end = ends[record.partition], record.offset + 1 >= end { ends[record.partition] = nil }
      case .endOfPartition(_, let partition, _): ends[partition] = nil
      case .error(let error): throw error
      }
    }
    return found
  }

  /// What a JSON object of a delivery says.
  func deliveries(_ channel: Channel) throws -> [[String: Any]] {
    try read("delivery.\(channel.name)").map { record in
      let object = try JSONSerialization.jsonObject(with: Data(record.value.utf8))
      return try #require((object as? [String: Any])?["data"] as? [String: Any])
    }
  }
}

/// An error that one task leaves for another.
final class SharedError: Sendable {
  private let error = Mutex<(any Error)?>(nil)

  var value: (any Error)? { error.withLock { $0 } }

  func set(_ value: any Error) { error.withLock { $0 = value } }
}

/// What did not happen in time.
struct TimedOut: Error, CustomStringConvertible {
  let what: String
  var description: String { "not within the time allowed: \(what)" }
}

/// Waits until a condition holds that something asynchronous brings about.
func eventually(
  _ what: String, within limit: Duration = .seconds(60), _ condition: () throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try !condition() {
    guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
    try await Task.sleep(for: .milliseconds(20))
  }
}
