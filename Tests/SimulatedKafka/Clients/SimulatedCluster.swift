import Kafka

/// The cluster of a world as one process reaches it: its clients live and die with the process.
public final class SimulatedCluster: KafkaCluster, @unchecked Sendable {
  unowned let process: SimulatedProcess
  private let simulatedAdmin: SimulatedAdmin

  init(_ process: SimulatedProcess) {
    self.process = process
    simulatedAdmin = SimulatedAdmin(process)
  }

  /// False: it keeps what it is told, as a real one.
  public var isEmbedded: Bool { false }
  /// No address: nothing outside of the world reaches it.
  public var bootstrapServers: String { "simulated" }
  /// Looks at the cluster and arranges it.
  public var admin: any ClusterAdmin { simulatedAdmin }

  /// A member of a group.
  public func makeGroupConsumer(_ options: GroupConsumerOptions) throws(KafkaError) -> any GroupConsumer {
    try checkAlive()
    return SimulatedGroupConsumer(process, options)
  }

  /// A producer of transactions.
  public func makeTransactionalProducer(
    _ options: TransactionalProducerOptions
  ) throws(KafkaError) -> any TransactionalProducer {
    try checkAlive()
    return SimulatedTransactionalProducer(process, options)
  }

  /// A producer outside of transactions.
  public func makeIdempotentProducer(
    _ options: IdempotentProducerOptions
  ) throws(KafkaError) -> any IdempotentProducer {
    try checkAlive()
    return SimulatedIdempotentProducer(process, options)
  }

  /// A reader of explicit partitions.
  public func makeLogReader(_ options: LogReaderOptions) throws(KafkaError) -> any LogReader {
    try checkAlive()
    return SimulatedLogReader(process, options)
  }

  private func checkAlive() throws(KafkaError) {
    if !process.isAlive { throw process.deathError }
  }
}

extension Duration {
  /// Whole milliseconds, rounded up, so that a short wait is not none.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
    return seconds * 1000 + whole + (rest > 0 ? 1 : 0)
  }
}
