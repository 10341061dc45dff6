/// The connection to Kafka: the section `kafka`, whose keys are the properties of librdkafka.
public struct KafkaSettings: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
  /// The brokers to begin with, `host:port`, comma-separated.
  public var bootstrapServers: String
  /// Every other property by its librdkafka name. Secrets are among them: print the settings, not this.
  public var properties: [String: String]

  static let bootstrapServers = SettingKey(
    "kafka", "bootstrap.servers", default: "localhost:9092",
    .text("text", requirement: "host:port, several separated by commas") { text in
      text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { server in
        !server.isEmpty && !server.contains(where: \.isWhitespace)
      }
    },
    "The brokers to begin with.")

  /// Whether a property is one of those that hold a secret: passwords, client secrets, private keys.
  static func isSecret(_ property: String) -> Bool {
    ["password", "secret", "key.pem", "ssl_key", "oauthbearer.config", "jaas.config"].contains {
      property.lowercased().contains($0)
    }
  }

  /// The properties with secrets masked.
  var maskedProperties: [String: String] {
    var masked = properties
    for property in properties.keys where KafkaSettings.isSecret(property) { masked[property] = Secret.mask }
    return masked
  }

  /// The properties with secrets masked.
  public var description: String {
    let list = maskedProperties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return (["bootstrap.servers=\(bootstrapServers)"] + list).joined(separator: " ")
  }

  /// A mirror with secrets masked.
  public var customMirror: Mirror {
    Mirror(self, children: ["bootstrapServers": bootstrapServers, "properties": maskedProperties])
  }
}

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
