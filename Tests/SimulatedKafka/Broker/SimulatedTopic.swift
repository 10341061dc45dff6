import Kafka

/// A topic of the simulated cluster.
public final class SimulatedTopic {
  /// The name.
  public let name: String
  /// The settings it was created with.
  public let configuration: [String: String]
  /// Its partitions.
  public let partitions: [PartitionLog]

  init(_ topic: NewTopic) {
    name = topic.name
    configuration = topic.configuration
    let isLogAppendTime = topic.configuration["message.timestamp.type"] == "LogAppendTime"
    partitions = (0..<Int32(topic.partitionCount)).map {
      PartitionLog(TopicPartition(topic: topic.name, partition: $0), isLogAppendTime: isLogAppendTime)
    }
  }

  /// The largest batch that it takes (`max.message.bytes`).
  var maxMessageBytes: Int { configuration["max.message.bytes"].flatMap { Int($0) } ?? 1_048_588 }
}

extension SimulatedTopic {
  /// The settings that are known here, with Kafka's defaults.
  static let defaults = [
    "cleanup.policy": "delete", "max.message.bytes": "1048588", "message.timestamp.type": "CreateTime",
    "retention.ms": "604800000", "retention.bytes": "-1", "min.insync.replicas": "1",
    "segment.bytes": "1073741824",
  ]

  /// The settings in force, defaults included.
  var allSettings: [String: String] { Self.defaults.merging(configuration) { _, given in given } }

  /// Why a topic is refused; nil when it is not.
  static func problem(of topic: NewTopic, _ broker: SimulatedBroker) -> KafkaError? {
    if broker.topic(topic.name) != nil {
      return KafkaError(
        .topicAlreadyExists, message: "creating topic \(topic.name): it is there already")
    }
    let policies = (topic.configuration["cleanup.policy"] ?? "delete").split(separator: ",")
    let types = ["CreateTime", "LogAppendTime"]
    guard policies.allSatisfy({ ["compact", "delete"].contains($0) }),
      types.contains(topic.configuration["message.timestamp.type"] ?? types[0])
    else {
      return KafkaError(
        KafkaError.Code(rawValue: 40), message: "creating topic \(topic.name): a setting has no such value")
    }
    guard topic.partitionCount > 0 else {
      return KafkaError(
        KafkaError.Code(rawValue: 37), message: "creating topic \(topic.name): it needs a partition")
    }
    return nil
  }
}
