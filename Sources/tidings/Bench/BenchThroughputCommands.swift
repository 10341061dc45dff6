import ArgumentParser
import Benchmarks

/// `tidings bench passthrough`
struct BenchPassThroughCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "passthrough",
    abstract: "Measure how fast records are copied in transactions, and nothing done with them.",
    discussion: """
      Publishes the load, then copies it into another topic with the processor's clients, settings and commits: what
      any processor on this machine and cluster can reach at most. `bench processor` measures it too.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench passthrough
        tidings bench passthrough --embedded --events 30000 --runs 1
      """)

  @OptionGroup var options: BenchOptions
  @OptionGroup var load: ThroughputLoadOptions

  func run() throws { try load.measure(options, includesProcessor: false) }
}

/// `tidings bench processor`
struct BenchProcessorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "processor",
    abstract: "Measure how fast the processor decides, compared with copying the same records.",
    discussion: """
      Publishes the load (200,000 recipients, four types, repeats), then copies it in transactions (A) and has the
      processor decide it (B), in turn. Each is a process of its own. The processor starts without state, but for the
      recipients' records, and its time begins when all of its partitions are at work.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench processor
        tidings bench processor --events 5000000 --runs 5 --json > processor.json
        tidings bench processor --embedded --events 30000 --runs 1
      """)

  @OptionGroup var options: BenchOptions
  @OptionGroup var load: ThroughputLoadOptions

  func run() throws { try load.measure(options, includesProcessor: true) }
}

/// What is published for `bench passthrough` and `bench processor`.
struct ThroughputLoadOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Events of each run, repeats among them.", valueName: "n"))
  var events = ThroughputBenchmark.Options().events

  func validate() throws {
    guard (1...1_000_000_000).contains(events) else {
      throw ValidationError("--events has to be from 1 to 1,000,000,000")
    }
  }

  func measure(_ options: BenchOptions, includesProcessor: Bool) throws {
    let (site, steps) = try options.prepare()
    var throughput = ThroughputBenchmark.Options()
    throughput.events = events
    throughput.partitions = options.run.partitions
    throughput.workers = options.workers
    throughput.runs = options.run.runs
    throughput.seed = options.run.seed
    throughput.includesProcessor = includesProcessor
    throughput.keepsTopics = options.keep
    let progress = BenchProgress()
    let report = try ThroughputBenchmark(throughput, at: site, steps: steps, onProgress: progress.show).run()
    progress.clear()
    Terminal.output.write(options.run.json ? try report.json() : report.table)
  }
}
