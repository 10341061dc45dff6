/// How far consumer groups are behind, partition by partition: what `tidings lag` prints.
///
/// Lag in records is the log end offset (the high watermark) less the group's committed offset, as Kafka's
/// own tools compute it (`kafka-consumer-groups.sh --describe`). The last stable offset is given beside it:
/// between the two lies what an open transaction holds back from readers. Lag in seconds is the age of the
/// first record that the group has not committed.
public struct LagReport: Sendable, Equatable {
  /// One partition as a group sees it.
  public struct Row: Sendable, Equatable, Encodable {
    /// The consumer group.
    public let group: String
    /// The topic.
    public let topic: String
    /// The partition.
    public let partition: Int32
    /// The offset that the group has committed; nil if it never did.
    public let committed: Int64?
    /// The first offset that the partition still holds.
    public let begin: Int64
    /// The last stable offset: what `read_committed` reads up to.
    public let stableEnd: Int64
    /// The high watermark: what Kafka's tools call the log end offset.
    public let end: Int64
    /// The age of the first record that is not committed; 0 without one, nil where it could not be read.
    public let seconds: Double?

    /// The offsets between the committed one, or the partition's first without one, and the log end.
    public var records: Int64 { max(0, end - max(committed ?? begin, begin)) }

    /// A row with all its parts.
    public init(
      group: String, topic: String, partition: Int32, committed: Int64?, begin: Int64, stableEnd: Int64,
      end: Int64, seconds: Double?
    ) {
      self.group = group
      self.topic = topic
      self.partition = partition
      self.committed = committed
      self.begin = begin
      self.stableEnd = stableEnd
      self.end = end
      self.seconds = seconds
    }

    private enum CodingKeys: String, CodingKey {
      case group, topic, partition, committed, begin, stableEnd, end, records, seconds
    }

    /// Writes all fields and the lag; what is unknown is null.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(group, forKey: .group)
      try container.encode(topic, forKey: .topic)
      try container.encode(partition, forKey: .partition)
      try container.encode(committed, forKey: .committed)
      try container.encode(begin, forKey: .begin)
      try container.encode(stableEnd, forKey: .stableEnd)
      try container.encode(end, forKey: .end)
      try container.encode(records, forKey: .records)
      try container.encode(seconds, forKey: .seconds)
    }
  }

  /// The partitions by group, topic and number.
  public let rows: [Row]

  /// A report of these rows, in any order.
  public init(rows: [Row]) {
    self.rows = rows.sorted { ($0.group, $0.topic, $0.partition) < ($1.group, $1.topic, $1.partition) }
  }

  /// The lag of all rows in records.
  public var totalRecords: Int64 { rows.reduce(0) { $0 + $1.records } }

  /// The age of the oldest record that is not committed; nil where none could be read.
  public var maxSeconds: Double? { rows.compactMap(\.seconds).max() }
}
