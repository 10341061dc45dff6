import Foundation
import Kafka
import Logging
import Testing

/// The real broker that the tests of this target run against.
enum Broker {
  /// From the environment: `host:port` of a broker where topics may be created.
  static let servers = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"]

  /// Skips a suite, saying why, where there is no broker.
  static var isThere: ConditionTrait {
    .enabled(if: servers != nil, "no real broker: set KAFKA_BOOTSTRAP_SERVERS to run the conformance tests")
  }

  /// A name that no other run uses.
  static func unique(_ name: String) -> String { "\(name)-\(UUID().uuidString.prefix(8).lowercased())" }

  /// The cluster.
  static func cluster() throws -> LibrdkafkaCluster {
    let servers = try #require(servers)
    let logger = Logger(label: "broker-tests") { _ in SwiftLogNoOpLogHandler() }
    return try LibrdkafkaCluster(ClientConfiguration(bootstrapServers: servers, logger: logger))
  }

  /// Creates a topic with a name of its own.
  static func createTopic(
    _ cluster: LibrdkafkaCluster, partitions: Int = 1, configuration: [String: String] = [:]
  ) throws -> String {
    let name = unique("conformance")
    try cluster.admin.create(
      [NewTopic(name: name, partitionCount: partitions, replicationFactor: 1, configuration: configuration)],
      timeout: .seconds(30))
    return name
  }
}
