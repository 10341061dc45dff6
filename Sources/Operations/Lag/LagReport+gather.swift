import Foundation
import Kafka

extension LagReport {
  /// A group with the topics that it consumes.
  public struct Subject: Sendable, Hashable {
    /// The consumer group.
    public let group: String
    /// Its topics.
    public let topics: [String]

    /// A group with its topics.
    public init(group: String, topics: [String]) {
      self.group = group
      self.topics = topics
    }
  }

  /// Asks the cluster where groups stand. Joins no group, and commits nothing.
  ///
  /// The offsets are not read at one instant: the committed ones first, so that a lag may be a little too
  /// large and is never hidden.
  ///
  /// - Parameter timeout: for each request; a report takes a few per group.
  /// - Throws: `KafkaError`; ``KafkaError/Code/unknownTopicOrPartition`` naming a topic that does not exist.
  public static func gather(
    _ subjects: [Subject], from cluster: any KafkaCluster, timeout: Duration = .seconds(10)
  ) throws(KafkaError) -> LagReport {
    let known = try cluster.admin.topics(timeout: timeout)
    var rows: [Row] = []
    for subject in subjects {
      var partitions: [TopicPartition] = []
      for topic in subject.topics {
        guard let description = known.first(where: { $0.name == topic }) else {
          throw KafkaError(
            .unknownTopicOrPartition,
            message: "topic \(topic) of group \(subject.group) does not exist; run `tidings topics apply`")
        }
        for partition in 0..<description.partitionCount {
          partitions.append(TopicPartition(topic: topic, partition: Int32(partition)))
        }
      }
      rows += try Self.rows(subject.group, partitions, cluster, timeout)
    }
    return LagReport(rows: rows)
  }

  private static func rows(
    _ group: String, _ partitions: [TopicPartition], _ cluster: any KafkaCluster, _ timeout: Duration
  ) throws(KafkaError) -> [Row] {
    // A handle of the group that never subscribes asks without becoming a member.
    let member = try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: group, offsetReset: .error))
    let committed = try member.committed(partitions, timeout: timeout)
    let stable = try cluster.admin.offsets(of: partitions, isolation: .readCommitted, timeout: timeout)
    let ends = try cluster.admin.offsets(of: partitions, isolation: .readUncommitted, timeout: timeout)
    let withoutAge = partitions.indices.map { index in
      Row(
        group: group, topic: partitions[index].topic, partition: partitions[index].partition,
        committed: committed[index]?.offset, begin: ends[index].earliest, stableEnd: stable[index].latest,
        end: ends[index].latest, seconds: 0)
    }
    let ages = try self.ages(of: withoutAge.filter { $0.records > 0 }, cluster, timeout)
    return withoutAge.map { row in
      guard row.records > 0 else { return row }
      return Row(
        group: row.group, topic: row.topic, partition: row.partition, committed: row.committed,
        begin: row.begin, stableEnd: row.stableEnd, end: row.end,
        seconds: ages[TopicPartition(topic: row.topic, partition: row.partition)])
    }
  }

  /// The age of the first record behind each row's position, read_uncommitted: what an open transaction holds
  /// back is waited for as well.
  ///
  /// - Returns: 0 where nothing but transaction markers is left; no entry where nothing was read in time.
  private static func ages(
    of rows: [Row], _ cluster: any KafkaCluster, _ timeout: Duration
  ) throws(KafkaError) -> [TopicPartition: Double] {
    guard !rows.isEmpty else { return [:] }
    let topics = Set(rows.map(\.topic)).sorted()
    let reader = try cluster.makeLogReader(LogReaderOptions(topics: topics, isolation: .readUncommitted))
    defer { reader.close() }
    var waiting: [TopicPartition: PartitionOffset] = [:]
    for row in rows {
      let partition = TopicPartition(topic: row.topic, partition: row.partition)
      waiting[partition] = PartitionOffset(partition, offset: max(row.committed ?? row.begin, row.begin))
    }
    var ages: [TopicPartition: Double] = [:]
    try reader.assign(waiting.values.sorted { $0.topicPartition < $1.topicPartition })
    let deadline = ContinuousClock.now + timeout
    while !waiting.isEmpty, ContinuousClock.now < deadline {
      switch reader.poll(timeout: .milliseconds(100)) {
      case .none: continue
      case .record(let record):
        let partition = TopicPartition(topic: topics[record.topicIndex], partition: record.partition)
        guard waiting.removeValue(forKey: partition) != nil else { continue }
        let now = Date().timeIntervalSince1970
        ages[partition] = max(0, now - Double(record.timestampMilliseconds) / 1000)
      case .endOfPartition(let topic, let partition, _):
        let place = TopicPartition(topic: topics[topic], partition: partition)
        if waiting.removeValue(forKey: place) != nil { ages[place] = 0 }
      case .error(let error):
        guard !error.isFatal else { throw error.during("reading the age of waiting records") }
      }
    }
    return ages
  }
}
