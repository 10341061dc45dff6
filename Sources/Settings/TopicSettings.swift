/// The topics: the section `topics`.
public struct TopicSettings: Equatable, Sendable {
  /// What all topics and groups begin with: `<prefix>.events`.
  public var prefix: String
  /// The number of home partitions, the P of the design.
  public var partitions: Int
  /// The copies of each partition; nil leaves it to the broker's `default.replication.factor`.
  public var replicationFactor: Int?

  static let prefix = SettingKey(
    "topics", "prefix", default: "tidings",
    .text("text", requirement: "1 to 100 of a-z, A-Z, 0-9, `.`, `_`, `-`") { isTopicName($0, 1...100) },
    """
    What the names of all topics and consumer groups begin with: `tidings.events`, `tidings-processor`. Two systems \
    on one cluster need two prefixes.
    """)
  static let partitions = SettingKey(
    "topics", "partitions", default: 16, .integer(1...1_000),
    """
    The number of home partitions of a system, chosen once: `tidings topics apply` creates the topics with it and \
    refuses to change it, since a recipient's partition follows from it.
    """)
  static let replicationFactor = SettingKey(
    optional: "topics", "replicationFactor", format: .integer(1...15),
    "The copies that `tidings topics apply` creates of each partition. Not set: as the broker's default says."
  )
}

/// Whether a text may stand in the name of a topic (Kafka: ASCII letters, digits, `.`, `_`, `-`).
func isTopicName(_ text: String, _ length: ClosedRange<Int>) -> Bool {
  length.contains(text.utf8.count)
    && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
}
