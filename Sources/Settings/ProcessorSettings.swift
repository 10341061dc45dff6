/// The stream processor: the section `processor`.
public struct ProcessorSettings: Equatable, Sendable {
  /// The number of worker threads.
  public var workers: Int
  /// The name of this instance, stable over restarts; nil for dynamic membership.
  public var instance: String?
  /// The catalog, a file or a folder of files; nil for the built-in catalog.
  public var catalog: String?
  /// The zone of recipients whose record names none that is known, by its IANA name.
  public var timeZone: String
  /// The longest time between two commits while there is work.
  public var commitInterval: Duration
  /// The most records of one transaction.
  public var maxBatchRecords: Int
  /// The bytes of output after which a transaction is committed.
  public var maxBatchBytes: Int
  /// How long an event is remembered, to know it when it comes again.
  public var dedupHorizon: Duration
  /// The largest record that is accepted, in bytes.
  public var recordLimit: Int
  /// The time after which an idle partition commits nevertheless.
  public var heartbeatInterval: Duration
  /// The folder of snapshots of the state; nil for none.
  public var stateDirectory: String?
  /// How often a partition's snapshot is written anew.
  public var snapshotInterval: Duration

  static let workers = SettingKey(
    "processor", "workers", default: 1, .integer(1...64),
    """
    The number of worker threads of a processor. Each is a member of the consumer group with a producer of its own; \
    more workers than home partitions stay idle.
    """)
  static let instance = SettingKey(
    optional: "processor", "instance",
    format: .text("text", requirement: "1 to 64 of a-z, A-Z, 0-9, `.`, `_`, `-`") { isTopicName($0, 1...64) },
    """
    The name of this instance, such as the ordinal of a StatefulSet: stable over restarts and given to no other \
    instance. It makes a restart quick (static membership, a transactional id that fences the predecessor). Not set: \
    dynamic membership.
    """)
  static let catalog = SettingKey(
    optional: "processor", "catalog", format: .text("path of a file or a folder"),
    "The catalog of notification types. Not set: every type goes to the inbox at once.")
  static let timeZone = SettingKey(
    "processor", "timeZone", default: "UTC",
    .text("name of a time zone of the IANA database, such as `Europe/Berlin`"),
    """
    The time zone of recipients whose record names none that is known. What is due by a schedule is due at that time \
    of their clocks.
    """)
  static let commitInterval = SettingKey(
    "processor", "commitInterval", default: .milliseconds(100),
    .duration(.milliseconds(20)...Duration.seconds(5)),
    "The longest time between two commits while there is work. Longer costs latency, shorter costs throughput."
  )
  static let maxBatchRecords = SettingKey(
    "processor", "maxBatchRecords", default: 10_000, .integer(1...1_000_000),
    "The number of consumed records after which a transaction is committed before its interval is over.")
  static let maxBatchBytes = SettingKey(
    "processor", "maxBatchBytes", default: 1 << 20, .byteSize((64 << 10)...(4 << 20)),
    "The size of the output after which a transaction is committed before its interval is over.")
  static let dedupHorizon = SettingKey(
    "processor", "dedupHorizon", default: .seconds(86_400),
    .duration(.seconds(60)...Duration.seconds(30 * 86_400)),
    """
    How long an event is remembered, by the broker's time: the same source and id for the same recipient within it is \
    a duplicate. Memory and state grow with it.
    """)
  static let recordLimit = SettingKey(
    "processor", "recordLimit", default: 256 << 10, .byteSize((1 << 10)...(1 << 20)),
    """
    The largest record that is accepted, key, value and headers together; larger ones are rejected. A delivery \
    may have 64 KiB more.
    """)
  static let heartbeatInterval = SettingKey(
    "processor", "heartbeatInterval", default: .seconds(6 * 3_600),
    .duration(.seconds(60)...Duration.seconds(6 * 3_600)),
    """
    The time after which an idle partition commits nevertheless, so that the broker keeps its offsets and \
    transactional id.
    """)
  static let stateDirectory = SettingKey(
    optional: "processor", "stateDirectory", format: .text("path of a folder"),
    """
    The folder for snapshots of the state, one file per partition: with them a restart reads only the rest of the \
    state log. It should outlive the process (a volume), and may be lost at any time. Not set: no snapshots.
    """)
  static let snapshotInterval = SettingKey(
    "processor", "snapshotInterval", default: .seconds(300),
    .duration(.seconds(10)...Duration.seconds(86_400)),
    """
    How often the snapshot of a partition is written anew while the processor runs; sooner where the state log has \
    grown by half of the state. It is also written at a graceful shutdown.
    """)
}
