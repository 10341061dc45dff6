import Kafka

/// The cluster of a world, seen from nowhere: its logs, groups and transactions, and what can go wrong with them.
///
/// Clients reach it through the ``Network`` only; tests and checkers look at it directly and at once.
public final class SimulatedBroker {
  /// The world.
  public unowned let world: SimulatedWorld
  /// What goes wrong by chance, and what is away.
  public var faults = BrokerFaults()
  /// The groups.
  public private(set) lazy var groups = GroupCoordinator(self)
  /// The transactions.
  public private(set) lazy var transactions = TransactionCoordinator(self)
  /// Hears what becomes true at the broker, in the instant in which it does.
  public weak var observer: (any BrokerObserver)?

  private var topicsByName: [String: SimulatedTopic] = [:]

  init(_ world: SimulatedWorld) {
    self.world = world
  }

  deinit {
    for topic in topicsByName.values { for log in topic.partitions { log.dropWaiters() } }
  }

  /// All topics, by name.
  public var topics: [SimulatedTopic] { topicsByName.values.sorted { $0.name < $1.name } }

  /// A topic, if it is there.
  public func topic(_ name: String) -> SimulatedTopic? { topicsByName[name] }

  /// The log of a partition, if it is there.
  public func log(_ partition: TopicPartition) -> PartitionLog? {
    guard let topic = topicsByName[partition.topic], partition.partition >= 0,
      partition.partition < topic.partitions.count
    else { return nil }
    return topic.partitions[Int(partition.partition)]
  }

  /// Creates a topic at once.
  @discardableResult
  public func create(_ topic: NewTopic) -> SimulatedTopic {
    let created = SimulatedTopic(topic)
    topicsByName[topic.name] = created
    return created
  }

  /// Deletes a topic at once.
  public func deleteTopic(_ name: String) {
    for log in topicsByName[name]?.partitions ?? [] { log.dropWaiters() }
    topicsByName[name] = nil
  }

  /// The time by the clock of a partition's broker.
  func appendTime(_ log: PartitionLog) -> Int64 { world.now + log.clockOffset }

  /// Sends the coordinator of transactions away for a while, in the midst of its work.
  func silenceTransactions() {
    let silence = world.random(faults.silence)
    world.note("broker: the coordinator of transactions is away for \(silence) ms")
    faults.transactionCoordinatorAwayUntil = max(faults.transactionCoordinatorAwayUntil, world.now + silence)
  }

  // MARK: Cleaning

  /// Lets records go as retention does: the log begins at the offset afterwards.
  public func retain(_ partition: TopicPartition, from offset: Int64) {
    world.note("broker: retention: \(partition) begins at \(offset)")
    log(partition)?.deleteRecords(before: offset)
  }

  /// Lets the log cleaner go over a partition. A tombstone goes when it is older than `delete.retention.ms`, here
  /// counted from its append: whoever follows the log must have the chance to see it.
  public func compact(_ partition: TopicPartition) {
    world.note("broker: compacts \(partition)")
    log(partition)?.compact(tombstonesBefore: world.now - Self.deleteRetention)
  }

  /// Kafka's default of `delete.retention.ms`.
  public static let deleteRetention: Int64 = 86_400_000
}

/// Hears what becomes true at the broker.
public protocol BrokerObserver: AnyObject {
  /// A transaction is decided from here on, whatever is lost afterwards; its markers are still to come.
  ///
  /// - Parameter offsets: what the groups will have committed by it.
  func transactionDecided(
    _ transaction: TransactionState, commits: Bool, offsets: [(group: String, offsets: [PartitionOffset])])

  /// A group's offsets became those that a reader of stable offsets is told.
  func offsetsCommitted(group: String, offsets: [PartitionOffset])
}

extension BrokerObserver {
  /// Does nothing.
  public func transactionDecided(
    _ transaction: TransactionState, commits: Bool, offsets: [(group: String, offsets: [PartitionOffset])]
  ) {}

  /// Does nothing.
  public func offsetsCommitted(group: String, offsets: [PartitionOffset]) {}
}
