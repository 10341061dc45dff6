import Kafka

/// `tidings bench passthrough` and `tidings bench processor`: events a second in transactions, copied without a look
/// by a loop in C (C) and by the processor's own client (A), and decided by the real processor (B), of the same topic in turn (A B A B …); and how soon the processor's deliveries
/// are seen while events come at an even rate.
public struct ThroughputBenchmark {
  /// What is measured.
  public struct Options: ClusterBenchmarkOptions {
    /// Events of each run, repeats among them.
    public var events = 2_000_000
    /// Home partitions.
    public var partitions = 16
    /// Threads of the processor.
    public var workers = 1
    /// Runs of each kind.
    public var runs = 3
    /// Decides who gets what.
    public var seed: UInt64 = 1
    /// Whether the processor is measured beside the pass-through.
    public var includesProcessor = true
    /// Events a second of the load by which the processor's latency is measured; nil: it is not.
    public var rate: Int? = 5_000
    /// Seconds of that load that are measured.
    public var seconds = 30
    /// Seconds of it before those: windows of five seconds open and close by then.
    public var warmUp = 10
    /// Whether the topics are left behind.
    public var keepsTopics = false
    /// Seconds that a run has to last: a few commits tell nothing of events a second, nor of what an event costs.
    var shortestRun = 1.0

    /// Two million events, three times.
    public init() {}
  }

  /// Bytes that an event takes in an embedded cluster, about: itself, its copy, and what is made of it.
  private static let bytesPerEvent = 1_000

  /// The topics of a processor's output, without the prefix.
  static let outputTopics = ["delivery.email", "delivery.inapp", "decisions", "state"]

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

  /// Publishes, measures, and takes everything away again.
  ///
  /// - Throws: `BenchmarkError`, `KafkaError`, or the processor's fault.
  public func run() throws -> ThroughputReport {
    try checkSize()
    var report = ThroughputReport(
      options, bootstrapServers: site.cluster.bootstrapServers, isEmbedded: site.cluster.isEmbedded,
      isolatesSteps: steps.isolatesSteps)
    // Every run finds a deployment that has never decided anything.
    for run in 1...options.runs { try measure(run, &report) }
    report.end()
    return report
  }

  private func measure(_ run: Int, _ report: inout ThroughputReport) throws {
    let prefix = "\(site.prefix)-\(run)"
    let copies = "\(prefix)-copies"
    let plainCopies = "\(prefix)-plain-copies"
    let suffix = "run \(run) of \(options.runs)"
    var made: [String] = []
    defer { if !options.keepsTopics { topics.delete(made) } }
    for prefix in [prefix, copies, plainCopies] {
      try topics.create(prefix: prefix)
      made.append(prefix)
    }
    try steps.run(
      .publishLoad(PublishedLoad(events: options.events, seed: options.seed)), prefix, "publishing, \(suffix)"
    )
    var work = ThroughputOptions(events: options.events, workers: options.workers, copyPrefix: plainCopies)
    let plain = try steps.run(.copyLoop(work), prefix, "copying in C, \(suffix)", \.throughput)
    report.add(plain, as: \.copyLoop, output: try output(["events"], plainCopies, suffix))
    work.copyPrefix = copies
    let copied = try steps.run(.passThrough(work), prefix, "copying, \(suffix)", \.throughput)
    report.add(
      copied, as: \.passThrough, output: try output(["events"], copies, suffix), comparedWith: plain)
    guard options.includesProcessor else { return }
    let decided = try steps.run(.process(work), prefix, "deciding, \(suffix)", \.throughput)
    report.add(
      decided, as: \.processor, output: try output(Self.outputTopics, prefix, suffix), comparedWith: copied)
    if let rate = options.rate { report.add(try pace(rate, "\(prefix)-paced", suffix)) }
  }

  private func pace(_ rate: Int, _ prefix: String, _ suffix: String) throws -> PacedMeasurement {
    try topics.create(prefix: prefix)
    defer { if !options.keepsTopics { topics.delete([prefix]) } }
    // Only the recipients: the events come while they are decided.
    try steps.run(
      .publishLoad(PublishedLoad(events: 0, seed: options.seed)), prefix, "publishing recipients, \(suffix)")
    let load = PacedLoad(
      rate: rate, warmUp: options.warmUp, seconds: options.seconds, workers: options.workers,
      seed: options.seed)
    return try steps.run(
      .pace(load), prefix, "deciding \(rate) events a second, \(suffix)", \.paced)
  }

  private func output(
    _ names: [String], _ prefix: String, _ suffix: String
  ) throws -> (records: Int, bytes: Int64) {
    var sum: (records: Int, bytes: Int64) = (0, 0)
    for name in names {
      let reading = try steps.run(
        .readLog(topic: name), prefix, "counting the output in \(name), \(suffix)", \.reading)
      sum.records += reading.records
      sum.bytes += reading.bytes
    }
    return sum
  }

  /// An embedded cluster drops what it has no room for.
  private func checkSize() throws {
    guard let room = site.embeddedRoom else { return }
    let paced = options.includesProcessor ? (options.rate ?? 0) * (options.warmUp + options.seconds) : 0
    guard paced * Self.bytesPerEvent <= room else {
      throw BenchmarkError(
        "the embedded cluster keeps 5 MiB of each partition, and \(paced) events at an even rate take more: name a real "
          + "cluster (KAFKA_BOOTSTRAP_SERVERS=host:port), or ask for at most "
          + "--rate \(room / Self.bytesPerEvent / (options.warmUp + options.seconds)); --rate 0 leaves it out"
      )
    }
    guard options.events * Self.bytesPerEvent > room else { return }
    throw BenchmarkError(
      "the embedded cluster keeps 5 MiB of each partition, and \(options.events) events take more in "
        + "\(options.partitions): name a real cluster (KAFKA_BOOTSTRAP_SERVERS=host:port), or ask for at most "
        + "--events \(room / Self.bytesPerEvent)")
  }
}
