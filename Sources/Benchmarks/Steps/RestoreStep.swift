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
    while status.assignedPartitions < site.partitionCount { try running.wait() }
    let watch = Stopwatch()
    let usage = ProcessUsage.now()
    var progress = Stopwatch()
    while status.runningPartitions < site.partitionCount {
      try running.wait()
      if progress.seconds > 0.1 {
        progress = Stopwatch()
        let share = status.meanRestoreProgress
        onProgress(StepProgress(share: share, count: 0, unit: ""))
      }
    }
    let atEnd = ProcessUsage.now()
    let partitions = status.workers.values.flatMap(\.partitions)
    var result = Restoration(
      ids: partitions.reduce(0) { $0 + $1.ids }, windows: partitions.reduce(0) { $0 + $1.openWindows },
      seconds: watch.seconds, cpuSeconds: atEnd.cpuSeconds - usage.cpuSeconds, peakBytes: atEnd.peakBytes,
      secondsToStop: 0)
    if let decided = options.decided {
      while status.counters.decided < decided { try running.wait() }
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
  fileprivate var assignedPartitions: Int { workers.values.reduce(0) { $0 + $1.partitions.count } }

  fileprivate var meanRestoreProgress: Double {
    let shares = workers.values.flatMap(\.partitions).map(\.restoreProgress)
    return shares.isEmpty ? 0 : shares.reduce(0, +) / Double(shares.count)
  }
}
