import CLibrdkafka

/// The librdkafka properties of one client: what this module chose and lets be overridden, then the user's, then what
/// the design fixes. docs/kafka.md lists them with their reasons.
struct ClientProperties {
  /// Properties that are not the user's to set, each with what to do instead.
  static let fixed: [String: String] = [
    "bootstrap.servers": "set kafka.bootstrap.servers",
    "metadata.broker.list": "set kafka.bootstrap.servers",
    "client.id": "it is fixed",
    "group.id": "it comes from the topic prefix",
    "group.instance.id": "set instance",
    "transactional.id": "it comes from the topic prefix and instance",
    "transaction.timeout.ms": "it bounds how long a dead worker delays others",
    "session.timeout.ms": "it bounds how long a dead worker delays others",
    "enable.idempotence": "records would be lost or doubled",
    "enable.auto.commit": "offsets are committed with the work that they stand for",
    "enable.auto.offset.store": "offsets are committed with the work that they stand for",
    "auto.commit.interval.ms": "offsets are committed with the work that they stand for",
    "auto.commit.enable": "offsets are committed with the work that they stand for",
    "offset.store.method": "offsets are kept by the group",
    "auto.offset.reset": "each consumer chooses where to begin",
    "isolation.level": "each consumer needs its own",
    "enable.partition.eof": "positions behind transaction markers come from it",
    "partition.assignment.strategy": "companion partitions have to stay together",
    "partitioner": "home partitions depend on murmur2",
    "message.max.bytes": "set the limit of the record size",
    "retry.backoff.ms": "transactions that follow closely would stall",
    "test.mock.num.brokers": "use the embedded cluster of the demo",
    "delivery.report.only.error": "nobody would learn that a record is in its topic",
    "log.queue": "nobody would read the log",
  ]

  /// Why a property is not the user's to set; nil where it is.
  static func refusal(ofFixed name: String) -> String? { fixed[name].map { "cannot be set: \($0)" } }

  private(set) var values: [(name: String, value: String)] = []
  private let configuration: ClientConfiguration

  /// The properties that every client starts from.
  init(_ configuration: ClientConfiguration) {
    self.configuration = configuration
    set("log.connection.close", "false")
    set("reconnect.backoff.max.ms", "2000")
    set("socket.keepalive.enable", "true")
    // Requests are small and someone waits for each.
    set("socket.nagle.disable", "true")
  }

  /// Sets a property; what was set before is replaced.
  mutating func set(_ name: String, _ value: String) {
    values.removeAll { $0.name == name }
    values.append((name, value))
  }

  /// Sets the user's properties over those set so far.
  mutating func setUserProperties() throws(KafkaError) {
    for (name, value) in configuration.properties.sorted(by: { $0.key < $1.key }) {
      if let refusal = Self.refusal(ofFixed: name) {
        throw KafkaError(.invalidArgument, message: "kafka.\(name) \(refusal)")
      }
      set(name, value)
    }
    set("bootstrap.servers", configuration.bootstrapServers)
    set("client.id", configuration.clientID)
  }

  /// A configuration object with the properties.
  ///
  /// - Throws: an error that names the property which librdkafka refuses.
  func makeConfiguration() throws(KafkaError) -> ConfigurationHandle {
    let handle = ConfigurationHandle()
    for (name, value) in values {
      try handle.set(name, value)
    }
    return handle
  }
}

/// Owns a configuration object until a client takes it over.
struct ConfigurationHandle: ~Copyable {
  let pointer: OpaquePointer

  init() { pointer = rd_kafka_conf_new() }

  deinit { rd_kafka_conf_destroy(pointer) }

  func set(_ name: String, _ value: String) throws(KafkaError) {
    guard let refusal = refusal(of: name, value) else { return }
    throw KafkaError(.invalidArgument, message: "kafka.\(name) \(refusal)")
  }

  /// Sets a property, or says why librdkafka refuses that.
  func refusal(of name: String, _ value: String) -> String? {
    let (result, message) = withErrorText { rd_kafka_conf_set(pointer, name, value, $0, $1) }
    guard result != RD_KAFKA_CONF_OK else { return nil }
    // The value may be a password; librdkafka's text repeats only values that it could not read as their type.
    return "is refused by librdkafka: \(message)"
  }

  /// Gives the object away, to be destroyed by whoever took it.
  consuming func release() -> OpaquePointer {
    let released = pointer
    discard self
    return released
  }
}

/// Calls `body` with room for an error text, and returns its result with the text.
func withErrorText<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Result) -> (Result, String) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    buffer.initialize(repeating: 0)
    guard let start = buffer.baseAddress else { preconditionFailure("a buffer of 512 bytes has a start") }
    let result = body(start, buffer.count)
    return (result, String(cString: start))
  }
}
