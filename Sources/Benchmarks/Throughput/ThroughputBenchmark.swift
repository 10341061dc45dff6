import Kafka

/// `tidings bench passthrough` and `tidings bench processor`: events a second in transactions, copied without a look
/// by a loop in C (C) and by the processor's own client (A), and decided by the real processor (B), of the same topic in
/// turn, each run beginning with the next of them (C A B, A B C …); and how soon the processor's deliveries are seen while
/// events come at an even rate.
public struct ThroughputBenchmark {
  /// What is measured.
  public struct Options: ClusterBenchmarkOptions {
    /// Events of each run that are timed, repeats among them.
    public var events = 2_000_000
    /// Events before those, which a processor decides before its time begins: windows of five seconds open and close by
    /// then. Copies are timed with them.
    public var warmUp = 1_000_000
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
    /// Events a second of the loads by which the processor's latency is measured, and what it costs where events come
    /// evenly; none: it is not.
    public var rates = [5_000, 60_000]
    /// Seconds of each that are measured.
    public var seconds = 30
    /// Seconds before those: windows of five seconds open and close by then.
    public var pacedWarmUp = 10
    /// Whether the topics are left behind.
    public var keepsTopics = false
    /// Seconds that a run has to last: a few commits tell nothing of events a second, nor of what an event costs.
    var shortestRun = 1.0

    /// Events that are published for a run.
    var publishedEvents: Int { warmUp + events }

    /// Two million events behind a million, three times.
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
    let prefixes = Prefixes(run: "\(site.prefix)-\(run)")
    let suffix = "run \(run) of \(options.runs)"
    var made: [String] = []
    defer { if !options.keepsTopics { topics.delete(made) } }
    for prefix in [prefixes.run, prefixes.copies, prefixes.plainCopies] {
      try topics.create(prefix: prefix)
      made.append(prefix)
    }
    try steps.run(
      .publishLoad(PublishedLoad(events: options.publishedEvents, seed: options.seed)), prefixes.run,
      "publishing, \(suffix)")
    let kinds = Kind.allCases.filter { options.includesProcessor || $0 != .processor }
    var found: [Kind: Measured] = [:]
    for kind in kinds.rotated(by: run - 1) { found[kind] = try measure(kind, prefixes, suffix) }
    report.add(found[.copyLoop], as: \.copyLoop)
    report.add(found[.passThrough], as: \.passThrough, comparedWith: found[.copyLoop])
    report.add(found[.processor], as: \.processor, comparedWith: found[.passThrough])
    guard options.includesProcessor else { return }
    for (place, rate) in options.rates.enumerated() {
      let (paced, costs) = try pace(rate, "\(prefixes.run)-paced-\(place + 1)", suffix)
      report.add(paced, costs, at: place)
    }
  }

  /// What gets through the load, in the order of the first run.
  private enum Kind: CaseIterable {
    case copyLoop, passThrough, processor
  }

  /// Where a run's topics are: those of the load, and of its two copies.
  private struct Prefixes {
    let run: String
    var copies: String { "\(run)-copies" }
    var plainCopies: String { "\(run)-plain-copies" }
  }

  /// What a run of one kind took, and what it wrote.
  typealias Measured = (throughput: Throughput, output: (records: Int, bytes: Int64))

  private func measure(_ kind: Kind, _ prefixes: Prefixes, _ suffix: String) throws -> Measured {
    func work(_ copyPrefix: String) -> ThroughputOptions {
      ThroughputOptions(
        events: options.publishedEvents, warmUp: options.warmUp, workers: options.workers,
        copyPrefix: copyPrefix)
    }
    func run(
      _ step: Step, _ title: String, output names: [String], under prefix: String
    ) throws -> Measured {
      let throughput = try steps.run(step, prefixes.run, "\(title), \(suffix)", \.throughput)
      return (throughput, try output(names, prefix, suffix))
    }
    switch kind {
    case .copyLoop:
      return try run(
        .copyLoop(work(prefixes.plainCopies)), "copying in C", output: ["events"], under: prefixes.plainCopies
      )
    case .passThrough:
      return try run(
        .passThrough(work(prefixes.copies)), "copying", output: ["events"], under: prefixes.copies)
    case .processor:
      return try run(
        .process(work(prefixes.copies)), "deciding", output: Self.outputTopics, under: prefixes.run)
    }
  }

  private func pace(
    _ rate: Int, _ prefix: String, _ suffix: String
  ) throws -> (PacedMeasurement, Throughput) {
    try topics.create(prefix: prefix)
    defer { if !options.keepsTopics { topics.delete([prefix]) } }
    // Only the recipients: the events come while the processor decides.
    try steps.run(
      .publishLoad(PublishedLoad(events: 0, seed: options.seed)), prefix, "publishing recipients, \(suffix)")
    let load = PacedLoad(
      rate: rate, warmUp: options.pacedWarmUp, seconds: options.seconds, seed: options.seed)
    // One event of each partition comes before them.
    let work = ThroughputOptions(
      events: options.partitions + load.events, warmUp: options.partitions + load.eventsBefore,
      workers: options.workers, copyPrefix: prefix)
    return try steps.run(
      .pace(load), beside: .process(work), prefix, "deciding \(rate) events a second, \(suffix)", \.paced,
      \.throughput)
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
    let highest = options.rates.max() ?? 0
    let paced = options.includesProcessor ? highest * (options.pacedWarmUp + options.seconds) : 0
    guard paced * Self.bytesPerEvent <= room else {
      throw BenchmarkError(
        "the embedded cluster keeps 5 MiB of each partition, and \(paced) events at an even rate take more: name a real "
          + "cluster (KAFKA_BOOTSTRAP_SERVERS=host:port), or ask for at most "
          + "--rate \(room / Self.bytesPerEvent / (options.pacedWarmUp + options.seconds)); --rate 0 leaves it out"
      )
    }
    guard options.publishedEvents * Self.bytesPerEvent > room else { return }
    throw BenchmarkError(
      "the embedded cluster keeps 5 MiB of each partition, and \(options.publishedEvents) events take more in "
        + "\(options.partitions): name a real cluster (KAFKA_BOOTSTRAP_SERVERS=host:port), or ask for at most "
        + "--events \(room / Self.bytesPerEvent), those of --warm-up among them")
  }
}

extension Array {
  /// The same elements, beginning with the one at that place, and going round.
  func rotated(by places: Int) -> [Element] {
    guard !isEmpty else { return [] }
    let first = places % count
    return Array(self[first...] + self[..<first])
  }
}
