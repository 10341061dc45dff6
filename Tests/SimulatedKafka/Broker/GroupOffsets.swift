import Kafka

/// The offsets of a group: what is committed, and what open transactions would commit.
public final class GroupOffsets {
  private unowned let broker: SimulatedBroker
  private let groupID: String
  private var stable: [TopicPartition: PartitionOffset] = [:]
  private var pending: [Int64: [PartitionOffset]] = [:]
  private var epochs: [Int64: Int16] = [:]

  init(groupID: String, broker: SimulatedBroker) {
    self.groupID = groupID
    self.broker = broker
  }

  /// What is committed, by partition.
  public var committed: [PartitionOffset] {
    stable.values.sorted { $0.topicPartition < $1.topicPartition }
  }

  /// What is committed for a partition.
  public subscript(_ partition: TopicPartition) -> PartitionOffset? { stable[partition] }

  /// Whether a transaction without a marker holds offsets of a partition: nobody knows what is committed.
  public func isUnstable(_ partition: TopicPartition) -> Bool {
    !pending.isEmpty && pending.values.contains { $0.contains { $0.topicPartition == partition } }
  }

  /// Whether any transaction without a marker holds offsets.
  public var isUnstable: Bool { !pending.isEmpty }

  func commit(_ offsets: [PartitionOffset]) {
    for offset in offsets { stable[offset.topicPartition] = offset }
    broker.observer?.offsetsCommitted(group: groupID, offsets: offsets)
  }

  /// Takes offsets that count when their transaction is committed.
  func addPending(_ offsets: [PartitionOffset], producerID: Int64, epoch: Int16) -> GroupRefusal? {
    guard epoch >= epochs[producerID] ?? epoch else { return .invalidProducerEpoch }
    epochs[producerID] = epoch
    var held = pending[producerID] ?? []
    let partitions = Set(offsets.map(\.topicPartition))
    held.removeAll { partitions.contains($0.topicPartition) }
    pending[producerID] = held + offsets
    return nil
  }

  /// What a transaction would commit.
  func pendingOffsets(producerID: Int64) -> [PartitionOffset] { pending[producerID] ?? [] }

  /// The marker of a transaction.
  func endTransaction(producerID: Int64, epoch: Int16, commits: Bool) {
    epochs[producerID] = max(epoch, epochs[producerID] ?? epoch)
    guard let offsets = pending.removeValue(forKey: producerID), commits else { return }
    commit(offsets)
  }

  func expire(_ topics: [String]) {
    stable = stable.filter { !topics.contains($0.key.topic) || isUnstable($0.key) }
  }
}
