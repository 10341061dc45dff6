import ArgumentParser
import Benchmarks
import Contract

/// `tidings bench all`
struct BenchAllCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all",
    abstract: "Run all benchmarks, one after another.",
    discussion: """
      Runs `bench pipeline`, `bench windows`, `bench processor` and `bench restore` with their sizes. That takes most of an
      hour, some gigabytes of memory and of the brokers' disk, and a machine that does nothing else. The embedded cluster
      has room for small sizes only, and those are measured there.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench all --json > all.json
        tidings bench all --embedded --runs 1
      """)

  @OptionGroup var options: BenchOptions

  func run() throws {
    let (site, steps) = try options.prepare()
    let local = options.isolatedSteps(steps)
    let progress = BenchProgress()
    var reports: [any BenchReport] = []
    func add(_ report: any BenchReport) {
      progress.clear()
      reports.append(report)
      if !options.run.json { Terminal.output.write(report.table + "\n") }
    }
    let pipeline = options.run.applied(to: PipelineBenchmark.Options())
    add(try PipelineBenchmark(pipeline, steps: local, onProgress: progress.show).run())
    let windows = options.applied(to: WindowsBenchmark.Options())
    add(
      try WindowsBenchmark(
        windows, at: site, steps: steps, localSteps: local, onProgress: progress.show
      ).run())
    let isSmall = site.cluster.isEmbedded
    add(
      try ThroughputBenchmark(
        throughput(isSmall: isSmall), at: site, steps: steps, onProgress: progress.show
      ).run())
    add(
      try RestoreBenchmark(
        restore(isSmall: isSmall), at: site, steps: steps, onProgress: progress.show
      ).run())
    if options.run.json { Terminal.output.write(try JSONDocument.text(All(reports), as: .indented)) }
  }

  private func throughput(isSmall: Bool) -> ThroughputBenchmark.Options {
    var throughput = options.applied(to: ThroughputBenchmark.Options())
    guard isSmall else { return throughput }
    throughput.events = options.run.partitions * 1_000
    throughput.rate = options.run.partitions * 50
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
