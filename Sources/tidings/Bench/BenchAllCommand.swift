import ArgumentParser
import Benchmarks
import Contract

/// `tidings bench all`
struct BenchAllCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "Run all benchmarks, one after another.",
    discussion: """
      Runs `bench pipeline`, `bench windows`, `bench processor` and `bench restore` with their sizes. That takes half an hour to \
      an hour, some gigabytes of memory and of the brokers' disk, and a machine that does nothing else. The embedded cluster \
      has room for small sizes only, and those are measured there. Each report is printed as soon as it is there; with \
      --json on standard error, and all of them as one document at the end.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench all --json > all.json
        tidings bench all --embedded --runs 1
      """)

  @OptionGroup var options: BenchOptions

  func run() throws {
    let (site, steps) = try options.prepare()
    let local = options.isolatedSteps(steps)
    let progress = BenchProgress()
    let isSmall = site.cluster.isEmbedded
    let pipeline = options.run.applied(to: PipelineBenchmark.Options())
    let windows = options.applied(to: WindowsBenchmark.Options())
    let (throughput, restore) = (throughput(isSmall: isSmall), restore(isSmall: isSmall))
    try Self.run(
      [
        { try PipelineBenchmark(pipeline, steps: local, onProgress: progress.show).run() },
        {
          try WindowsBenchmark(
            windows, at: site, steps: steps, localSteps: local, onProgress: progress.show
          ).run()
        },
        { try ThroughputBenchmark(throughput, at: site, steps: steps, onProgress: progress.show).run() },
        { try RestoreBenchmark(restore, at: site, steps: steps, onProgress: progress.show).run() },
      ],
      onReport: { report in
        progress.clear()
        // With JSON, too: an hour is long to wait for the first figure.
        (options.run.json ? Terminal.error : Terminal.output).write(report.table + "\n")
      },
      atEnd: { reports in
        if options.run.json { Terminal.output.write(try JSONDocument.text(All(reports), as: .indented)) }
      })
  }

  /// Runs benchmarks one after another.
  ///
  /// - Parameter atEnd: gets the reports that there are, also where a benchmark has failed: each took minutes.
  /// - Throws: what made a benchmark fail; none is run behind it.
  static func run(
    _ benchmarks: [() throws -> any BenchReport], onReport: (any BenchReport) -> Void,
    atEnd: ([any BenchReport]) throws -> Void
  ) throws {
    var reports: [any BenchReport] = []
    let outcome = Result {
      for benchmark in benchmarks {
        let report = try benchmark()
        reports.append(report)
        onReport(report)
      }
    }
    if !reports.isEmpty { try atEnd(reports) }
    try outcome.get()
  }

  private func throughput(isSmall: Bool) -> ThroughputBenchmark.Options {
    var throughput = options.applied(to: ThroughputBenchmark.Options())
    guard isSmall else { return throughput }
    throughput.warmUp = 0
    throughput.events = options.run.partitions * 1_000
    throughput.rates = [options.run.partitions * 50]
    throughput.seconds = 10
    return throughput
  }

  private func restore(isSmall: Bool) -> RestoreBenchmark.Options {
    var restore = options.applied(to: RestoreBenchmark.Options())
    guard isSmall else { return restore }
    restore.ids = options.run.partitions * 5_000
    restore.items = options.run.partitions * 500
    return restore
  }

  /// All reports as one document.
  private struct All: Encodable {
    private enum Key: String, CodingKey { case benchmark, reports }

    private let reports: [any BenchReport]

    init(_ reports: [any BenchReport]) { self.reports = reports }

    func encode(to encoder: any Encoder) throws {
      var document = encoder.container(keyedBy: Key.self)
      try document.encode("all", forKey: .benchmark)
      var list = document.nestedUnkeyedContainer(forKey: .reports)
      for report in reports { try list.encode(report) }
    }
  }
}
