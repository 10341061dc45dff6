import Logging

/// How every client of one cluster connects.
public struct ClientConfiguration: Sendable {
  /// `host:port,…` of some brokers of the cluster.
  public var bootstrapServers: String
  /// The `client.id` that brokers show in their logs and quotas.
  public var clientID: String
  /// Any other property of librdkafka by its name (`security.protocol`, `sasl.username`, …), except those that this
  /// module fixes.
  public var properties: [String: String]
  /// Where librdkafka's log goes.
  public var logger: Logger

  /// A configuration; checked when a ``LibrdkafkaCluster`` is made of it.
  public init(
    bootstrapServers: String, clientID: String = "tidings", properties: [String: String] = [:], logger: Logger
  ) {
    self.bootstrapServers = bootstrapServers
    self.clientID = clientID
    self.properties = properties
    self.logger = logger
  }

  /// Why a property cannot have a value, as a sentence without a full stop: the design fixes it, or librdkafka does not
  /// know it or cannot read the value. Nil where it can.
  public static func refusal(of property: String, value: String) -> String? {
    ClientProperties.refusal(ofFixed: property) ?? ConfigurationHandle().refusal(of: property, value)
  }
}
