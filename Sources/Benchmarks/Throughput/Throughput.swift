/// What a pass-through or a processor has to get through.
public struct ThroughputOptions: Codable, Sendable {
  /// Events that are in the topic, or will be.
  public var events: Int
  /// How many of them a processor decides before its time begins.
  public var warmUp: Int
  /// Threads of the processor.
  public var workers: Int
  /// The prefix of the topic that a pass-through copies to, and of its group.
  public var copyPrefix: String
}

/// How fast events went through, and at which cost.
public struct Throughput: Codable, Sendable, Equatable {
  /// Events in that time.
  public var events: Int
  /// From the assignment, or from the moment at which the warm-up was decided, until the last commit.
  public var seconds: Double
  /// Processor time of all threads in that span.
  public var cpuSeconds: Double
  /// The most memory that was resident from the start of the process until then.
  public var peakBytes: Int64
  /// From the beginning of each commit until it was confirmed; nil where nobody tells.
  public var commits: Latency?
  /// Windows that were open when a processor's time began; nil of a copy.
  public var windowsBefore: Int?
  /// The same when it ended.
  public var windowsAfter: Int?
}
