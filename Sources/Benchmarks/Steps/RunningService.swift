import Foundation
import Processor
import Synchronization

/// A processor that runs beside the thread that watches it.
final class RunningService: Sendable {
  private let outcome = Mutex<Result<Void, any Error>?>(nil)
  private let ended = DispatchSemaphore(value: 0)
  private let task = Mutex<Task<Void, Never>?>(nil)

  /// Starts a processor of the benchmarks' catalog.
  init(_ configuration: ProcessorConfiguration, at site: BenchSite, status: ProcessorStatus) throws {
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
