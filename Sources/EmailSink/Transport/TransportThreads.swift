import Dispatch
import Foundation
import Synchronization

/// A few threads for work that blocks (SMTP conversations, `fsync`), so that it never occupies a thread of Swift's
/// cooperative pool.
///
/// Each thread owns one `Resource`, made on the thread at its first job and never seen by another. Jobs are taken
/// in the order of `run`; the number of threads bounds how many run at once.
final class TransportThreads<Resource: ~Copyable>: Sendable {
  private typealias Job = @Sendable (borrowing Resource) -> Void

  private struct State {
    var jobs: [Job] = []
    var isClosed = false
    var runningThreads: Int
    var closeWaiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>
  /// Counts what a thread can take: jobs, and one unit per thread to see the end.
  private let available = DispatchSemaphore(value: 0)
  private let threadCount: Int

  /// Starts `count` threads (at least one) that are named `name`.
  init(count: Int, name: String, makeResource: @escaping @Sendable () -> Resource) {
    threadCount = max(1, count)
    state = Mutex(State(runningThreads: threadCount))
    for index in 0..<threadCount {
      let thread = Thread { [self] in serve(makeResource) }
      thread.name = "\(name)-\(index)"
      thread.start()
    }
  }

  /// Runs `work` on one of the threads; nil when the threads have been shut down.
  func run<Result: Sendable>(_ work: @escaping @Sendable (borrowing Resource) -> Result) async -> Result? {
    await withCheckedContinuation { (continuation: CheckedContinuation<Result?, Never>) in
      let isTaken = state.withLock { state in
        guard !state.isClosed else { return false }
        state.jobs.append { resource in continuation.resume(returning: work(resource)) }
        return true
      }
      if isTaken { available.signal() } else { continuation.resume(returning: nil) }
    }
  }

  /// Lets the jobs that were accepted finish, then ends the threads and with them their resources.
  func shutdown() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let (isOver, isFirst) = state.withLock { state in
        defer { state.isClosed = true }
        if state.runningThreads > 0 { state.closeWaiters.append(continuation) }
        return (state.runningThreads == 0, !state.isClosed)
      }
      if isFirst { for _ in 0..<threadCount { available.signal() } }
      if isOver { continuation.resume() }
    }
  }

  private func serve(_ makeResource: () -> Resource) {
    do {
      let resource = makeResource()
      while let job = nextJob() { job(resource) }
    }
    let waiters = state.withLock { state in
      state.runningThreads -= 1
      guard state.runningThreads == 0 else { return [CheckedContinuation<Void, Never>]() }
      defer { state.closeWaiters = [] }
      return state.closeWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// The next job, or nil when the threads are to end and no job is left.
  private func nextJob() -> Job? {
    available.wait()
    return state.withLock { state in state.jobs.isEmpty ? nil : state.jobs.removeFirst() }
  }
}
