import Contract

/// A header of a record, the type that the decoders and encoders of `Contract` use, so that nothing is converted.
///
/// librdkafka ends names at the first zero byte.
public typealias RecordHeader = HeaderView

/// A record as it was read. All views are valid until the next poll of its consumer, and not beyond.
public struct ConsumedRecord {
  /// The index of the topic in the array that the consumer subscribed to, or the reader was made with.
  public let topicIndex: Int
  /// The partition.
  public let partition: Int32
  /// The offset.
  public let offset: Int64
  /// The time of the record in milliseconds since the epoch; -1 where the broker keeps none.
  public let timestampMilliseconds: Int64
  /// Whether the broker stamped the record when it appended it (`message.timestamp.type=LogAppendTime`);
  /// otherwise the producer's clock did.
  public let isLogAppendTime: Bool
  /// The key; nil is Kafka's null.
  public let key: ByteView?
  /// The value; nil is a tombstone.
  public let value: ByteView?
  /// The headers in their order; names may repeat.
  public let headers: UnsafeBufferPointer<RecordHeader>

  /// A record with all its parts.
  @inlinable
  public init(
    topicIndex: Int, partition: Int32, offset: Int64, timestampMilliseconds: Int64, isLogAppendTime: Bool,
    key: ByteView?, value: ByteView?, headers: UnsafeBufferPointer<RecordHeader>
  ) {
    self.topicIndex = topicIndex
    self.partition = partition
    self.offset = offset
    self.timestampMilliseconds = timestampMilliseconds
    self.isLogAppendTime = isLogAppendTime
    self.key = key
    self.value = value
    self.headers = headers
  }
}

/// What a poll brought.
public enum ConsumerEvent {
  /// Nothing within the time-out.
  case none
  /// A record.
  case record(ConsumedRecord)
  /// All that the isolation level lets be read was read. `offset` is the position behind it, and behind the
  /// markers of transactions: the only source of a position that makes the lag of an idle group 0.
  case endOfPartition(topicIndex: Int, partition: Int32, offset: Int64)
  /// Something went wrong with the group, a topic or a partition; the message says which. The consumer goes on by
  /// itself unless the error is fatal.
  case error(KafkaError)
}
