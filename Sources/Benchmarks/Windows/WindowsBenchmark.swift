/// `tidings bench windows`: how late digests are where very many windows are open, without Kafka.
///
/// Windows that come due one after another, and as many that are due at one instant, in turn.
public struct WindowsBenchmark {
  /// What is measured.
  public struct Options: BenchmarkOptions {
    /// Windows that are open.
    public var windows = 1_000_000
    /// Notifications in each.
    public var items = 1
    /// Windows a second that come due, and events a second that come meanwhile.
    public var rate = 2_000
    /// Seconds in which windows are watched that come due one after another.
    public var seconds = 30
    /// Home partitions.
    public var partitions = 16
    /// Runs of each kind.
    public var runs = 3
    /// Decides who gets what.
    public var seed: UInt64 = 1

    /// The size of the promise: a million windows.
    public init() {}
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
  public func run() throws -> WindowsReport {
    var report = WindowsReport(options)
    for run in 1...options.runs {
      for index in report.rows.indices {
        let row = report.rows[index]
        let load = WindowsLoad(
          kind: row.kind, windows: options.windows, items: options.items, rate: options.rate,
          seconds: options.seconds, partitions: options.partitions, seed: options.seed)
        report.rows[index].add(
          try steps.run(.windows(load), "", "\(row.name), run \(run) of \(options.runs)", \.windows))
      }
    }
    report.end()
    return report
  }
}
