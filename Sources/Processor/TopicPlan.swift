import Kafka

/// The topics of a deployment, with the partitions and settings that the design needs.
public enum TopicPlan {
  /// The largest record of decisions and state: one record holds what a partition did between two commits.
  public static let logRecordLimit = 8 << 20
  /// The largest batch of the other topics. It bounds batches, not records: the client fills them up to 1,000,000
  /// bytes, whatever the size of a record.
  public static let batchLimit = 2 << 20
  /// A segment of the state topic, in bytes. A broker frees whole segments only, and never the one that is written
  /// to: this much of what a checkpoint has made superfluous stays on disk. It has to hold the largest record.
  public static let stateSegment = 16 << 20

  /// All topics.
  ///
  /// - Parameters:
  ///   - prefix: stands before every name, with a dot.
  ///   - partitionCount: P.
  ///   - replicationFactor: copies of each partition; with three or more, two have to have a record.
  public static func topics(prefix: String, partitionCount: Int, replicationFactor: Int) -> [NewTopic] {
    let week = "604800000"
    let month = "2592000000"
    let definitions: [(name: String, settings: [String: String])] = [
      ("events", ["retention.ms": week]),
      ("routed", ["retention.ms": week]),
      ("recipients", ["cleanup.policy": "compact"]),
      ("subscriptions", ["cleanup.policy": "compact"]),
      ("engagement", ["retention.ms": week]),
      (
        "state",
        [
          "retention.ms": "-1", "retention.bytes": "-1", "segment.bytes": "\(stateSegment)",
          "max.message.bytes": "\(logRecordLimit + (64 << 10))",
        ]
      ),
      ("decisions", ["retention.ms": month, "max.message.bytes": "\(logRecordLimit + (64 << 10))"]),
      ("rejected", ["retention.ms": month]),
      ("delivery.email", ["retention.ms": week]),
      ("delivery.email.dead-letter", ["retention.ms": month]),
      ("delivery.inapp", ["retention.ms": week]),
      ("delivery.inapp.dead-letter", ["retention.ms": month]),
    ]
    return definitions.map { definition in
      var settings = [
        "cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "\(batchLimit)",
      ]
      if replicationFactor >= 3 { settings["min.insync.replicas"] = "2" }
      settings.merge(definition.settings) { $1 }
      return NewTopic(
        name: "\(prefix).\(definition.name)", partitionCount: partitionCount,
        replicationFactor: replicationFactor, configuration: settings)
    }
  }
}
