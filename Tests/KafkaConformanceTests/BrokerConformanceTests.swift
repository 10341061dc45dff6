import Foundation
import Kafka
import KafkaConformance
import Logging
import Testing

/// The real broker that these tests run against.
private enum Broker {
  /// From the environment: `host:port` of a broker where topics may be created.
  static let servers = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"]
}

@Suite(
  "What Tidings relies on, of a real broker",
  .enabled(
    if: Broker.servers != nil, "no real broker: set KAFKA_BOOTSTRAP_SERVERS to run the conformance tests"))
struct BrokerConformanceTests {
  @Test("each is so", .timeLimit(.minutes(5)))
  func behaves() async throws {
    let servers = try #require(Broker.servers)
    let results = await checkAll(lanes: 6) {
      let logger = Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
      let cluster = try LibrdkafkaCluster(ClientConfiguration(bootstrapServers: servers, logger: logger))
      return RealTimePlatform(cluster, patience: .seconds(30))
    }
    for case (let behaviour, let failure?) in results {
      Issue.record("\(behaviour.id): \(behaviour.statement): \(failure)")
    }
  }
}
