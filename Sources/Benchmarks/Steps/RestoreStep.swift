import Foundation
import Kafka
import Policy
import Processor
import Synchronization

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
    var configuration = ProcessorConfiguration(
      prefix: site.prefix, partitionCount: Int32(clamping: site.partitionCount))
    configuration.workers = options.workers
    configuration.stateDirectory = options.stateDirectory
    let service = ProcessorService(
      cluster: site.cluster, configuration: configuration, catalog: try LoadCatalog.make(), status: status,
      logger: site.logger)
    let running = RunningService(service)
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

/// A processor that runs beside the thread that watches it.
private final class RunningService: Sendable {
  private let outcome = Mutex<Result<Void, any Error>?>(nil)
  private let ended = DispatchSemaphore(value: 0)
  private let task = Mutex<Task<Void, Never>?>(nil)

  init(_ service: ProcessorService) {
    let started = Task.detached { [self] in
      do {
        try await service.run()
        outcome.withLock { $0 = .success(()) }
      } catch {
        outcome.withLock { $0 = .failure(error) }
      }
      ended.signal()
    }
    task.withLock { $0 = started }
  }

  func cancel() { task.withLock { $0?.cancel() } }

  /// Waits for half a millisecond, the resolution of what is measured.
  ///
  /// - Throws: the processor's fault, if it has ended.
  func wait() throws {
    guard ended.wait(timeout: .now() + .microseconds(500)) == .success else { return }
    ended.signal()
    try outcome.withLock { $0 }?.get()
    throw BenchmarkError("the processor ended before all of its partitions decided")
  }

  func waitForEnd() throws {
    ended.wait()
    ended.signal()
    try outcome.withLock { $0 }?.get()
  }
}
