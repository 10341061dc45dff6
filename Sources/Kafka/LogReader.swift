/// Reads partitions from where it is told to, in no group: the state topic at a restore, the recipients table.
///
/// Confined to the thread of its owner.
public protocol LogReader: AnyObject {
  /// Reads these partitions, each from its offset (or ``PartitionOffset/beginning`` or ``PartitionOffset/end``), in
  /// place of those read before. Empty: reads nothing.
  func assign(_ positions: [PartitionOffset]) throws(KafkaError)

  /// The next record or event. ``ConsumerEvent/endOfPartition(topicIndex:partition:offset:)`` comes once for every end
  /// that is reached. An offset outside of the log is an error event, never a jump.
  func poll(timeout: Duration) -> ConsumerEvent

  /// The first offset that is still there, and the one behind the last that the isolation level lets be read: the
  /// last stable offset for ``IsolationLevel/readCommitted``, the high watermark otherwise.
  func watermarks(of partition: TopicPartition, timeout: Duration) throws(KafkaError) -> (
    low: Int64, high: Int64
  )

  /// Stops reading; a second call does nothing.
  func close()
}

/// How a reader is made.
public struct LogReaderOptions: Sendable {
  /// The topics that it may be assigned partitions of; `topicIndex` counts in here.
  public var topics: [String]
  /// Which records are brought.
  public var isolation: IsolationLevel
  /// The `group.id` that librdkafka wants of every consumer. The group is never joined and nothing is committed, but
  /// a broker with access rules is asked for its coordinator.
  public var groupID: String

  /// A reader's options.
  public init(topics: [String], isolation: IsolationLevel, groupID: String = "tidings-log-reader") {
    self.topics = topics
    self.isolation = isolation
    self.groupID = groupID
  }
}
