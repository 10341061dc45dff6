import ArgumentParser
import Benchmarks

/// `tidings bench passthrough`
struct BenchPassThroughCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "passthrough",
    abstract: "Measure how fast records are copied in transactions, and nothing done with them.",
    discussion: """
      Publishes the load, then copies it into another topic with the processor's clients, settings and commits: what \
      any processor on this machine and cluster can reach at most; and beside it by a loop in plain C with the same \
      properties. `bench processor` measures both too. Of runs of less than a second, and an embedded cluster has no \
      room for longer ones, there are only commits and output: they are too short to tell a rate.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench passthrough
        tidings bench passthrough --embedded --events 30000 --runs 1
      """)

  @OptionGroup var options: BenchOptions
  @OptionGroup var load: ThroughputLoadOptions

  func run() throws {
    var throughput = load.throughput(options)
    throughput.includesProcessor = false
    try load.measure(throughput, options, warmUp: 0)
  }
}

/// `tidings bench processor`
struct BenchProcessorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "processor",
    abstract: "Measure how fast the processor decides, compared with copying the same records.",
    discussion: """
      Publishes the load (200,000 recipients, four types, repeats), then copies it in transactions by a loop in C (C) and by \
      the processor's own clients (A), and has the processor decide it (B), in turn, each run beginning with the next of \
      them. Each is a process of its own. The processor starts without state, but for the recipients' records, and its \
      time begins behind the warm-up, when windows close as fast as they open. Then events are published at an even rate, and \
      the time is taken until a reader of committed records sees their immediate deliveries: from the instant at which an \
      event was to be published, so that a publisher that is held up hides nothing. Beside it stands what the processor \
      takes from the machine at that rate, without publisher and reader. Of runs of \
      less than a second, and an embedded cluster has no room for longer ones, there are no rates.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench processor
        tidings bench processor --events 5000000 --runs 5 --json > processor.json
        tidings bench processor --workers 2 --rate 5000 --rate 10000
        tidings bench processor --embedded --events 30000 --rate 200 --runs 1
      """)

  @OptionGroup var options: BenchOptions
  @OptionGroup var load: ThroughputLoadOptions

  @Option(
    help: ArgumentHelp(
      "Events before those that are timed, which the processor decides before its time begins; that should take longer than windows are "
        + "open, 5 s. \(ThroughputBenchmark.Options().warmUp.grouped), and none on an embedded cluster, which has no "
        + "room for them.", valueName: "n"))
  var warmUp: Int?

  @Option(
    help: ArgumentHelp(
      "Events a second of the load by which latency is measured, and what the processor takes at that rate. May be given "
        + "more than once; else \(ThroughputBenchmark.Options().rates.map(\.grouped).joined(separator: " and ")). 0: it is "
        + "not measured.", valueName: "n"))
  var rate = ThroughputBenchmark.Options().rates

  @Option(help: ArgumentHelp("How long latency is measured.", valueName: "seconds"))
  var seconds = ThroughputBenchmark.Options().seconds

  func validate() throws {
    guard (0...1_000_000_000).contains(warmUp ?? 0) else {
      throw ValidationError("--warm-up has to be from 0 to 1,000,000,000")
    }
    guard rate.allSatisfy((0...1_000_000).contains) else {
      throw ValidationError("--rate has to be from 0 to 1,000,000")
    }
    guard (1...3_600).contains(seconds) else { throw ValidationError("--seconds has to be from 1 to 3,600") }
  }

  func run() throws {
    var throughput = load.throughput(options)
    throughput.rates = rate.filter { $0 > 0 }
    throughput.seconds = seconds
    try load.measure(throughput, options, warmUp: warmUp)
  }
}

/// What is published for `bench passthrough` and `bench processor`.
struct ThroughputLoadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Events of each run that are timed, repeats among them.", valueName: "n"))
  var events = ThroughputBenchmark.Options().events

  func validate() throws {
    guard (1...1_000_000_000).contains(events) else {
      throw ValidationError("--events has to be from 1 to 1,000,000,000")
    }
  }

  func throughput(_ options: BenchOptions) -> ThroughputBenchmark.Options {
    var throughput = options.applied(to: ThroughputBenchmark.Options())
    throughput.events = events
    return throughput
  }

  /// - Parameter warmUp: nil for that of the benchmark, for which an embedded cluster has no room.
  func measure(
    _ throughput: ThroughputBenchmark.Options, _ options: BenchOptions, warmUp: Int?
  ) throws {
    let (site, steps) = try options.prepare()
    var throughput = throughput
    throughput.warmUp = warmUp ?? (site.cluster.isEmbedded ? 0 : throughput.warmUp)
    let progress = BenchProgress()
    let report = try ThroughputBenchmark(throughput, at: site, steps: steps, onProgress: progress.show).run()
    progress.clear()
    try report.write(asJSON: options.run.json)
  }
}
