import Contract

/// What `tidings bench pipeline` found out.
public struct PipelineReport: Encodable, Sendable {
  /// The runs of one size or kind of event.
  public struct Row: Encodable, Sendable {
    /// What goes through the pipelines.
    public let name: String
    /// Which events.
    public let kind: PipelineLoad.Kind
    /// Ids that were there beforehand.
    public let ids: Int
    /// Windows that were open all the time.
    public let windows: Int
    /// Nanoseconds of one processor per event; per window where those are closed and no events come.
    public private(set) var nanosecondsPerEvent = RunSeries([])
    /// Of those: applying the event.
    public private(set) var applyNanoseconds = RunSeries([])
    /// Of those: closing windows.
    public private(set) var closeNanoseconds = RunSeries([])
    /// Of those: commits.
    public private(set) var sealNanoseconds = RunSeries([])
    /// How often an event asks for memory.
    public private(set) var allocationsPerEvent = RunSeries([])
    /// Bytes of output per event.
    public private(set) var outputBytesPerEvent = RunSeries([])
    /// Resident bytes per id.
    public private(set) var bytesPerID = RunSeries([])
    /// Resident bytes per window.
    public private(set) var bytesPerWindow = RunSeries([])
    /// Resident bytes that are left of a window, and of the id of its event, once all windows are closed.
    public private(set) var bytesKeptPerWindow = RunSeries([])
    /// The most memory that was resident, in MB (10⁶ bytes).
    public private(set) var peakMegabytes = RunSeries([])

    init(_ name: String, _ kind: PipelineLoad.Kind, ids: Int, windows: Int = 0) {
      self.name = name
      self.kind = kind
      self.ids = ids
      self.windows = windows
    }

    /// Events a second on one processor, of the median.
    public var eventsPerSecond: Double? { nanosecondsPerEvent.median.map { 1_000_000_000 / $0 } }

    private enum CodingKeys: String, CodingKey {
      case name, ids, windows, nanosecondsPerEvent, applyNanoseconds, closeNanoseconds, sealNanoseconds
      case allocationsPerEvent, outputBytesPerEvent, bytesPerID, bytesPerWindow, bytesKeptPerWindow
      case peakMegabytes
    }

    mutating func add(_ measurement: PipelineMeasurement) {
      let events = Double(max(1, measurement.events))
      nanosecondsPerEvent.append(measurement.nanosecondsPerEvent)
      applyNanoseconds.append(Double(measurement.applyNanoseconds) / events)
      closeNanoseconds.append(Double(measurement.closeNanoseconds) / events)
      sealNanoseconds.append(Double(measurement.sealNanoseconds) / events)
      if let allocations = measurement.allocations {
        allocationsPerEvent.append(Double(allocations) / events)
      }
      outputBytesPerEvent.append(Double(measurement.outputBytes) / events)
      if let bytes = measurement.bytesPerID { bytesPerID.append(bytes) }
      if let bytes = measurement.bytesPerWindow { bytesPerWindow.append(bytes) }
      if let bytes = measurement.bytesKeptPerWindow { bytesKeptPerWindow.append(bytes) }
      peakMegabytes.append(Double(measurement.peakBytes) / 1_000_000)
    }
  }

  /// Always `pipeline`.
  public let benchmark = "pipeline"
  /// What it ran on, and the load when it began.
  public let machine = Machine()
  /// The load average when it ended.
  public private(set) var loadAverageAtEnd: Double?
  /// Events that were timed in each run.
  public let events: Int
  /// Home partitions.
  public let partitions: Int
  /// Runs of each row.
  public let runs: Int
  /// Decides who gets what.
  public let seed: UInt64
  /// What was measured.
  public var rows: [Row]

  init(_ options: PipelineBenchmark.Options) {
    events = options.events
    partitions = options.partitions
    runs = options.runs
    seed = options.seed
    rows = Self.allRows(options).filter { row in options.only.map { row.name.contains($0) } ?? true }
  }

  static func allRows(_ options: PipelineBenchmark.Options) -> [Row] {
    let common = options.commonIDs
    var rows = options.ids.map { Row("the load", .mixed, ids: $0) }
    rows += options.windows.map { Row("the load", .mixed, ids: common, windows: $0) }
    rows += options.windows.map { Row("windows closed", .closing, ids: common, windows: $0) }
    rows += [Row("decoding alone", .decoding, ids: 0), Row("repeats", .repeats, ids: common)]
    return rows + LoadCatalog.shares.indices.map { Row(LoadCatalog.shares[$0].type, .only($0), ids: common) }
  }

  mutating func end() { loadAverageAtEnd = Machine().loadAverage }

  /// The report as JSON, with a line's end.
  public func json() throws -> String {
    try JSONDocument.text(self, as: .indented)
  }
}
