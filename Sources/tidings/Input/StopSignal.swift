import Dispatch
import Foundation
import Synchronization

/// The wish that a command ends early and in order: what is under way is finished, and the totals are told.
final class StopSignal: Sendable {
  private let stopped = Atomic<Bool>(false)
  private let wakeUp = DispatchSemaphore(value: 0)

  /// Whether to end.
  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// Asks for the end.
  func stop() {
    stopped.store(true, ordering: .relaxed)
    wakeUp.signal()
  }

  /// Waits on the calling thread, at most until somebody asks for the end.
  func wait(_ duration: Duration) {
    guard !isStopped, duration > .zero else { return }
    let (seconds, attoseconds) = duration.components
    let nanoseconds = Int(clamping: seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    // What was signalled stays signalled, for every later wait.
    if wakeUp.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success { wakeUp.signal() }
  }

  /// Makes SIGINT and SIGTERM ask for the end, until the returned sources are
  /// cancelled. A second one ends the process.
  func installHandlers() -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        stop()
        signal(number, SIG_DFL)
      }
      source.setCancelHandler { signal(number, SIG_DFL) }
      source.resume()
      return source
    }
  }
}
