import Contract
import Kafka
import Pipeline

/// Finds the record of a recipient that is in force: the last one of its key in its home partition of the recipients'
/// topic. That is compacted, so that the partition is read whole.
///
/// Confined to the thread that calls it; every call waits.
public struct RecipientRecordReader {
  /// A record and where it stands.
  public struct Found: Sendable {
    /// The record.
    public var at: RecipientAccount.Place
    /// When the broker appended it.
    public var appended: Instant
    /// Its value.
    public var value: [UInt8]
  }

  private let topics: AuditTopics
  private let scan: PartitionScan

  init(_ topics: AuditTopics, _ scan: PartitionScan) {
    self.topics = topics
    self.scan = scan
  }

  /// A reader of a deployment.
  ///
  /// - Parameters:
  ///   - patience: how long to wait where a transaction holds the topic.
  ///   - progress: called after every thousand records, about.
  public init(
    cluster: any KafkaCluster, topics: AuditTopics, patience: Duration = .seconds(30),
    progress: @escaping (ScanProgress) -> Void = { _ in }
  ) {
    self.init(topics, PartitionScan(cluster, patience: patience, progress: progress))
  }

  /// The record of a recipient; nil where there is none, or it was deleted.
  ///
  /// - Throws: `AuditFault`, `ScanFault`, `KafkaError`.
  public func read(tenant: String, recipient: String) throws -> Found? {
    try topics.check([topics.name(of: .recipients)], in: scan.cluster)
    return try read(AccountQuestion(tenant: tenant, recipient: recipient, sinceMilliseconds: 0).key())
  }

  func read(_ key: String) throws -> Found? {
    let topic = topics.name(of: .recipients)
    let home = key.withByteView { Murmur2.partition(ofKey: $0, count: topics.partitionCount) }
    var found: Found?
    try scan.read(topic, [PartitionSpan(scan.range(of: topic, home))]) { record in
      guard let recordKey = record.key, key.withByteView({ $0 == recordKey }) else { return }
      found = record.value.map {
        Found(
          at: RecipientAccount.Place(topic: topic, partition: home, offset: record.offset),
          appended: Instant(record.timestampMilliseconds), value: Array($0.buffer))
      }
    }
    return found
  }
}
