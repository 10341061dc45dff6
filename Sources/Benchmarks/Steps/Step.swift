/// One measurement, or one preparation: it runs in a process of its own, so that none finds the memory, the caches or
/// the connections of another.
public enum Step: Codable, Sendable {
  /// Writes the state logs of an instance.
  case writeState(StateLoad)
  /// Reads a topic, named without its prefix, and does nothing with it.
  case readLog(topic: String)
  /// Starts a processor, waits until all of its partitions decide, and stops it.
  case restore(RestoreOptions)
  /// Publishes one event for a recipient of each home partition.
  case publishProbes(number: Int)
  /// Publishes the load.
  case publishLoad(PublishedLoad)
  /// Copies the load in transactions, by a loop in C.
  case copyLoop(ThroughputOptions)
  /// Copies the load in transactions.
  case passThrough(ThroughputOptions)
  /// Has a processor decide the load.
  case process(ThroughputOptions)
  /// Publishes at an even rate, and watches how soon the deliveries of a processor beside it are seen.
  case pace(PacedLoad)
  /// Puts a load through the pipelines; needs no cluster.
  case pipeline(PipelineLoad)
  /// Starts a processor and watches its windows come due.
  case fire(FiringOptions)
  /// Has windows come due in the pipelines; needs no cluster.
  case windows(WindowsLoad)
}

/// The state to write.
public struct StateLoad: Codable, Sendable {
  /// Distinct ids that the dedup horizon holds.
  public var ids: Int
  /// Notifications that wait in open windows.
  public var items: Int
  /// Decides who gets what.
  public var seed: UInt64
  /// When the windows are due; nil for windows of seven days. Every id is then an item in one of them.
  public var due: WindowsDue?

  /// How many windows are due so.
  var windows: Int { due.map { ids / max(1, $0.items) } ?? 0 }

  /// A load.
  public init(ids: Int, items: Int, seed: UInt64) {
    self.ids = ids
    self.items = items
    self.seed = seed
  }
}

/// How a processor is started.
public struct RestoreOptions: Codable, Sendable {
  /// Threads of the processor.
  public var workers: Int
  /// Arrivals that were ever decided, over all partitions, to wait for: those of the state and those of the probes.
  /// nil: only until all partitions decide.
  public var decided: Int64?
  /// The folder of snapshots; nil: the state comes from its log alone.
  public var stateDirectory: String?

  /// Options.
  public init(workers: Int, decided: Int64? = nil, stateDirectory: String? = nil) {
    self.workers = workers
    self.decided = decided
    self.stateDirectory = stateDirectory
  }
}

/// What a step found out.
public enum StepResult: Codable, Sendable {
  /// Of `writeState`.
  case written(WrittenState)
  /// Of `readLog`.
  case read(LogReading)
  /// Of `restore`.
  case restored(Restoration)
  /// Of `publishProbes` and `publishLoad`.
  case published
  /// Of `copyLoop`, `passThrough` and `process`.
  case throughput(Throughput)
  /// Of `pace`.
  case paced(PacedMeasurement)
  /// Of `pipeline`.
  case pipeline(PipelineMeasurement)
  /// Of `fire`.
  case fired(Firing)
  /// Of `windows`.
  case windows(WindowsMeasurement)
}

/// A state that was written.
public struct WrittenState: Codable, Sendable, Equatable {
  /// Ids in all tables.
  public var ids: Int
  /// Open windows.
  public var windows: Int
  /// Notifications in them.
  public var items: Int
  /// Live state in bytes, about.
  public var liveBytes: Int64
  /// Transactions that it took.
  public var commits: Int
  /// Logs that were cut behind a whole checkpoint.
  public var truncations: Int
  /// Arrivals decided.
  public var decided: Int64
  /// How long it took.
  public var seconds: Double
}

/// A topic that was read from end to end.
public struct LogReading: Codable, Sendable, Equatable {
  /// Records.
  public var records: Int
  /// Bytes of their values, as the client hands them over.
  public var bytes: Int64
  /// From the assignment to the last record.
  public var seconds: Double
  /// Processor time in that span, of all threads.
  public var cpuSeconds: Double
  /// The most memory that was resident.
  public var peakBytes: Int64
}

/// A processor that was started.
public struct Restoration: Codable, Sendable, Equatable {
  /// Ids in all tables.
  public var ids: Int
  /// Open windows.
  public var windows: Int
  /// From the group's assignment until all partitions decided.
  public var seconds: Double
  /// From the group's assignment until the decisions on the probes were committed; nil where there were none.
  public var secondsToDecision: Double?
  /// Processor time from the assignment until all partitions decided, of all threads.
  public var cpuSeconds: Double
  /// The most memory that was resident until then.
  public var peakBytes: Int64
  /// How long stopping it took.
  public var secondsToStop: Double
}

/// How far a step is.
public struct StepProgress: Codable, Sendable {
  /// 0…1; nil where nobody knows.
  public var share: Double?
  /// How many were done of what `unit` names.
  public var count: Int
  /// One of them, such as `event`; empty where nothing is counted.
  public var unit: String
}

/// Why a benchmark cannot go on.
public struct BenchmarkError: Error, CustomStringConvertible {
  /// What happened and what to do.
  public let description: String

  init(_ description: String) { self.description = description }
}
