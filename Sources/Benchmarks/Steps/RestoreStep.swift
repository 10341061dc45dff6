import Foundation
import Kafka
import Processor

/// Starts the real processor, and takes the time from the group's assignment until all of its partitions decide.
struct RestoreStep {
  private let site: BenchSite
  private let options: RestoreOptions
  private let status = ProcessorStatus()

  init(_ site: BenchSite, _ options: RestoreOptions) {
    self.site = site
    self.options = options
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> Restoration {
    var configuration = ProcessorConfiguration(site, workers: options.workers)
    configuration.stateDirectory = options.stateDirectory
    let running = try RunningService(configuration, at: site, status: status)
    defer { running.cancel() }
    try running.wait(for: site.partitionCount, "partition", onProgress) { status.partitions.count }
    let watch = Stopwatch()
    let usage = ProcessUsage.now()
    try running.wait(
      for: site.partitionCount, "partition", onProgress, share: { status.meanRestoreProgress },
      until: { status.runningPartitions })
    let atEnd = ProcessUsage.now()
    var result = Restoration(
      ids: status.partitions.reduce(0) { $0 + $1.ids }, windows: status.openWindows,
      seconds: watch.seconds, cpuSeconds: atEnd.cpuSeconds - usage.cpuSeconds, peakBytes: atEnd.peakBytes,
      secondsToStop: 0)
    if let decided = options.decided {
      try running.wait(for: Int(decided), "decision", onProgress) { Int(status.counters.decided) }
      result.secondsToDecision = watch.seconds
    }
    let stop = Stopwatch()
    running.cancel()
    try running.waitForEnd()
    result.secondsToStop = stop.seconds
    return result
  }
}

extension ProcessorStatus {
  fileprivate var meanRestoreProgress: Double {
    let shares = partitions.map(\.restoreProgress)
    return shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count)
  }
}
