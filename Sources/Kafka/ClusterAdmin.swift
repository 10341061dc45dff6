/// What the cluster says of a topic.
public struct TopicDescription: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The number of partitions.
  public let partitionCount: Int
  /// The number of copies of each partition.
  public let replicationFactor: Int

  /// A description.
  public init(name: String, partitionCount: Int, replicationFactor: Int) {
    self.name = name
    self.partitionCount = partitionCount
    self.replicationFactor = replicationFactor
  }
}

/// A topic to create.
public struct NewTopic: Hashable, Sendable {
  /// The name.
  public var name: String
  /// The number of partitions.
  public var partitionCount: Int
  /// The number of copies of each partition; nil takes the broker's default.
  public var replicationFactor: Int?
  /// Settings of the topic by Kafka's names (`cleanup.policy`, `max.message.bytes`, …).
  public var configuration: [String: String]

  /// A topic.
  public init(
    name: String, partitionCount: Int, replicationFactor: Int? = nil, configuration: [String: String] = [:]
  ) {
    self.name = name
    self.partitionCount = partitionCount
    self.replicationFactor = replicationFactor
    self.configuration = configuration
  }
}

/// What there is to read in a partition.
public struct OffsetRange: Hashable, Sendable {
  /// The partition.
  public let topicPartition: TopicPartition
  /// The first offset that is still there.
  public let earliest: Int64
  /// The offset behind the last one: the last stable offset, or the high watermark, by the isolation level asked for.
  public let latest: Int64

  /// A range.
  public init(topicPartition: TopicPartition, earliest: Int64, latest: Int64) {
    self.topicPartition = topicPartition
    self.earliest = earliest
    self.latest = latest
  }
}

/// A member of a consumer group as the group's coordinator knows it.
public struct GroupMember: Hashable, Sendable, CustomStringConvertible {
  /// The id that the coordinator gave it.
  public let memberID: String
  /// The `client.id` of its process.
  public let clientID: String
  /// Where its connection comes from, as the broker sees it.
  public let host: String
  /// The `group.instance.id` of a static member; nil for a dynamic one.
  public let groupInstanceID: String?

  /// A member.
  public init(memberID: String, clientID: String, host: String, groupInstanceID: String?) {
    self.memberID = memberID
    self.clientID = clientID
    self.host = host
    self.groupInstanceID = groupInstanceID
  }

  /// `client.id at host`, with the static name if there is one.
  public var description: String {
    "\(clientID) at \(host)\(groupInstanceID.map { " (instance \($0))" } ?? "")"
  }
}

/// Looks at the cluster and arranges it. Every call waits for its answer; any thread may call.
public protocol ClusterAdmin: AnyObject, Sendable {
  /// All topics, by name, those of Kafka itself (`__…`) included.
  func topics(timeout: Duration) throws(KafkaError) -> [TopicDescription]

  /// The settings of a topic in force, defaults included.
  func configuration(ofTopic topic: String, timeout: Duration) throws(KafkaError) -> [String: String]

  /// Creates topics and waits until they are there.
  ///
  /// - Throws: the first error, naming its topic; the others may have been created. ``KafkaError/Code/topicAlreadyExists``
  ///   when one is there.
  func create(_ topics: [NewTopic], timeout: Duration) throws(KafkaError)

  /// Deletes what lies before the offsets, and returns where the partitions begin afterwards.
  func deleteRecords(before offsets: [PartitionOffset], timeout: Duration) throws(KafkaError)
    -> [PartitionOffset]

  /// What there is to read, in the order asked for.
  func offsets(of partitions: [TopicPartition], isolation: IsolationLevel, timeout: Duration)
    throws(KafkaError)
    -> [OffsetRange]

  /// For each partition the first offset whose record was appended at or after an instant, in the order asked for; nil
  /// where there is none yet. The embedded cluster knows no times: it gives the partitions' beginnings.
  ///
  /// - Parameter milliseconds: the instant, since the epoch.
  func offsets(of partitions: [TopicPartition], since milliseconds: Int64, timeout: Duration)
    throws(KafkaError) -> [Int64?]

  /// What a group has committed, with or without living members, for all partitions that it has offsets for. Waits
  /// for open transactions that hold offsets of the group.
  func committedOffsets(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [PartitionOffset]

  /// The members of a group: those that live, and those whose session has not ended yet. Empty for a group that does not
  /// exist.
  ///
  /// - Throws: ``KafkaError/Code/unsupported`` from the embedded cluster, which describes no groups.
  func members(ofGroup group: String, timeout: Duration) throws(KafkaError) -> [GroupMember]
}
