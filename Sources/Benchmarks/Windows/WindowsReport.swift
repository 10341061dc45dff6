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

  /// Always `windows`.
  public let benchmark = "windows"
  /// What it ran on, and the load when it began.
  public let machine = Machine()
  /// The load average when it ended.
  public private(set) var loadAverageAtEnd: Double?
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
  /// Runs of each kind.
  public let runs: Int
  /// Decides who gets what.
  public let seed: UInt64
  /// What was measured.
  public var rows: [Row]

  init(_ options: WindowsBenchmark.Options) {
    windows = options.windows
    items = options.items
    rate = options.rate
    seconds = options.seconds
    partitions = options.partitions
    runs = options.runs
    seed = options.seed
    rows = [Row("due one after another", .steady), Row("due at one instant", .together)]
  }

  mutating func end() { loadAverageAtEnd = Machine().loadAverage }

  /// The report as JSON, with a line's end.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}
