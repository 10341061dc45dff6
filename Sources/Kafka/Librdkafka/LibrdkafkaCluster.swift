import CLibrdkafka

/// A cluster that is reached by librdkafka.
public struct LibrdkafkaCluster: KafkaCluster {
  /// The oldest librdkafka that this module works with: 2.0.2.
  static let oldestVersion: Int32 = 0x0200_02ff

  /// Always false: an embedded cluster is an ``EmbeddedCluster``.
  public var isEmbedded: Bool { false }
  /// `host:port,…`, as configured.
  public var bootstrapServers: String { clients.configuration.bootstrapServers }
  /// Looks at the cluster and arranges it.
  public var admin: any ClusterAdmin { librdkafkaAdmin }

  let clients: ClientFactory
  let librdkafkaAdmin: LibrdkafkaAdmin

  /// A cluster by its configuration. Connects to nothing yet.
  ///
  /// - Throws: ``KafkaError/Code/invalidArgument`` naming the property that is refused, by librdkafka or because the
  ///   design fixes it; ``KafkaError/Code/unsupported`` when librdkafka is older than 2.0.2.
  public init(_ configuration: ClientConfiguration) throws(KafkaError) {
    guard rd_kafka_version() >= Self.oldestVersion else {
      let version = String(cString: rd_kafka_version_str())
      throw KafkaError(.unsupported, message: "librdkafka \(version) is too old: 2.0.2 or later is needed")
    }
    guard !configuration.bootstrapServers.isEmpty else {
      throw KafkaError(
        .invalidArgument, message: "kafka.bootstrap.servers is empty: name some brokers (host:port,…)")
    }
    clients = ClientFactory(configuration)
    librdkafkaAdmin = LibrdkafkaAdmin(clients)
    // What librdkafka does not know, it says at once and not when the first client is made.
    var properties = ClientProperties(configuration)
    try properties.setUserProperties()
    _ = try properties.makeConfiguration()
  }

  /// A member of a group.
  public func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer {
    LibrdkafkaGroupConsumer(try clients.makeGroupClient(options))
  }

  /// A producer of transactions.
  public func makeTransactionalProducer(
    _ options: TransactionalProducerOptions
  ) throws(KafkaError) -> any TransactionalProducer {
    try LibrdkafkaTransactionalProducer(try clients.makeTransactionalClient(options), options)
  }

  /// A producer outside of transactions.
  public func makeIdempotentProducer(
    _ options: IdempotentProducerOptions
  ) throws(KafkaError) -> any IdempotentProducer {
    try LibrdkafkaIdempotentProducer(try clients.makeIdempotentClient(options), options)
  }

  /// A reader of explicit partitions.
  public func makeLogReader(_ options: LogReaderOptions) throws(KafkaError) -> any LogReader {
    try LibrdkafkaLogReader(try clients.makeReaderClient(options), topics: options.topics)
  }
}
