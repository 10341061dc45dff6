/// Which records a consumer brings.
public enum IsolationLevel: String, Sendable, CaseIterable {
  /// Only those outside of transactions or of committed ones, up to the first transaction that is open.
  case readCommitted = "read_committed"
  /// All, also those of open and aborted transactions.
  case readUncommitted = "read_uncommitted"
}

/// A Kafka cluster, real, embedded or simulated: what makes clients of it.
public protocol KafkaCluster: Sendable {
  /// Whether it lives in this process and forgets everything with it (and some things before: docs/kafka.md).
  var isEmbedded: Bool { get }
  /// `host:port,…`, for messages and for other clients.
  var bootstrapServers: String { get }
  /// Looks at the cluster and arranges it.
  var admin: any ClusterAdmin { get }

  /// A member of a group. It connects in the background.
  func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer
  /// A producer of transactions. It connects in the background.
  func makeTransactionalProducer(_ options: TransactionalProducerOptions) throws(KafkaError)
    -> any TransactionalProducer
  /// A producer outside of transactions. It connects in the background.
  func makeIdempotentProducer(_ options: IdempotentProducerOptions) throws(KafkaError)
    -> any IdempotentProducer
  /// A reader of explicit partitions. It connects in the background.
  func makeLogReader(_ options: LogReaderOptions) throws(KafkaError) -> any LogReader
}
