import Dispatch
import Kafka
import Pipeline
import Processor

/// Starts the real processor, and takes the time in which it decides the load behind the warm-up, when windows open and
/// close.
struct ProcessingStep {
  private let site: BenchSite
  private let options: ThroughputOptions
  private let status = ProcessorStatus()

  init(_ site: BenchSite, _ options: ThroughputOptions) {
    self.site = site
    self.options = options
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> Throughput {
    let recipients = recipientCounts()
    let running = try RunningService(
      ProcessorConfiguration(site, workers: options.workers), at: site, status: status,
      resolution: .milliseconds(5))
    defer { running.cancel() }
    // What is counted is what is committed, and a partition decides before its recipients are.
    try running.wait(for: site.partitionCount, "partition", onProgress) {
      status.partitions.count { $0.isRunning && $0.counters.decided >= recipients[Int($0.partition)] }
    }
    func decided() -> Int { Int(status.counters.decided) - EventLoad.recipientCount }
    try running.wait(for: options.warmUp, "event", onProgress, until: decided)
    let before = decided()
    let windowsBefore = status.openWindows
    _ = CommitTimes.ofThisProcess?.take()
    let watch = Stopwatch()
    let usage = ProcessUsage.now()
    try running.wait(for: options.events, "event", onProgress, until: decided)
    let seconds = watch.seconds
    let end = ProcessUsage.now()
    let commits = CommitTimes.ofThisProcess?.take()
    let windowsAfter = status.openWindows
    let difference = status.counters.total.difference
    guard decided() == options.events, difference == 0 else {
      throw BenchmarkError(
        "\(options.events) events were published, and \(decided()) are decided; the conservation law's "
          + "difference is \(difference): this is a fault")
    }
    running.cancel()
    try running.waitForEnd()
    return Throughput(
      events: options.events - before, seconds: seconds, cpuSeconds: end.cpuSeconds - usage.cpuSeconds,
      peakBytes: end.peakBytes, commits: commits, windowsBefore: windowsBefore, windowsAfter: windowsAfter)
  }

  /// How many recipients are at home in each partition.
  private func recipientCounts() -> [Int] {
    EventLoad(seed: 0, partitionCount: site.partitionCount).homes
      .reduce(into: Array(repeating: 0, count: site.partitionCount)) { $0[Int($1)] += 1 }
  }
}
