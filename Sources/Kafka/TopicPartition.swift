/// One partition of one topic.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The name of the topic.
  public let topic: String
  /// The number of the partition, from 0.
  public let partition: Int32

  /// A partition of a topic.
  public init(topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  /// Orders by topic, then by partition.
  public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
    left.topic == right.topic ? left.partition < right.partition : left.topic < right.topic
  }

  /// `topic [partition]`, as librdkafka and Kafka's tools write it.
  public var description: String { "\(topic) [\(partition)]" }
}

/// A position in a partition.
public struct PartitionOffset: Hashable, Sendable, CustomStringConvertible {
  /// Reads from the first record that the broker still has; only in an assignment or a seek.
  public static let beginning: Int64 = -2
  /// Reads what is appended from here on; only in an assignment or a seek.
  public static let end: Int64 = -1

  /// The partition.
  public let topicPartition: TopicPartition
  /// The offset of the record to read next.
  public let offset: Int64
  /// Text that a group keeps with a committed offset; the broker's `offset.metadata.max.bytes` (4,096) bounds it.
  public let metadata: String?

  /// A position with what a group keeps beside it.
  public init(_ topicPartition: TopicPartition, offset: Int64, metadata: String? = nil) {
    self.topicPartition = topicPartition
    self.offset = offset
    self.metadata = metadata
  }

  /// `topic [partition] @ offset`.
  public var description: String { "\(topicPartition) @ \(offset)" }
}
