import Contract

/// What `tidings bench restore` found out.
public struct RestoreReport: Encodable, Sendable {
  /// What was asked for.
  public struct Load: Encodable, Sendable {
    /// Distinct ids that the dedup horizon holds.
    public let ids: Int
    /// Notifications that wait in open windows.
    public let items: Int
    /// Home partitions.
    public let partitions: Int
    /// Threads of the processor.
    public let workers: Int
    /// Runs of each kind.
    public let runs: Int
    /// Decides who gets what.
    public let seed: UInt64
  }

  /// The runs of one kind.
  public struct Measurement: Encodable, Sendable {
    /// Seconds from the assignment: to the last record, or until all partitions decide.
    public var seconds = RunSeries([])
    /// MB (10⁶ bytes) of state records a second; none for a start without state.
    public var megabytesPerSecond = RunSeries([])
    /// The bare consumer's time over this one's, run by run: 1 is as fast as reading only.
    public var ratio = RunSeries([])
    /// Processor seconds, of all threads.
    public var cpuSeconds = RunSeries([])
    /// Peak of resident memory in MB (10⁶ bytes); none where steps share a process.
    public var peakMegabytes = RunSeries([])
    /// Seconds from the assignment until the decisions on one event per partition were committed.
    public var secondsToDecision = RunSeries([])
  }

  /// Always `restore`.
  public let benchmark = "restore"
  /// What it ran on, and the load when it began.
  public let machine = Machine()
  /// The load average when it ended.
  public private(set) var loadAverageAtEnd: Double?
  /// The brokers.
  public let bootstrapServers: String
  /// Whether the brokers were embedded ones.
  public let isEmbedded: Bool
  /// What was asked for.
  public let load: Load
  /// The state that was written.
  public let state: WrittenState
  /// Records of the state topic.
  public private(set) var logRecords = 0
  /// Bytes of the state topic, uncompressed.
  public private(set) var logBytes: Int64 = 0
  /// A: the bare consumer.
  public private(set) var log = Measurement()
  /// B: the processor, from the log.
  public private(set) var restore = Measurement()
  /// Bytes of the snapshot files.
  public private(set) var snapshotBytes: Int64 = 0
  /// Whether the snapshots' folder is in a file system that is in memory, so that there are no runs from the disk.
  public private(set) var areSnapshotsInMemory = false
  /// How long the first stop took, which writes all snapshots.
  public private(set) var secondsToWriteSnapshots = 0.0
  /// C: the processor, from snapshots that the system still has in its memory.
  public private(set) var snapshots = Measurement()
  /// D: the processor, from snapshots on disk; empty where their folder is in memory.
  public private(set) var snapshotsOnDisk = Measurement()
  /// The processor without any state.
  public private(set) var empty = Measurement()

  private let isolatesSteps: Bool

  private enum CodingKeys: String, CodingKey {
    case benchmark, machine, loadAverageAtEnd, bootstrapServers, isEmbedded, load, state, logRecords, logBytes
    case log, restore, snapshotBytes, areSnapshotsInMemory, secondsToWriteSnapshots, snapshots,
      snapshotsOnDisk
    case empty
  }

  init(
    options: RestoreBenchmark.Options, bootstrapServers: String, isEmbedded: Bool, isolatesSteps: Bool,
    state: WrittenState
  ) {
    self.bootstrapServers = bootstrapServers
    self.isEmbedded = isEmbedded
    self.isolatesSteps = isolatesSteps
    self.state = state
    load = Load(
      ids: options.ids, items: options.items, partitions: options.partitions, workers: options.workers,
      runs: options.runs, seed: options.seed)
  }

  mutating func add(_ reading: LogReading, _ restoration: Restoration) {
    logRecords = reading.records
    logBytes = reading.bytes
    let megabytes = Double(reading.bytes) / 1_000_000
    add(
      to: \.log, seconds: reading.seconds, cpuSeconds: reading.cpuSeconds, peakBytes: reading.peakBytes)
    log.megabytesPerSecond.append(megabytes / reading.seconds)
    add(restoration, to: \.restore)
    restore.megabytesPerSecond.append(megabytes / restoration.seconds)
    restore.ratio.append(reading.seconds / restoration.seconds)
  }

  mutating func addSnapshots(bytes: Int64, seconds: Double, areInMemory: Bool) {
    snapshotBytes = bytes
    areSnapshotsInMemory = areInMemory
    secondsToWriteSnapshots = seconds
  }

  mutating func add(_ restoration: Restoration, fromDisk: Bool) {
    add(restoration, to: fromDisk ? \.snapshotsOnDisk : \.snapshots)
  }

  mutating func addEmpty(_ restoration: Restoration) { add(restoration, to: \.empty) }

  mutating func end() { loadAverageAtEnd = Machine().loadAverage }

  private mutating func add(_ restoration: Restoration, to path: WritableKeyPath<RestoreReport, Measurement>)
  {
    add(
      to: path, seconds: restoration.seconds, cpuSeconds: restoration.cpuSeconds,
      peakBytes: restoration.peakBytes)
    if let seconds = restoration.secondsToDecision { self[keyPath: path].secondsToDecision.append(seconds) }
  }

  private mutating func add(
    to path: WritableKeyPath<RestoreReport, Measurement>, seconds: Double, cpuSeconds: Double,
    peakBytes: Int64
  ) {
    self[keyPath: path].seconds.append(seconds)
    guard isolatesSteps else { return }
    self[keyPath: path].cpuSeconds.append(cpuSeconds)
    self[keyPath: path].peakMegabytes.append(Double(peakBytes) / 1_000_000)
  }
}

extension RestoreReport {
  /// The report as JSON, with a line's end.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}
