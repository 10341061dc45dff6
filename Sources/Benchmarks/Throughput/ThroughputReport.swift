import Contract

/// What `tidings bench passthrough` and `tidings bench processor` found out.
public struct ThroughputReport: Encodable, Sendable {
  /// The runs of one kind.
  public struct Measurement: Encodable, Sendable {
    /// Events a second.
    public var eventsPerSecond = RunSeries([])
    /// Its events a second over those of the pass-through beside it, run by run.
    public var ratio = RunSeries([])
    /// Processor seconds of all threads per million events; none where steps share a process.
    public var cpuSecondsPerMillion = RunSeries([])
    /// The same over that of the pass-through.
    public var cpuRatio = RunSeries([])
    /// Peak of resident memory in MB (10⁶ bytes); none where steps share a process.
    public var peakMegabytes = RunSeries([])
    /// Records written per event.
    public var recordsPerEvent = RunSeries([])
    /// Bytes of values written per event, uncompressed.
    public var bytesPerEvent = RunSeries([])
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
  /// Events of each run.
  public let events: Int
  /// Home partitions.
  public let partitions: Int
  /// Threads of the processor.
  public let workers: Int
  /// Runs of each kind.
  public let runs: Int
  /// Decides who gets what.
  public let seed: UInt64
  /// A: copied without a look.
  public private(set) var passThrough = Measurement()
  /// B: decided by the processor.
  public private(set) var processor = Measurement()

  private let isolatesSteps: Bool

  private enum CodingKeys: String, CodingKey {
    case benchmark, machine, loadAverageAtEnd, bootstrapServers, isEmbedded, events, partitions, workers, runs
    case seed, passThrough, processor
  }

  init(
    _ options: ThroughputBenchmark.Options, bootstrapServers: String, isEmbedded: Bool, isolatesSteps: Bool
  ) {
    benchmark = options.includesProcessor ? "processor" : "passthrough"
    self.bootstrapServers = bootstrapServers
    self.isEmbedded = isEmbedded
    self.isolatesSteps = isolatesSteps
    events = options.events
    partitions = options.partitions
    workers = options.workers
    runs = options.runs
    seed = options.seed
  }

  /// - Parameter passThrough: what the processor's run is compared with; nil for a pass-through itself.
  mutating func add(
    _ throughput: Throughput, output: (records: Int, bytes: Int64),
    comparedWith passThrough: Throughput? = nil
  ) {
    let path = passThrough == nil ? \ThroughputReport.passThrough : \ThroughputReport.processor
    var measurement = self[keyPath: path]
    measurement.eventsPerSecond.append(throughput.eventsPerSecond)
    measurement.recordsPerEvent.append(Double(output.records) / Double(events))
    measurement.bytesPerEvent.append(Double(output.bytes) / Double(events))
    if let passThrough { measurement.ratio.append(throughput.eventsPerSecond / passThrough.eventsPerSecond) }
    if isolatesSteps {
      measurement.cpuSecondsPerMillion.append(throughput.cpuSecondsPerMillion)
      measurement.peakMegabytes.append(Double(throughput.peakBytes) / 1_000_000)
      if let passThrough {
        measurement.cpuRatio.append(throughput.cpuSecondsPerMillion / passThrough.cpuSecondsPerMillion)
      }
    }
    self[keyPath: path] = measurement
  }

  mutating func end() { loadAverageAtEnd = Machine().loadAverage }

  /// The report as JSON, with a line's end.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}

extension Throughput {
  var eventsPerSecond: Double { Double(events) / max(seconds, .leastNonzeroMagnitude) }
  var cpuSecondsPerMillion: Double { cpuSeconds * 1_000_000 / Double(max(1, events)) }
}
