/// What every benchmark is asked for.
public protocol BenchmarkOptions: Sendable {
  /// Home partitions.
  var partitions: Int { get set }
  /// Runs of each kind.
  var runs: Int { get set }
  /// Decides who gets what.
  var seed: UInt64 { get set }
}

/// What every benchmark of a processor is asked for.
public protocol ClusterBenchmarkOptions: BenchmarkOptions {
  /// Threads of the processor.
  var workers: Int { get set }
  /// Whether the topics are left behind.
  var keepsTopics: Bool { get set }
}
