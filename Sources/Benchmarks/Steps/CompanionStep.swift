import Foundation
import Synchronization

/// A step that runs beside another one, on a thread of its own. When one of the two fails, the other is ended where it can be.
final class CompanionStep: Sendable {
  private struct State {
    var result: StepResult?
    /// What made the first of the two fail.
    var fault: (any Error)?
  }

  private let runner: any StepRunner
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)
  private let otherEnded = DispatchSemaphore(value: 0)

  /// Starts it.
  init(_ step: Step, prefix: String, _ runner: any StepRunner) {
    self.runner = runner
    let thread = Thread { [self] in
      do {
        let result = try runner.run(step, prefix: prefix) { _ in }
        state.withLock { $0.result = result }
        ended.signal()
      } catch {
        note(error)
        ended.signal()
        cancel(until: otherEnded)
      }
    }
    thread.name = "bench companion"
    thread.start()
  }

  /// Runs the other one on the thread that calls, and waits for both.
  ///
  /// - Returns: what `body` does, and what this step found out.
  /// - Throws: what made the first of them fail.
  func run<Answer>(_ body: () throws -> Answer) throws -> (Answer, StepResult) {
    var answer: Answer?
    do {
      answer = try body()
      otherEnded.signal()
    } catch {
      note(error)
      otherEnded.signal()
      cancel(until: ended)
    }
    ended.wait()
    let (result, fault) = state.withLock { ($0.result, $0.fault) }
    guard let answer, let result else {
      throw fault ?? BenchmarkError("a step ended without a result: this is a fault")
    }
    return (answer, result)
  }

  /// To be called before the other one fails for having been ended.
  private func note(_ error: any Error) {
    state.withLock { $0.fault = $0.fault ?? error }
  }

  /// Ends the one that signals, again every second: one that is only about to start is missed.
  private func cancel(until ended: DispatchSemaphore) {
    repeat { runner.cancel() } while ended.wait(timeout: .now() + 1) == .timedOut
    ended.signal()
  }
}
