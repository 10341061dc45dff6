import Contract

/// What `tidings bench windows` found out.
public struct WindowsReport: Encodable, Sendable {
  /// The runs of windows that are due in one way.
  public struct Row: Encodable, Sendable {
    /// When the windows are due.
    public let name: String
    /// When the windows are due.
    public let kind: WindowsLoad.Kind
    /// Digests of all runs.
    public private(set) var digests = 0
    /// How many of them were more than a second late.
    public private(set) var late = 0
    /// Milliseconds from the due time until the digest was handed over, of half of the digests.
    public private(set) var lateP50 = RunSeries([])
    /// The same of 99 in a hundred.
    public private(set) var lateP99 = RunSeries([])
    /// The same of the last one.
    public private(set) var lateMax = RunSeries([])
    /// Milliseconds from the instant at which an event came until its decision was handed over, of 99 in a hundred.
    public private(set) var waitP99 = RunSeries([])
    /// The same of the last one.
    public private(set) var waitMax = RunSeries([])
    /// Digests a second, from the first that was due until the last one was handed over.
    public private(set) var digestsPerSecond = RunSeries([])
    /// The first closing of due windows in one partition, in milliseconds.
    public private(set) var firstTick = RunSeries([])
    /// The longest one.
    public private(set) var longestTick = RunSeries([])
    /// The longest turn of the worker, in milliseconds.
    public private(set) var longestTurn = RunSeries([])
    /// Resident bytes per window.
    public private(set) var bytesPerWindow = RunSeries([])
    /// The most memory that was resident, in MB (10⁶ bytes).
    public private(set) var peakMegabytes = RunSeries([])

    init(_ name: String, _ kind: WindowsLoad.Kind) {
      self.name = name
      self.kind = kind
    }

    /// Whether every digest of every run was handed over within a second of its due time.
    public var isWithinSecond: Bool { late == 0 }

    mutating func add(_ measurement: WindowsMeasurement) {
      digests += measurement.lateness.count
      late += measurement.lateness.beyondSecond
      lateP50.append(measurement.lateness.p50)
      lateP99.append(measurement.lateness.p99)
      lateMax.append(measurement.lateness.max)
      waitP99.append(measurement.waits.p99)
      waitMax.append(measurement.waits.max)
      digestsPerSecond.append(
        Double(measurement.lateness.count) / max(measurement.seconds, .leastNonzeroMagnitude))
      firstTick.append(measurement.firstTick)
      longestTick.append(measurement.longestTick)
      longestTurn.append(measurement.longestTurn)
      if let bytes = measurement.bytesPerWindow { bytesPerWindow.append(bytes) }
      peakMegabytes.append(Double(measurement.peakBytes) / 1_000_000)
    }
  }

  /// The runs of the real processor with windows that are due in one way.
  public struct Processor: Encodable, Sendable {
    /// When the windows are due.
    public let kind: WindowsLoad.Kind
    /// Windows that were open when the first one was due.
    public fileprivate(set) var windows = 0
    /// Digests of all runs.
    public fileprivate(set) var digests = 0
    /// How many of them were seen more than a second after they were due.
    public fileprivate(set) var late = 0
    /// Milliseconds from the due time until a reader of committed records saw the digest, of half of the digests.
    public fileprivate(set) var lateP50 = RunSeries([])
    /// The same of 99 in a hundred.
    public fileprivate(set) var lateP99 = RunSeries([])
    /// The same of the last one.
    public fileprivate(set) var lateMax = RunSeries([])
    /// Milliseconds from the instant at which an event was to be published until a reader of committed records saw its
    /// delivery, of 99 in a hundred.
    public fileprivate(set) var waitP99 = RunSeries([])
    /// The same of the last one.
    public fileprivate(set) var waitMax = RunSeries([])
    /// The part of it until the event was decided, of 99 in a hundred; the rest is commits and the reader.
    public fileprivate(set) var decidedP99 = RunSeries([])
    /// Digests a second, from the first that was due until the last one was seen.
    public fileprivate(set) var digestsPerSecond = RunSeries([])
    /// Processor seconds of all threads in that span, the reader's and the publisher's among them.
    public fileprivate(set) var cpuSeconds = RunSeries([])
    /// The most memory that was resident, in MB (10⁶ bytes), with the reader's and the publisher's.
    public fileprivate(set) var peakMegabytes = RunSeries([])

    /// Whether every digest of every run was seen within a second of its due time.
    public var isWithinSecond: Bool { late == 0 }
  }

  /// Always `windows`.
  public let benchmark = "windows"
  /// What it ran on, and the load when it began.
  public let machine = Machine()
  /// The load average when it ended.
  public private(set) var loadAverageAtEnd: Double?
  /// The brokers.
  public let bootstrapServers: String
  /// Whether the brokers were embedded ones, on which the real processor is not measured.
  public let isEmbedded: Bool
  /// Windows that were open.
  public let windows: Int
  /// Notifications in each.
  public let items: Int
  /// Windows a second that came due, and events a second.
  public let rate: Int
  /// Seconds in which windows were watched that came due one after another.
  public let seconds: Int
  /// Home partitions.
  public let partitions: Int
  /// Threads of the real processor.
  public let workers: Int
  /// Runs of each kind.
  public let runs: Int
  /// Decides who gets what.
  public let seed: UInt64
  /// The state machines alone.
  public var rows: [Row]
  /// The real processor; empty where it was not measured.
  public private(set) var processor: [Processor] = []

  init(_ options: WindowsBenchmark.Options, bootstrapServers: String, isEmbedded: Bool) {
    self.bootstrapServers = bootstrapServers
    self.isEmbedded = isEmbedded
    windows = options.windows
    items = options.items
    rate = options.rate
    seconds = options.seconds
    partitions = options.partitions
    workers = options.workers
    runs = options.runs
    seed = options.seed
    rows = WindowsLoad.Kind.allCases.map { Row($0.name, $0) }
  }

  mutating func add(_ firing: Firing, _ kind: WindowsLoad.Kind) {
    let index =
      processor.firstIndex { $0.kind == kind }
      ?? {
        processor.append(Processor(kind: kind))
        return processor.count - 1
      }()
    processor[index].windows = firing.windows
    processor[index].digests += firing.lateness.count
    processor[index].late += firing.lateness.beyondSecond
    processor[index].lateP50.append(firing.lateness.p50)
    processor[index].lateP99.append(firing.lateness.p99)
    processor[index].lateMax.append(firing.lateness.max)
    processor[index].waitP99.append(firing.waits.p99)
    processor[index].waitMax.append(firing.waits.max)
    processor[index].decidedP99.append(firing.decided.p99)
    processor[index].digestsPerSecond.append(
      Double(firing.lateness.count) / max(firing.seconds, .leastNonzeroMagnitude))
    processor[index].cpuSeconds.append(firing.cpuSeconds)
    processor[index].peakMegabytes.append(Double(firing.peakBytes) / 1_000_000)
  }

  mutating func end() { loadAverageAtEnd = Machine().loadAverage }

  /// The report as JSON, with a line's end.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}
