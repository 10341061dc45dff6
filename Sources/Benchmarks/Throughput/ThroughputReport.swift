import Contract

/// What `tidings bench passthrough` and `tidings bench processor` found out.
public struct ThroughputReport: Encodable, Sendable {
  /// The runs of one kind. Of a run of less than a second there are only its commits and its output: events a second,
  /// costs and what is compared with it are left out, and it counts as a short run.
  public struct Measurement: Encodable, Sendable {
    /// Runs of less than a second.
    public var shortRuns = 0
    /// Events a second.
    public var eventsPerSecond = RunSeries([])
    /// Its events a second over those of what is beside it, run by run: of the loop in C for the pass-through, of the
    /// pass-through for the processor.
    public var ratio = RunSeries([])
    /// Processor seconds of all threads per million events; none where steps share a process.
    public var cpuSecondsPerMillion = RunSeries([])
    /// The same over that of what is beside it.
    public var cpuRatio = RunSeries([])
    /// Peak of resident memory in MB (10⁶ bytes); none where steps share a process.
    public var peakMegabytes = RunSeries([])
    /// Milliseconds from the beginning of a commit until it was confirmed, of half of them; none where nobody tells.
    public var commitP50 = RunSeries([])
    /// The same of 99 in a hundred.
    public var commitP99 = RunSeries([])
    /// Records written per event, of all that were published for the run.
    public var recordsPerEvent = RunSeries([])
    /// Bytes of values written per event, uncompressed.
    public var bytesPerEvent = RunSeries([])
    /// Windows that were open when a processor's time began; none of a copy.
    public var windowsBefore = RunSeries([])
    /// The same when it ended: about as many, where windows close as fast as they open.
    public var windowsAfter = RunSeries([])
  }

  /// How soon immediate deliveries are seen while events come at an even rate, and what the processor costs then.
  public struct Pace: Encodable, Sendable {
    /// Events a second.
    public let rate: Int
    /// Seconds that were measured.
    public let seconds: Int
    /// Deliveries that were seen, of all runs.
    public internal(set) var deliveries = 0
    /// Milliseconds from the instant at which an event was to be published until a reader of committed records saw its delivery:
    /// of half of them.
    public internal(set) var p50 = RunSeries([])
    /// Of 95 in a hundred.
    public internal(set) var p95 = RunSeries([])
    /// Of 99 in a hundred.
    public internal(set) var p99 = RunSeries([])
    /// The longest.
    public internal(set) var max = RunSeries([])
    /// The part until the event was decided, of half of them.
    public internal(set) var decidedP50 = RunSeries([])
    /// The same of 99 in a hundred.
    public internal(set) var decidedP99 = RunSeries([])
    /// How late the publisher itself was at most, which is in those times.
    public internal(set) var publisherLate = RunSeries([])
    /// Processor seconds of all the processor's threads per million events; none where steps share a process.
    public internal(set) var cpuSecondsPerMillion = RunSeries([])
    /// Peak of its resident memory since its start, when it reads all recipients, in MB (10⁶ bytes); none where steps share
    /// a process.
    public internal(set) var peakMegabytes = RunSeries([])
    /// Commits a second.
    public internal(set) var commitsPerSecond = RunSeries([])
    /// Milliseconds that one took from its beginning until it was confirmed: half of them.
    public internal(set) var commitP50 = RunSeries([])
    /// The same of 99 in a hundred.
    public internal(set) var commitP99 = RunSeries([])
  }

  /// `passthrough`, or `processor` where both were measured.
  public let benchmark: String
  /// What it ran on, and the load when it began.
  public let machine = Machine()
  /// The load average when it ended.
  public private(set) var loadAverageAtEnd: Double?
  /// The brokers.
  public let bootstrapServers: String
  /// Whether the brokers were embedded ones.
  public let isEmbedded: Bool
  /// Events of each run that are timed.
  public let events: Int
  /// Events before those, which a processor decides before its time begins; copies are timed with them.
  public let warmUp: Int
  /// Home partitions.
  public let partitions: Int
  /// Threads of the processor.
  public let workers: Int
  /// Runs of each kind.
  public let runs: Int
  /// Decides who gets what.
  public let seed: UInt64
  /// C: copied without a look by a loop in C.
  public internal(set) var copyLoop = Measurement()
  /// A: copied without a look.
  public internal(set) var passThrough = Measurement()
  /// B: decided by the processor.
  public internal(set) var processor = Measurement()
  /// The processor at even rates.
  public private(set) var paces: [Pace] = []

  private let isolatesSteps: Bool
  private let shortestRun: Double

