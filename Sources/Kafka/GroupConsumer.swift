/// Hears of the partitions that come to and go from a member of a group.
///
/// Called on the thread that polls, from inside `poll` or `close`. Before a method returns, it has called
/// ``GroupConsumer/assign(_:)`` or ``GroupConsumer/unassign()`` itself; a consumer that was left without an answer
/// takes the empty assignment and logs it.
public protocol RebalanceListener: AnyObject {
  /// These partitions are to be read: assign them, each with the offset to begin at.
  func partitionsAssigned(_ partitions: [TopicPartition])

  /// These partitions go: finish what is in flight, then unassign.
  ///
  /// - Parameter lost: another member may own them already; nothing may be committed for them any more.
  func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool)
}

/// Proof of membership in a group at one generation, for ``TransactionalProducer/sendOffsets(_:group:timeout:)``
/// (KIP-447). Opaque: each implementation knows only its own.
public protocol GroupMetadata: AnyObject {}

/// A member of a consumer group.
///
/// Confined to the thread of its owner: every call, and every callback out of one, happens there. Dropping it without
/// ``close()`` is what a crash looks like: the group waits for its session time-out.
public protocol GroupConsumer: AnyObject {
  /// Joins the group with these topics; their order gives `topicIndex` its meaning. The listener is held weakly.
  ///
  /// - Throws: ``KafkaError`` when a name is not one, or the consumer is closed. A topic that does not exist is an
  ///   event of a later poll.
  func subscribe(to topics: [String], listener: any RebalanceListener) throws(KafkaError)

  /// The next record or event. Must be called at least every `max.poll.interval.ms` (5 min), also while everything
  /// is paused, or the group takes the partitions away.
  func poll(timeout: Duration) -> ConsumerEvent

  /// Takes these partitions, each from its offset (or ``PartitionOffset/beginning`` or ``PartitionOffset/end``), in
  /// place of those had before. Nothing of them is paused.
  func assign(_ positions: [PartitionOffset]) throws(KafkaError)

  /// Gives all partitions back.
  func unassign() throws(KafkaError)

  /// Stops bringing records of these partitions, including those fetched already.
  func pause(_ partitions: [TopicPartition]) throws(KafkaError)

  /// Brings records of these partitions again.
  func resume(_ partitions: [TopicPartition]) throws(KafkaError)

  /// Continues these partitions at other offsets; what was fetched before does not appear. They have to be assigned.
  /// A paused partition stays paused.
  func seek(_ positions: [PartitionOffset]) throws(KafkaError)

  /// What the group has committed, in the order asked for; nil where there is nothing. With
  /// ``IsolationLevel/readCommitted`` it waits for open transactions that hold offsets of these partitions.
  func committed(_ partitions: [TopicPartition], timeout: Duration) throws(KafkaError) -> [PartitionOffset?]

  /// Commits offsets outside of a transaction and waits for the answer; retriable errors say so.
  func commit(_ offsets: [PartitionOffset]) throws(KafkaError)

  /// The first offset that is still there, and the one behind the last that the isolation level lets be read (the
  /// last stable offset, or the high watermark), as the broker says it at this moment.
  func watermarks(of partition: TopicPartition, timeout: Duration) throws(KafkaError) -> (
    low: Int64, high: Int64
  )

  /// The end of a partition as the last fetched batch said it, without asking the broker; nil before the first one.
  func cachedHighWatermark(of partition: TopicPartition) -> Int64?

  /// The membership at this moment; ask again for every transaction.
  func groupMetadata() throws(KafkaError) -> any GroupMetadata

  /// Whether the group took the assignment away without asking (session time-out, poll interval exceeded).
  var assignmentLost: Bool { get }

  /// Leaves the group: the listener's revoke is called in here. A second call does nothing. A static member stays
  /// in its group until its session ends, whatever it does.
  func close() throws(KafkaError)
}

/// When a broker answers a fetch: as soon as it has so many bytes for it, at the latest after so long.
public struct FetchThreshold: Sendable {
  /// The bytes that are enough, of all partitions together that the broker leads for the member (`fetch.min.bytes`).
  public let bytes: Int
  /// How long a fetch waits for them (`fetch.wait.max.ms`); so does a partition that is resumed, or sought in, for the
  /// fetch under way.
  public let wait: Duration

  /// One record is enough, and a member to whom none comes asks seldom.
  public static let record = FetchThreshold(bytes: 1, wait: .milliseconds(50))

  /// What comes within 10 ms shares a fetch, so that an even flow is not a request for every few records.
  public static let batch = FetchThreshold(bytes: 64 << 10, wait: .milliseconds(10))
}

/// How much a consumer fetches ahead of its polls.
public struct ReadAhead: Sendable {
  /// While fewer messages wait, it fetches more (`queued.min.messages`).
  public let messages: Int
  /// The bytes that one fetch brings of a partition, as they are in the log (`max.partition.fetch.bytes`). Where a batch
  /// is larger the client doubles them for its partition.
  public let partitionBytes: Int

  /// Enough for a quick worker to go on while a fetch is under way, and little to hold in memory: what waits may be as
  /// much as `messages` and one fetch of all partitions.
  public static let short = ReadAhead(messages: 20_000, partitionBytes: 512 << 10)

  /// So many of each; at least 1.
  public init(messages: Int, partitionBytes: Int) {
    self.messages = messages
    self.partitionBytes = partitionBytes
  }
}

/// How a member joins its group.
public struct GroupConsumerOptions: Sendable {
  /// What to do where a position is outside of the log.
  public enum OffsetReset: String, Sendable {
    /// An error event: whoever keeps state must not jump in silence.
    case error
    /// From the first record that is there.
    case earliest
    /// From what is appended next.
    case latest
  }

  /// The `group.id`.
  public var groupID: String
  /// The `group.instance.id`: set, the membership is static and survives a restart within the session (KIP-345).
  public var groupInstanceID: String?
  /// Where to begin without a valid position; never left to librdkafka, whose default is latest.
  public var offsetReset: OffsetReset
  /// Which records are brought.
  public var isolation: IsolationLevel
  /// When records are brought; what the user sets goes before.
  public var fetchThreshold: FetchThreshold
  /// How much is fetched ahead; what the user sets goes before. Nil for what librdkafka does by itself.
  public var readAhead: ReadAhead?
  /// How long the group waits for a member that is silent; the broker's `group.min.session.timeout.ms` (6 s) bounds it.
  public var sessionTimeout: Duration

  /// A member's options; 10 s of session by default (design §5.7).
  public init(
    groupID: String, groupInstanceID: String? = nil, offsetReset: OffsetReset,
    isolation: IsolationLevel = .readCommitted, fetchThreshold: FetchThreshold = .record,
    readAhead: ReadAhead? = nil, sessionTimeout: Duration = .seconds(10)
  ) {
    self.groupID = groupID
    self.groupInstanceID = groupInstanceID
    self.offsetReset = offsetReset
    self.isolation = isolation
    self.fetchThreshold = fetchThreshold
    self.readAhead = readAhead
    self.sessionTimeout = sessionTimeout
  }
}
