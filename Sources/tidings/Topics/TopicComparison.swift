import Kafka

/// What a cluster has of the topics of a deployment, against what they have to be (design §1-5).
struct TopicComparison: Equatable {
  /// To be created.
  var missing: [NewTopic] = []
  /// Sentences about topics that are there and cannot be used as they are.
  var contradictions: [String] = []
  /// Sentences about settings that differ and may: somebody decided so.
  var differences: [String] = []
  /// Topics that are there.
  var presentCount = 0

  /// Compares the plan with what is there.
  ///
  /// - Parameter configuration: the settings in force of a topic.
  init(
    plan: [NewTopic], found: [TopicDescription],
    configuration: (_ topic: String) throws(KafkaError) -> [String: String]
  ) throws(KafkaError) {
    let topics = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
    for planned in plan {
      guard let topic = topics[planned.name] else {
        missing.append(planned)
        continue
      }
      presentCount += 1
      comparePartitions(of: topic, with: planned)
      let actual = try configuration(planned.name)
      for (setting, wanted) in planned.configuration.sorted(by: { $0.key < $1.key }) {
        compare(setting, of: planned.name, actual: actual[setting], wanted: wanted)
      }
    }
  }

  private mutating func comparePartitions(of topic: TopicDescription, with planned: NewTopic) {
    if topic.partitionCount != planned.partitionCount {
      contradictions.append(
        "\(topic.name) has \(topic.partitionCount) partitions, and topics.partitions is \(planned.partitionCount): "
          + "set topics.partitions to \(topic.partitionCount), or use another topics.prefix (a recipient's "
          + "partition follows from the number, which therefore cannot change)")
    }
    if let wanted = planned.replicationFactor, topic.replicationFactor != wanted {
      differences.append(
        "\(topic.name) has \(topic.replicationFactor) copies of each partition, and topics.replicationFactor is "
          + "\(wanted): change it with kafka-reassign-partitions")
    }
  }

  private mutating func compare(_ setting: String, of topic: String, actual: String?, wanted: String) {
    guard let actual, actual != wanted else { return }
    let sentence = "\(topic) has \(setting)=\(actual), and \(wanted) is needed"
    switch setting {
    case "max.message.bytes", "min.insync.replicas":
      // More is no harm.
      if let number = Int(actual), let needed = Int(wanted), number >= needed { return }
      contradictions.append(sentence + " at least: " + Self.remedy(topic, setting, wanted))
    case "segment.bytes":
      differences.append("\(sentence) for it to stay small on disk: " + Self.remedy(topic, setting, wanted))
    case "retention.ms" where wanted != "-1", "retention.bytes" where wanted != "-1":
      differences.append("\(topic) has \(setting)=\(actual) (default \(wanted)); left as it is")
    default:
      contradictions.append(sentence + ": " + Self.remedy(topic, setting, wanted))
    }
  }

  private static func remedy(_ topic: String, _ setting: String, _ value: String) -> String {
    "kafka-configs --alter --topic \(topic) --add-config \(setting)=\(value)"
  }
}
