import Kafka
import Pipeline

/// What a processor needs to know besides the cluster and the catalog.
public struct ProcessorConfiguration: Sendable {
  /// What stands before every topic name and group id.
  public var prefix: String
  /// The number of home partitions, P.
  public var partitionCount: Int32
  /// Threads, each a member of the group with a transactional producer of its own.
  public var workers: Int
  /// The stable name of this instance among its siblings: it gives static membership and a stable transactional id.
  public var instance: String?
  /// The longest time between two commits while there is work.
  public var commitInterval: Duration
  /// The shortest time between two commits, also when a delivery waits.
  public var minimumCommitInterval: Duration
  /// Home partitions with work up to which a commit that deliveries wait for takes all of them. Of more it takes half,
  /// where that is quicker.
  public var undividedPartitions: Int
  /// Records after which a commit begins at once.
  public var commitRecords: Int
  /// Bytes of output after which a commit begins at once.
  public var commitBytes: Int
  /// Output bytes of the batch behind a commit under way.
  public var backlogBytes: Int
  /// Bytes of one record of a log at which that batch is full. It leaves the larger part of such a record's limit to the
  /// input that fills it.
  public var logRecordBytes: Int
  /// Output bytes of that batch above which nothing more is consumed. The rest is for windows that come due then: a
  /// batch that is full of input lasts as long as the commit under way, and they would wait for the one behind it.
  public var inputBytes: Int { backlogBytes / 4 * 3 }
  /// The bytes that one record of a log may have in a batch of so many bytes: the same part of `logRecordBytes` as that
  /// batch is of `backlogBytes`, and at most half of the batch.
  func logRecordBytes(ofBatch bytes: Int) -> Int {
    min(bytes / 2, logRecordBytes * bytes / max(backlogBytes, 1))
  }
  /// Output bytes of a batch that fan-outs to audiences may take: less than all, so that other events go on beside.
  public var fanOutBytes: Int
  /// The longest time without a commit on an idle partition: keeps offsets and transactional id alive.
  public var heartbeatInterval: Duration
  /// `transaction.timeout.ms` and `session.timeout.ms`.
  public var transactionTimeout: Duration
  /// How long a revoked partition is kept in memory, in case it comes back.
  public var frozenLifetime: Duration
  /// The largest record that is taken from upstream, in bytes.
  public var recordLimit: Int
  /// How long an id is remembered.
  public var dedupHorizon: Duration
  /// The zone of recipients whose record names none that is known, by its IANA name.
  public var timeZone: String
  /// The folder of snapshots, by which a restart needs only the rest of the state log; nil for none.
  public var stateDirectory: String?
  /// How often a partition's snapshot is written anew. It is sooner where the log has grown by half of the state.
  public var snapshotInterval: Duration
  /// Bytes of one slice of a snapshot, about: a worker makes a slice of the default in a few milliseconds.
  public var snapshotSliceBytes: Int64
  /// Deliberate mistakes, for the simulation alone.
  public var flaws: Flaws = []
  /// One of so many commits that deliveries wait for takes half of the partitions where others take all, or all where
  /// others take half: to learn which is quicker.
  package var commitTrialDistance = 24
  /// Changes limits of the state machines, which a simulation makes small enough to be reached.
  package var pipelineLimits: (@Sendable (inout Pipeline.Configuration) -> Void)?

  /// The defaults of the design.
  public init(prefix: String = "tidings", partitionCount: Int32 = 16) {
    self.prefix = prefix
    self.partitionCount = partitionCount
    self.workers = 1
    self.commitInterval = .milliseconds(100)
    self.minimumCommitInterval = .milliseconds(20)
    self.undividedPartitions = 4
    self.commitRecords = 10_000
    self.commitBytes = 1 << 20
    self.backlogBytes = 12 << 20
    self.logRecordBytes = 3 << 20
    self.fanOutBytes = 512 << 10
    self.heartbeatInterval = .seconds(6 * 3600)
    self.transactionTimeout = .seconds(10)
    self.frozenLifetime = .seconds(300)
    self.recordLimit = 256 << 10
    self.dedupHorizon = .seconds(86_400)
    self.timeZone = "UTC"
    self.snapshotInterval = .seconds(300)
    self.snapshotSliceBytes = 1 << 20
  }

  /// The consumer group of all processors.
  public var groupID: String { "\(prefix)-processor" }

  /// The full name of a topic.
  public func topic(_ name: String) -> String { "\(prefix).\(name)" }

  var inputTopics: [String] { InputTopic.allCases.map { topic($0.name) } }
  var stateTopic: String { topic("state") }

  /// The topics of the transactional producer: outputs, then decisions, then state.
  var producerTopics: [String] {
    OutputTopic.allCases.map { topic($0.name) } + [topic("decisions"), stateTopic]
  }
  var decisionsTopicIndex: Int { OutputTopic.allCases.count }
  var stateTopicIndex: Int { OutputTopic.allCases.count + 1 }

  /// The name of a home partition's snapshot file.
  func snapshotName(of partition: Int32) -> String { "\(stateTopic)-\(partition)\(Self.snapshotSuffix)" }

  /// How the names of snapshots end.
  static let snapshotSuffix = ".snapshot"

  /// How a worker joins the group. What comes within a few milliseconds shares a commit, so it may share a fetch, too.
  package func memberOptions(worker: Int) -> GroupConsumerOptions {
    GroupConsumerOptions(
      groupID: groupID, groupInstanceID: instance.map { "\($0)-\(worker)" }, offsetReset: .error,
      fetchThreshold: .batch, readAhead: .short, sessionTimeout: transactionTimeout)
  }

  func transactionalID(worker: Int, random: UInt64) -> String {
    guard let instance else { return "\(prefix)-\(String(random, radix: 36))-\(worker)" }
    return "\(prefix)-\(instance)-\(worker)"
  }

  package func pipeline(partition: Int32) -> Pipeline.Configuration {
    var pipeline = Pipeline.Configuration(
      partition: partition, partitionCount: partitionCount, dedupHorizon: dedupHorizon.milliseconds)
    pipeline.deliveryLimit = recordLimit + (64 << 10)
    pipeline.fanOutLimit = 8 << 20
    pipeline.flaws = flaws
    pipelineLimits?(&pipeline)
    return pipeline
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
