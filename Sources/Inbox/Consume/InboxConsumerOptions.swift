/// How the inbox consumes its delivery topic.
public struct InboxConsumerOptions: Sendable {
  /// The topic of deliveries for the inbox.
  public var topic: String
  /// Where deliveries go that cannot be read.
  public var deadLetterTopic: String
  /// The consumer group.
  public var groupID: String
  /// The name of this instance, for static membership; nil for a dynamic one.
  public var groupInstanceID: String?
  /// The most records of one database transaction.
  public var batchRecords: Int
  /// The longest that a record waits for others to share its transaction.
  public var batchTime: Duration
  /// The shortest time between two commits of the group's offsets, which serve dashboards: the database's are
  /// the truth.
  public var commitInterval: Duration

  /// Options by the topic prefix of the installation: `<prefix>.delivery.inapp`, group `<prefix>-inbox`.
  public init(
    prefix: String = "tidings", groupInstanceID: String? = nil, batchRecords: Int = 2000,
    batchTime: Duration = .milliseconds(50), commitInterval: Duration = .milliseconds(250)
  ) {
    topic = "\(prefix).delivery.inapp"
    deadLetterTopic = "\(prefix).delivery.inapp.dead-letter"
    groupID = "\(prefix)-inbox"
    self.groupInstanceID = groupInstanceID
    self.batchRecords = max(1, batchRecords)
    self.batchTime = batchTime
    self.commitInterval = commitInterval
  }
}

/// What an ``InboxConsumer`` has done since it started, and where it stands.
public struct InboxConsumerCounters: Sendable, Equatable {
  /// Notifications added to the database.
  public var rows = 0
  /// Deliveries that were in the database already.
  public var skipped = 0
  /// Records that could not be read and went to the dead-letter topic.
  public var deadLettered = 0
  /// Attempts to store a batch that failed.
  public var failedAttempts = 0
  /// Whether the group has given partitions to this consumer.
  public var isAssigned = false
  /// Per partition had, the offset behind all that is stored.
  public var positions: [Int32: Int64] = [:]
  /// Whether partitions are assigned, all of them are read to their end, and all that was read is stored and
  /// committed. A record that was appended since is not known yet: compare ``positions`` with the topic's
  /// end.
  public var isIdle = false
}

/// Why the inbox cannot consume.
public enum InboxConsumerError: Error, Sendable, CustomStringConvertible {
  /// The database has stored more than the topic holds: it belongs to another cluster, or to a topic that was
  /// deleted and created anew. Going on would take new records for old ones.
  case positionBeyondEnd(topic: String, partition: Int32, stored: Int64, end: Int64, database: String)
  /// Where to begin could not be found out.
  case noPosition(topic: String, reason: String)

  /// What is the matter and what to do.
  public var description: String {
    switch self {
    case .positionBeyondEnd(let topic, let partition, let stored, let end, let database):
      "the inbox database \(database) has stored \(topic) partition \(partition) up to offset \(stored), but "
        + "the partition ends at \(end): the database belongs to another cluster, or the topic was created "
        + "anew. Set inbox.database to a new file, or point kafka.bootstrap.servers to the database's cluster; for a topic "
        + "that was created anew docs/inbox.md says how to keep the database."
    case .noPosition(let topic, let reason):
      "cannot find out where to begin reading \(topic): \(reason)"
    }
  }
}
