import Foundation
import Pipeline
import Synchronization

/// Many seeds over all cores, each run in a world of its own on one thread.
public final class SeedBatch: Sendable {
  /// How far a batch is.
  public struct Progress: Sendable {
    /// Seeds that were run.
    public let done: UInt64
    /// Seeds of the batch.
    public let total: UInt64
    /// Seeds that failed.
    public let failed: Int
    /// Seeds per second.
    public let perSecond: Double
    /// Seconds left at this speed.
    public var secondsLeft: Double { perSecond > 0 ? Double(total - done) / perSecond : 0 }
  }

  private struct State {
    var next: UInt64
    var done: UInt64 = 0
    var failures: [Simulation.Outcome] = []
    var error: (any Error)?
    var commits = 0
    var milliseconds: Int64 = 0
    var isStopped = false
  }

  /// Whether this build can make deliberate mistakes.
  public static var hasFlaws: Bool { Flaws(rawValue: 1).contains(Flaws(rawValue: 1)) }

  private let seeds: ClosedRange<UInt64>
  private let flaws: Flaws
  private let stopsAtFirst: Bool
  private let state: Mutex<State>
  private let start = ContinuousClock.now

  /// A batch that begins with `run`.
  ///
  /// - Parameter stopsAtFirst: ends with the first failure; then no seed before it is left out.
  public init(_ seeds: ClosedRange<UInt64>, flaws: Flaws = [], stopsAtFirst: Bool) {
    self.seeds = seeds
    self.flaws = flaws
    self.stopsAtFirst = stopsAtFirst
    state = Mutex(State(next: seeds.lowerBound))
  }

  /// Runs the seeds.
  ///
  /// - Parameters:
  ///   - threads: 0 takes all cores.
  ///   - progress: called now and then on the calling thread.
  /// - Returns: the failures in the order of their seeds.
  /// - Throws: what prevented a run from beginning.
  public func run(threads: Int, progress: (Progress) -> Void) throws -> [Simulation.Outcome] {
    let count = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
    let left = DispatchGroup()
    for _ in 0..<count {
      left.enter()
      let thread = Thread { [self] in
        work()
        left.leave()
      }
      // Calls that wait run the world on from inside, one in another.
      thread.stackSize = 64 << 20
      thread.start()
    }
    while left.wait(timeout: .now() + .milliseconds(200)) == .timedOut { progress(current) }
    let (failures, error) = state.withLock { ($0.failures, $0.error) }
    if let error { throw error }
    return failures.sorted { $0.seed < $1.seed }
  }

  /// What was run, in words.
  public var summary: String {
    state.withLock { state in
      let seconds = max(0.001, (ContinuousClock.now - start) / .seconds(1))
      return
        "\(state.done) seeds (\(seeds.lowerBound) to \(seeds.upperBound)), \(state.commits) commits, "
        + "\(state.milliseconds / 3_600_000) virtual hours in \(Int(seconds)) s, "
        + "\(Int(Double(state.done) / seconds)) seeds per second"
    }
  }

  private var current: Progress {
    state.withLock { state in
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      return Progress(
        done: state.done, total: seeds.upperBound - seeds.lowerBound + 1, failed: state.failures.count,
        perSecond: Double(state.done) / max(0.001, seconds))
    }
  }

  private func work() {
    while let seed = nextSeed() {
      let result = Result { try Simulation.run(seed: seed, flaws: flaws) }
      state.withLock { state in
        state.done += 1
        switch result {
        case .failure(let error):
          state.error = error
          state.isStopped = true
        case .success(let outcome):
          state.commits += outcome.commits
          state.milliseconds += outcome.milliseconds
          guard outcome.violation != nil else { return }
          state.failures.append(outcome)
          if stopsAtFirst { state.isStopped = true }
        }
      }
    }
  }

  private func nextSeed() -> UInt64? {
    state.withLock { state in
      guard !state.isStopped, state.next <= seeds.upperBound else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }
}
