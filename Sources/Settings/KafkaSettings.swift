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
    ["password", "passphrase", "secret", "key.pem", "ssl_key", "oauthbearer.config", "jaas.config"].contains {
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
