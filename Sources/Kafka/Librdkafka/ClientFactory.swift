import CLibrdkafka

/// Makes the librdkafka clients of one cluster, each with the properties of its role. docs/kafka.md gives the reasons.
struct ClientFactory: Sendable {
  let configuration: ClientConfiguration
  let log: ConnectionLog

  init(_ configuration: ClientConfiguration) {
    self.configuration = configuration
    log = ConnectionLog(logger: configuration.logger, bootstrapServers: configuration.bootstrapServers)
  }

  func makeGroupClient(_ options: GroupConsumerOptions) throws(KafkaError) -> ClientHandle {
    try ClientHandle(RD_KAFKA_CONSUMER, try properties(of: options), log: log)
  }

  func properties(of options: GroupConsumerOptions) throws(KafkaError) -> ClientProperties {
    var properties = ClientProperties(configuration)
    setQueueBackoff(&properties)
    // A topic that is created later is found within this time.
    properties.set("topic.metadata.refresh.interval.ms", "30000")
    properties.set("fetch.wait.max.ms", "\(options.fetchThreshold.wait.wholeMilliseconds)")
    // Who sets the wait alone means that of a fetch that finds nothing: few records are not to wait as long.
    if configuration.properties["fetch.wait.max.ms"] == nil {
      properties.set("fetch.min.bytes", "\(options.fetchThreshold.bytes)")
    }
    // Who fetches from followers is not reminded: the requests go to leaders.
    let isReminded = !FetchReminder.isNeeded || configuration.properties["client.rack"] == nil
    if let readAhead = options.readAhead, isReminded {
      properties.set("queued.min.messages", "\(readAhead.messages)")
      // The other name of `max.partition.fetch.bytes`, of which a user may set either.
      if configuration.properties["max.partition.fetch.bytes"] == nil {
        properties.set("fetch.message.max.bytes", "\(readAhead.partitionBytes)")
      }
    }
    // Members learn of a rebalance by a heartbeat, and the first to rejoin waits for the last.
    properties.set("heartbeat.interval.ms", "500")
    try properties.setUserProperties()
    setConsumer(&properties, isolation: options.isolation)
    properties.set("group.id", options.groupID)
    if let instance = options.groupInstanceID { properties.set("group.instance.id", instance) }
    properties.set("session.timeout.ms", "\(options.sessionTimeout.wholeMilliseconds)")
    properties.set("auto.offset.reset", options.offsetReset.rawValue)
    return properties
  }

  func makeReaderClient(_ options: LogReaderOptions) throws(KafkaError) -> ClientHandle {
    var properties = ClientProperties(configuration)
    setQueueBackoff(&properties)
    // A reader is there to reach the end, which only an empty answer tells where a marker is the last record.
    properties.set("fetch.wait.max.ms", "20")
    try properties.setUserProperties()
    setConsumer(&properties, isolation: options.isolation)
    properties.set("group.id", options.groupID)
    properties.set("auto.offset.reset", GroupConsumerOptions.OffsetReset.error.rawValue)
    return try ClientHandle(RD_KAFKA_CONSUMER, properties, log: log)
  }

  func makeTransactionalClient(_ options: TransactionalProducerOptions) throws(KafkaError) -> ClientHandle {
    try ClientHandle(RD_KAFKA_PRODUCER, try properties(of: options), log: log)
  }

  func properties(of options: TransactionalProducerOptions) throws(KafkaError) -> ClientProperties {
    var properties = ClientProperties(configuration)
    properties.set("linger.ms", "\(options.linger.wholeMilliseconds)")
    properties.set("compression.codec", "lz4")
    try properties.setUserProperties()
    setProducer(&properties, messageMaxBytes: options.messageMaxBytes)
    properties.set("transactional.id", options.transactionalID)
    properties.set("transaction.timeout.ms", "\(options.transactionTimeout.wholeMilliseconds)")
    return properties
  }

  func makeIdempotentClient(_ options: IdempotentProducerOptions) throws(KafkaError) -> ClientHandle {
    var properties = ClientProperties(configuration)
    properties.set("linger.ms", "\(options.linger.wholeMilliseconds)")
    properties.set("compression.codec", "lz4")
    try properties.setUserProperties()
    setProducer(&properties, messageMaxBytes: options.messageMaxBytes)
    return try ClientHandle(RD_KAFKA_PRODUCER, properties, log: log)
  }

  /// A client for requests only. Its kind is a producer, which joins nothing; the isolation level counts for the
  /// offsets that it asks for.
  func makeAdminClient(_ isolation: IsolationLevel) throws(KafkaError) -> ClientHandle {
    var properties = ClientProperties(configuration)
    try properties.setUserProperties()
    properties.set("isolation.level", isolation.rawValue)
    // librdkafka asks for offsets where its cache of metadata says that a partition is led, and refreshes that for topics
    // alone that a client produces to or consumes from: a leader that has moved would be unknown for as long as this.
    properties.set("metadata.max.age.ms", "1000")
    return try ClientHandle(RD_KAFKA_PRODUCER, properties, log: log)
  }

  /// How long a consumer that has fetched enough waits until it looks again. Before 2.2 that is a second, and the
  /// property is not known: a ``FetchReminder`` does it.
  private func setQueueBackoff(_ properties: inout ClientProperties) {
    guard !FetchReminder.isNeeded else { return }
    properties.set("fetch.queue.backoff.ms", "10")
  }

  private func setConsumer(_ properties: inout ClientProperties, isolation: IsolationLevel) {
    properties.set("isolation.level", isolation.rawValue)
    properties.set("enable.auto.commit", "false")
    properties.set("enable.auto.offset.store", "false")
    properties.set("enable.partition.eof", "true")
    properties.set("partition.assignment.strategy", "range")
  }

  private func setProducer(_ properties: inout ClientProperties, messageMaxBytes: Int) {
    properties.set("enable.idempotence", "true")
    properties.set("partitioner", "murmur2_random")
    properties.set("message.max.bytes", "\(messageMaxBytes)")
    // With the default of 100 each transaction that follows closely waits 100 ms in its first request to the
    // coordinator (CONCURRENT_TRANSACTIONS).
    properties.set("retry.backoff.ms", "2")
  }
}
