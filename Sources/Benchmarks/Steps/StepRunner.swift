import Kafka
import Logging

/// Where a benchmark's topics are: a prefix of its own on a cluster.
public struct BenchSite: Sendable {
  /// The cluster.
  public var cluster: any KafkaCluster
  /// Before every topic and group.
  public var prefix: String
  /// The number of home partitions.
  public var partitionCount: Int
  /// Where the processor's log goes.
  public var logger: Logger

  /// A site.
  public init(cluster: any KafkaCluster, prefix: String, partitionCount: Int, logger: Logger) {
    self.cluster = cluster
    self.prefix = prefix
    self.partitionCount = partitionCount
    self.logger = logger
  }

  /// Bytes that one topic of an embedded cluster has room for: it keeps 5 MiB of a partition, and recipients are not
  /// spread evenly. nil for a real cluster.
  var embeddedRoom: Int? { cluster.isEmbedded ? partitionCount * (5 << 20) / 2 : nil }

  var stateTopic: String { "\(prefix).state" }

  var statePartitions: [TopicPartition] { partitions(of: stateTopic) }

  func partitions(of topic: String) -> [TopicPartition] {
    (0..<Int32(clamping: partitionCount)).map { TopicPartition(topic: topic, partition: $0) }
  }
}

/// Runs the steps of a benchmark at a site. Any thread may call it.
public protocol StepRunner: Sendable {
  /// Whether every step has a process of its own, so that memory and processor time are its alone.
  var isolatesSteps: Bool { get }

  /// Runs a step at the site with that prefix and waits for it.
  ///
  /// - Throws: what made the step fail.
  func run(_ step: Step, prefix: String, onProgress: @escaping (StepProgress) -> Void) throws -> StepResult

  /// Makes the steps that run fail, where they can be ended.
  func cancel()
}

/// Runs the steps in this process: for the embedded cluster, which lives in it, and for tests.
public struct LocalSteps: StepRunner {
  private let site: BenchSite?

  /// A runner; the site's prefix is replaced by each step's. Without a site it runs what needs no cluster.
  public init(_ site: BenchSite?) { self.site = site }

  /// Always false.
  public var isolatesSteps: Bool { false }

  /// Does nothing: each step ends by bounds of its own.
  public func cancel() {}

  /// Runs a step.
  public func run(
    _ step: Step, prefix: String, onProgress: @escaping (StepProgress) -> Void
  ) throws -> StepResult {
    func place() throws -> BenchSite {
      guard var site else { throw BenchmarkError("the step needs a cluster, and there is none") }
      site.prefix = prefix
      return site
    }
    switch step {
    case .writeState(let load):
      return .written(try StateWriter(place(), load).run(onProgress))
    case .readLog(let topic):
      return .read(try LogReadingStep(place(), topic: topic).run(onProgress))
    case .restore(let options):
      return .restored(try RestoreStep(place(), options).run(onProgress))
    case .publishProbes(let number):
      try ProbeStep(place(), number: number).run()
      return .published
    case .publishLoad(let load):
      try LoadPublishingStep(place(), load).run(onProgress)
      return .published
    case .copyLoop(let options):
      return .throughput(try CopyLoopStep(place(), options).run())
    case .passThrough(let options):
      return .throughput(try PassThroughStep(place(), options).run(onProgress))
    case .process(let options):
      return .throughput(try ProcessingStep(place(), options).run(onProgress))
    case .pace(let load):
      return .paced(try PacedStep(place(), load).run(onProgress))
    case .pipeline(let load):
      return .pipeline(try PipelineStep(load).run(onProgress))
    case .fire(let options):
      return .fired(try FiringStep(place(), options).run(onProgress))
    case .windows(let load):
      return .windows(try WindowsStep(load).run(onProgress))
    }
  }
}
