import Foundation
import Processor
import Synchronization

/// A processor that runs beside the thread that watches it.
final class RunningService: Sendable {
  private let outcome = Mutex<Result<Void, any Error>?>(nil)
  private let ended = DispatchSemaphore(value: 0)
  private let task = Mutex<Task<Void, Never>?>(nil)
  private let resolution: DispatchTimeInterval

  /// Starts a processor of the benchmarks' catalog.
  ///
  /// - Parameter resolution: of what is measured. Looking twice as often costs twice as much, and is part of what the process
  ///   takes.
  init(
    _ configuration: ProcessorConfiguration, at site: BenchSite, status: ProcessorStatus,
    resolution: DispatchTimeInterval = .microseconds(500)
  ) throws {
    self.resolution = resolution
    let service = ProcessorService(
      cluster: site.cluster, configuration: configuration, catalog: try LoadCatalog.make(), status: status,
      logger: site.logger)
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

  /// Waits as long as the resolution is.
  ///
  /// - Throws: the processor's fault, if it has ended.
  func wait() throws {
    guard ended.wait(timeout: .now() + resolution) == .success else { return }
    ended.signal()
    try outcome.withLock { $0 }?.get()
    throw BenchmarkError("the processor ended before it was told to")
  }

  /// Waits until so many of something are there.
  ///
  /// - Parameters:
  ///   - unit: one of them, such as `event`.
  ///   - share: how much of it is done, where that is more than their number tells.
  ///   - step: what is done each time before it is looked again.
  ///   - count: how many there are.
  /// - Throws: the processor's fault, if it has ended; `BenchmarkError` when nothing has come for two minutes; what
  ///   `step` throws.
  func wait(
    for total: Int, _ unit: String, _ onProgress: (StepProgress) -> Void, share: (() -> Double)? = nil,
    step: () throws -> Void = {}, until count: () -> Int
  ) throws {
    var standstill = Standstill()
    var progress = Stopwatch()
    while true {
      let found = count()
      if found >= total { return }
      if progress.seconds > 0.1 {
        progress = Stopwatch()
        let share = share?() ?? Double(found) / Double(total)
        onProgress(StepProgress(share: share, count: found, unit: unit))
        try standstill.check(Double(found) + share, "of \(total) \(unit)s there are only \(found)")
      }
      try wait()
      try step()
    }
  }

  func waitForEnd() throws {
    ended.wait()
    ended.signal()
    try outcome.withLock { $0 }?.get()
  }
}
