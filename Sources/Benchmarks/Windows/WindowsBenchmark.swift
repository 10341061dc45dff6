import Foundation

/// `tidings bench windows`: how late digests are where very many windows are open, in the state machines alone, and in the
/// real processor where there is a real cluster.
///
/// Windows that come due one after another, and as many that are due at one instant, in turn.
public struct WindowsBenchmark {
  /// What is measured.
  public struct Options: ClusterBenchmarkOptions {
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
    /// Threads of the processor.
    public var workers = 1
    /// Whether the topics are left behind.
    public var keepsTopics = false
    /// Runs of each kind.
    public var runs = 3
    /// Decides who gets what.
    public var seed: UInt64 = 1

    /// The size of the promise: a million windows.
    public init() {}
  }

  private let options: Options
  private let site: BenchSite
  private let steps: StepSequence
  private let localSteps: StepSequence
  private let topics: BenchTopics

  /// A benchmark at a site; an embedded cluster has no room for the processor's part.
  ///
  /// - Parameters:
  ///   - localSteps: runs what needs no cluster.
  ///   - onProgress: what is being done, and how far it is.
  public init(
    _ options: Options, at site: BenchSite, steps: any StepRunner, localSteps: any StepRunner,
    onProgress: @escaping (String, StepProgress) -> Void
  ) {
    self.options = options
    self.site = site
    self.steps = StepSequence(steps, onProgress: onProgress)
    self.localSteps = StepSequence(localSteps, onProgress: onProgress)
    topics = BenchTopics(site)
  }

  /// Measures.
  ///
  /// - Throws: `BenchmarkError`, or what made a step fail.
  public func run() throws -> WindowsReport {
    var report = WindowsReport(
      options, bootstrapServers: site.cluster.bootstrapServers, isEmbedded: site.cluster.isEmbedded)
    for run in 1...options.runs {
      for index in report.rows.indices {
        let row = report.rows[index]
        let load = WindowsLoad(
          kind: row.kind, windows: options.windows, items: options.items, rate: options.rate,
          seconds: options.seconds, partitions: options.partitions, seed: options.seed)
        report.rows[index].add(
          try localSteps.run(.windows(load), "", "\(row.name), run \(run) of \(options.runs)", \.windows))
      }
      guard !site.cluster.isEmbedded else { continue }
      for kind in WindowsLoad.Kind.allCases {
        let firing = try fire(kind, "\(site.prefix)-\(run)-\(kind.rawValue)", "run \(run) of \(options.runs)")
        report.add(firing, kind)
      }
    }
    report.end()
    return report
  }

  /// Writes the state of a processor with open windows, and starts the processor before the first one is due.
  private func fire(_ kind: WindowsLoad.Kind, _ prefix: String, _ suffix: String) throws -> Firing {
    try topics.create(prefix: prefix)
    defer { if !options.keepsTopics { topics.delete([prefix]) } }
    let notifications = options.windows * options.items
    var load = StateLoad(ids: notifications, items: notifications, seed: options.seed)
    // Time for writing the state and for reading it.
    let lead = Int64(20 + notifications / 10_000)
    var firstDue = Int64(Date().timeIntervalSince1970) + lead
    if kind == .together { firstDue = (firstDue + 59) / 60 * 60 }
    load.due = WindowsDue(kind: kind, first: firstDue * 1_000, rate: options.rate, items: options.items)
    _ = try steps.run(.writeState(load), prefix, "writing the state, \(suffix)", \.state)
    let digests = kind == .together ? options.windows : min(options.windows, options.rate * options.seconds)
    let firing = FiringOptions(
      workers: options.workers, firstDue: firstDue * 1_000, digests: digests, rate: options.rate)
    return try steps.run(
      .fire(firing), prefix, "firing \(kind.name) in the processor, \(suffix)", \.firing)
  }
}