  private enum CodingKeys: String, CodingKey {
    case benchmark, machine, loadAverageAtEnd, bootstrapServers, isEmbedded, events, warmUp, partitions,
      workers
    case runs, seed, copyLoop, passThrough, processor, paces
  }

  init(
    _ options: ThroughputBenchmark.Options, bootstrapServers: String, isEmbedded: Bool, isolatesSteps: Bool
  ) {
    benchmark = options.includesProcessor ? "processor" : "passthrough"
    self.bootstrapServers = bootstrapServers
    self.isEmbedded = isEmbedded
    self.isolatesSteps = isolatesSteps
    shortestRun = options.shortestRun
    events = options.events
    warmUp = options.warmUp
    partitions = options.partitions
    workers = options.workers
    runs = options.runs
    seed = options.seed
    if options.includesProcessor { paces = options.rates.map { Pace(rate: $0, seconds: options.seconds) } }
  }

  /// - Parameters:
  ///   - measured: nil where it was not.
  ///   - limit: what the run is compared with.
  mutating func add(
    _ measured: ThroughputBenchmark.Measured?, as path: WritableKeyPath<ThroughputReport, Measurement>,
    comparedWith limit: ThroughputBenchmark.Measured? = nil
  ) {
    guard let (throughput, output) = measured else { return }
    let limit = limit?.throughput
    var measurement = self[keyPath: path]
    let published = Double(warmUp + events)
    measurement.recordsPerEvent.append(Double(output.records) / published)
    measurement.bytesPerEvent.append(Double(output.bytes) / published)
    if let windows = throughput.windowsBefore { measurement.windowsBefore.append(Double(windows)) }
    if let windows = throughput.windowsAfter { measurement.windowsAfter.append(Double(windows)) }
    if let commits = throughput.commits {
      measurement.commitP50.append(commits.p50)
      measurement.commitP99.append(commits.p99)
    }
    if throughput.seconds >= shortestRun {
      let limit = limit.flatMap { $0.seconds >= shortestRun ? $0 : nil }
      measurement.add(throughput, comparedWith: limit, isIsolated: isolatesSteps)
    } else {
      measurement.shortRuns += 1
    }
    self[keyPath: path] = measurement
  }

  /// - Parameter place: of the rate.
  mutating func add(_ paced: PacedMeasurement, _ costs: Throughput, at place: Int) {
    var pace = paces[place]
    pace.deliveries += paced.latency.count
    pace.p50.append(paced.latency.p50)
    pace.p95.append(paced.latency.p95)
    pace.p99.append(paced.latency.p99)
    pace.max.append(paced.latency.max)
    pace.decidedP50.append(paced.decided.p50)
    pace.decidedP99.append(paced.decided.p99)
    pace.publisherLate.append(paced.publisherLate)
    if isolatesSteps {
      pace.cpuSecondsPerMillion.append(costs.cpuSecondsPerMillion)
      pace.peakMegabytes.append(costs.peakMegabytes)
    }
    if let commits = costs.commits {
      pace.commitsPerSecond.append(Double(commits.count) / max(costs.seconds, .leastNonzeroMagnitude))
      pace.commitP50.append(commits.p50)
      pace.commitP99.append(commits.p99)
    }
    paces[place] = pace
  }

  /// Runs of less than a second, of every kind.
  public var shortRuns: Int { copyLoop.shortRuns + passThrough.shortRuns + processor.shortRuns }

  mutating func end() { loadAverageAtEnd = Machine().loadAverage }

  /// The report as JSON, with a line's end.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}

extension ThroughputReport.Measurement {
  /// Adds what a run tells that was long enough.
  fileprivate mutating func add(_ run: Throughput, comparedWith limit: Throughput?, isIsolated: Bool) {
    eventsPerSecond.append(run.eventsPerSecond)
    if let limit { ratio.append(run.eventsPerSecond / limit.eventsPerSecond) }
    guard isIsolated else { return }
    cpuSecondsPerMillion.append(run.cpuSecondsPerMillion)
    peakMegabytes.append(run.peakMegabytes)
    if let limit { cpuRatio.append(run.cpuSecondsPerMillion / limit.cpuSecondsPerMillion) }
  }
}

extension Throughput {
  var eventsPerSecond: Double { Double(events) / max(seconds, .leastNonzeroMagnitude) }
  var cpuSecondsPerMillion: Double { cpuSeconds * 1_000_000 / Double(max(1, events)) }
  var peakMegabytes: Double { Double(peakBytes) / 1_000_000 }
}
