/// `tidings bench pipeline`: what an event costs without Kafka, and that it does not cost more with a large state.
///
/// Each size is measured in turn (10^4, 10^5 … 10^4, 10^5 …), so that what else the machine does falls on all.
public struct PipelineBenchmark {
  /// What is measured.
  public struct Options: BenchmarkOptions {
    /// Ids that the dedup horizon holds, a row each.
    public var ids = [10_000, 100_000, 1_000_000, 10_000_000]
    /// Open windows, a row each.
    public var windows = [10_000, 100_000, 1_000_000]
    /// The ids that are there where the number of windows or the kind of event varies.
    public var commonIDs = 100_000
    /// From how many recipients is drawn.
    public var recipients = 200_000
    /// Events that are timed in each run.
    public var events = 1_000_000
    /// Events before them: as many as come in the ten seconds of the clock in which windows begin to close.
    public var warmUp = 1_000_000
    /// Only the rows whose name has this in it; nil for all.
    public var only: String?
    /// Home partitions.
    public var partitions = 16
    /// Runs of each row.
    public var runs = 3
    /// Decides who gets what.
    public var seed: UInt64 = 1

    /// The sizes of the promise.
    public init() {}
  }

  /// The names of all rows.
  public static var rowNames: [String] {
    PipelineReport.allRows(Options()).map(\.name).reduce(into: []) { names, name in
      if !names.contains(name) { names.append(name) }
    }
  }

  private let options: Options
  private let steps: StepSequence

  /// A benchmark.
  ///
  /// - Parameter onProgress: what is being done, and how far it is.
  public init(
    _ options: Options, steps: any StepRunner, onProgress: @escaping (String, StepProgress) -> Void
  ) {
    self.options = options
    self.steps = StepSequence(steps, onProgress: onProgress)
  }

  /// Measures.
  ///
  /// - Throws: `BenchmarkError`, or what made a step fail.
  public func run() throws -> PipelineReport {
    var report = PipelineReport(options)
    for run in 1...options.runs {
      for index in report.rows.indices {
        let row = report.rows[index]
        let title =
          "\(row.name) with \(row.ids) ids and \(row.windows) windows, run \(run) of \(options.runs)"
        let load = PipelineLoad(
          kind: row.kind, ids: row.ids, windows: row.windows, events: options.events,
          warmUp: options.warmUp, recipients: options.recipients, partitions: options.partitions,
          seed: options.seed)
        report.rows[index].add(try steps.run(.pipeline(load), "", title, \.pipeline))
      }
    }
    report.end()
    return report
  }
}
