import Kafka

/// `tidings bench restore`: how fast an instance comes back, compared with what only reads the bytes.
///
/// Log (A): a bare consumer of the state topic. Restore (B): the real processor from the log. Both read the same
/// bytes in turn (A B A B …), so that what else the machine does falls on both. Snapshots (C, D): the processor from
/// the files that it wrote when it was stopped, with them in the system's memory and from the disk, in turn as well.
public struct RestoreBenchmark {
  /// What is measured.
  public struct Options: ClusterBenchmarkOptions {
    /// Distinct ids that the dedup horizon holds.
    public var ids = 10_000_000
    /// Notifications that wait in open windows.
    public var items = 1_000_000
    /// Home partitions.
    public var partitions = 16
    /// Threads of the processor.
    public var workers = 1
    /// Runs of each kind.
    public var runs = 3
    /// Decides who gets what.
    public var seed: UInt64 = 1
    /// The folder in which one for snapshots is made; nil for that of temporary files.
    public var stateDirectory: String?
    /// Whether the topics are left behind.
    public var keepsTopics = false

    /// The sizes of the promise: 10 million ids, 1 million items.
    public init() {}
  }

  /// Bytes of the log per id and per item, about, with a whole checkpoint in it and compressed.
  private static let logBytesPerID = 40
  private static let logBytesPerItem = 600

  private let options: Options
  private let site: BenchSite
  private let steps: StepSequence
  private let topics: BenchTopics

  /// A benchmark at a site.
  ///
  /// - Parameter onProgress: what is being done, and how far it is.
  public init(
    _ options: Options, at site: BenchSite, steps: any StepRunner,
    onProgress: @escaping (String, StepProgress) -> Void
  ) {
    self.options = options
    self.site = site
    self.steps = StepSequence(steps, onProgress: onProgress)
    topics = BenchTopics(site)
  }

  /// Writes the state, measures, and takes everything away again.
  ///
  /// - Throws: `BenchmarkError`, `KafkaError`, or the processor's fault.
  public func run() throws -> RestoreReport {
    try checkSize()
    var prefixes: [String] = []
    defer { if !options.keepsTopics { topics.delete(prefixes) } }
    func create(_ prefix: String) throws -> String {
      try topics.create(prefix: prefix)
      prefixes.append(prefix)
      return prefix
    }
    let full = try create(site.prefix)
    let load = StateLoad(ids: options.ids, items: options.items, seed: options.seed)
    let state = try steps.run(.writeState(load), full, "writing the state", \.state)
    var report = RestoreReport(
      options: options, bootstrapServers: site.cluster.bootstrapServers,
      isEmbedded: site.cluster.isEmbedded, isolatesSteps: steps.isolatesSteps, state: state)
    for run in 1...options.runs {
      let suffix = "run \(run) of \(options.runs)"
      let reading = try steps.run(
        .readLog(topic: "state"), full, "reading the log, \(suffix)", \.reading)
      let restoration = try restore(
        RestoreOptions(workers: options.workers), full, "restoring from the log, \(suffix)")
      try check(restoration, against: state)
      report.add(reading, restoration)
    }
    try measureSnapshots(&report, state: state, prefix: full)
    for run in 1...options.runs {
      // Every run finds a deployment that has never decided anything.
      let empty = try create("\(site.prefix)-empty-\(run)")
      try steps.run(.publishProbes(number: run), empty, "publishing")
      let start = RestoreOptions(workers: options.workers, decided: Int64(options.partitions))
      report.addEmpty(
        try restore(start, empty, "starting without state, run \(run) of \(options.runs)"))
    }
    report.end()
    return report
  }

  private func measureSnapshots(
    _ report: inout RestoreReport, state: WrittenState, prefix: String
  ) throws {
    let folder = try SnapshotFolder(in: options.stateDirectory)
    defer { folder.remove() }
    var start = RestoreOptions(workers: options.workers, stateDirectory: folder.path)
    let first = try restore(start, prefix, "writing snapshots")
    report.addSnapshots(
      bytes: try folder.bytes(), seconds: first.secondsToStop, areInMemory: folder.isInMemory)
    var probes = 0
    for run in 1...options.runs {
      for isCold in folder.isInMemory ? [false] : [false, true] {
        probes += 1
        try steps.run(.publishProbes(number: probes), prefix, "publishing")
        if isCold { try folder.evict() }
        start.decided = state.decided + Int64(probes * options.partitions)
        let place = isCold ? "on disk" : "in memory"
        let restoration = try restore(
          start, prefix, "restarting from snapshots \(place), run \(run) of \(options.runs)")
        guard restoration.windows == state.windows, restoration.ids >= state.ids else {
          throw BenchmarkError(
            "the processor came back from its snapshots without its state: this is a fault")
        }
        report.add(restoration, fromDisk: isCold)
      }
    }
  }

  private func restore(_ start: RestoreOptions, _ prefix: String, _ title: String) throws -> Restoration {
    try steps.run(.restore(start), prefix, title, \.restoration)
  }

  /// An embedded cluster drops what it has no room for, and then there is nothing to restore.
  private func checkSize() throws {
    guard let room = site.embeddedRoom else { return }
    let needed = options.ids * Self.logBytesPerID + options.items * Self.logBytesPerItem
    guard needed > room else { return }
    let share = Double(room) / Double(needed)
    throw BenchmarkError(
      "the embedded cluster keeps 5 MiB of each partition, and this state takes about \(needed >> 20) MiB in "
        + "\(options.partitions): name a real cluster (KAFKA_BOOTSTRAP_SERVERS=host:port), or ask for less, such as "
        + "--ids \(Int(Double(options.ids) * share)) --items \(Int(Double(options.items) * share))")
  }

  private func check(_ restoration: Restoration, against state: WrittenState) throws {
    guard restoration.ids == state.ids, restoration.windows == state.windows else {
      throw BenchmarkError(
        "the restored processor has \(restoration.ids) ids and \(restoration.windows) windows, but "
          + "\(state.ids) and \(state.windows) were written: this is a fault")
    }
  }
}
