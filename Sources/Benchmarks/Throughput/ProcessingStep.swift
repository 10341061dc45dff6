import Foundation
import Kafka
import Pipeline
import Processor

/// Starts the real processor, and takes the time in which it decides the load once all of its partitions are at work.
struct ProcessingStep {
  private let site: BenchSite
  private let options: ThroughputOptions
  private let status = ProcessorStatus()

  init(_ site: BenchSite, _ options: ThroughputOptions) {
    self.site = site
    self.options = options
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> Throughput {
    let running = try RunningService(
      ProcessorConfiguration(site, workers: options.workers), at: site, status: status)
    defer { running.cancel() }
    while status.runningPartitions < site.partitionCount { try running.wait() }
    // Some partitions were at work before the last one was. The recipients' records are decided as well, before all.
    let before = status.counters.decided
    _ = CommitTimes.ofThisProcess?.take()
    let expected = Int64(EventLoad.recipientCount + options.events)
    let watch = Stopwatch()
    let usage = ProcessUsage.now()
    var progress = Stopwatch()
    while status.counters.decided < expected {
      try running.wait()
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      let decided = max(0, Int(status.counters.decided) - EventLoad.recipientCount)
      onProgress(
        StepProgress(
          share: Double(decided) / Double(options.events), count: decided, unit: "event"))
    }
    let seconds = watch.seconds
    let end = ProcessUsage.now()
    let counters = status.counters
    guard counters.decided == expected, counters.total.difference == 0 else {
      throw BenchmarkError(
        "\(expected) records were published, and \(counters.decided) are decided; the conservation law's "
          + "difference is \(counters.total.difference): this is a fault")
    }
    running.cancel()
    try running.waitForEnd()
    return Throughput(
      events: Int(counters.decided - before), seconds: seconds, cpuSeconds: end.cpuSeconds - usage.cpuSeconds,
      peakBytes: end.peakBytes, commits: CommitTimes.ofThisProcess?.take())
  }
}
