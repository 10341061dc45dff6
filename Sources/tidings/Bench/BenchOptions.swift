import ArgumentParser
import Benchmarks
import Foundation
import Kafka
import Logging
import Operations
import Settings

/// The flags of every benchmark.
struct BenchRunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Home partitions.", valueName: "n"))
  var partitions = 16

  @Option(help: ArgumentHelp("Runs of each kind, one after the other in turn.", valueName: "n"))
  var runs = 3

  @Option(help: "Decides who gets what: the same seed makes the same load.")
  var seed: UInt64 = 1

  @Flag(name: .shortAndLong, help: "Log what the processors do.")
  var verbose = false

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (1...1024).contains(partitions) else {
      throw ValidationError("--partitions has to be from 1 to 1024")
    }
    guard (1...100).contains(runs) else { throw ValidationError("--runs has to be from 1 to 100") }
  }

  /// The options of a benchmark with what these flags say.
  func applied<Options: BenchmarkOptions>(to options: Options) -> Options {
    var options = options
    options.partitions = partitions
    options.runs = runs
    options.seed = seed
    return options
  }
}

/// The flags of the benchmarks that need a cluster.
struct BenchOptions: ParsableArguments {
  @OptionGroup var settings: SettingsOptions

  @OptionGroup var run: BenchRunOptions

  @Option(help: "Before every topic and group that is created; nothing with it may be there yet.")
  var prefix = "tidings-bench"

  @Option(help: ArgumentHelp("Threads of the processor.", valueName: "n"))
  var workers = 1

  @Flag(help: "Use an embedded cluster, whatever the configuration says.")
  var embedded = false

  @Flag(help: "Leave the topics behind, to look at them.")
  var keep = false

  func validate() throws {
    guard (1...64).contains(workers) else { throw ValidationError("--workers has to be from 1 to 64") }
    guard !prefix.isEmpty,
      prefix.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) })
    else { throw ValidationError("--prefix may hold letters, digits, '-', '_' and '.', as topic names do") }
  }

  /// The options of a benchmark with what these flags say.
  func applied<Options: ClusterBenchmarkOptions>(to options: Options) -> Options {
    var options = run.applied(to: options)
    options.workers = workers
    options.keepsTopics = keep
    return options
  }

  /// What runs the steps that need no cluster: each in a process of its own, even where the cluster lives in this one.
  func isolatedSteps(_ steps: any StepRunner) -> any StepRunner {
    guard !steps.isolatesSteps else { return steps }
    let children = ChildSteps(nil, isVerbose: run.verbose)
    children.stopOnSignals()
    return children
  }

  /// Where to measure, and what runs the steps there.
  ///
  /// - Throws: `SettingsProblems`; `CommandEnd` when the cluster cannot be reached.
  func prepare() throws -> (site: BenchSite, steps: any StepRunner) {
    var settings = try settings.load()
    Operations.LogFormat.text.bootstrap(level: run.verbose ? .info : .warning)
    let logger = Logger(label: "tidings.bench")
    func site(_ cluster: any KafkaCluster) -> BenchSite {
      BenchSite(cluster: cluster, prefix: prefix, partitionCount: run.partitions, logger: logger)
    }
    let named = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"] ?? ""
    if !named.isEmpty { settings.kafka.bootstrapServers = named }
    let isConfigured = !named.isEmpty || settings.origin(of: "kafka.bootstrap.servers") != .default
    guard isConfigured, !embedded else {
      let local = site(try EmbeddedCluster(logger: Logger(label: "tidings.kafka")))
      return (local, LocalSteps(local))
    }
    let cluster = try settings.makeCluster(clientID: "tidings-bench")
    _ = try ClusterWait.retry(patience: .seconds(10), logger: logger) { () throws(KafkaError) in
      try cluster.admin.topics(timeout: .seconds(5))
    }
    let steps = ChildSteps(
      BenchStepRequest.Cluster(
        bootstrapServers: settings.kafka.bootstrapServers, properties: settings.kafka.properties,
        partitionCount: run.partitions),
      isVerbose: run.verbose)
    steps.stopOnSignals()
    return (site(cluster), steps)
  }
}
