import Foundation
import Testing

@testable import Simulation

/// The seeds of every build. `TIDINGS_SIMULATION_SEEDS` sets their number, `TIDINGS_SIMULATION_FIRST_SEED` the first.
@Suite struct SeedTests {
  private static func number(_ name: String, _ standard: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? standard
  }

  @Test("every seed holds all invariants, and everything is decided once faults stop")
  func seeds() throws {
    let first = Self.number("TIDINGS_SIMULATION_FIRST_SEED", 1)
    let count = Self.number("TIDINGS_SIMULATION_SEEDS", 2_000)
    let batch = SeedBatch(first...first + (count - 1), stopsAtFirst: false)
    let failures = try batch.run(threads: 0) { _ in }
    print(batch.summary)
    for failure in failures {
      Issue.record("make simulate SEED=\(failure.seed): \(failure.violation.map(\.description) ?? "")")
    }
  }

  @Test("the same seed takes the same course", arguments: [1, 7, 42, 4711] as [UInt64])
  func determinism(seed: UInt64) throws {
    let first = try Simulation.run(seed: seed, isTraced: true)
    let second = try Simulation.run(seed: seed, isTraced: true)
    #expect(first.trace.count > 100)
    #expect(first.traceHash == second.traceHash)
    let differing = zip(first.trace, second.trace).first { $0 != $1 }
    #expect(differing == nil, "the first lines that differ")
  }

  @Test("a run that is over leaves nothing in memory")
  func memory() throws {
    weak var world: AnyObject?
    weak var thread: AnyObject?
    do {
      let run = try SimulationRun(try Scenario(seed: 1), isTraced: false)
      try run.run()
      world = run.world
      thread = run.instances.first?.workers.first
      #expect(world != nil && thread != nil)
    }
    #expect(world == nil && thread == nil)
  }

  @Test("a trace does not change the course")
  func traceIsNoFault() throws {
    for seed in UInt64(1)...20 {
      let silent = try Simulation.run(seed: seed)
      let traced = try Simulation.run(seed: seed, isTraced: true)
      #expect(silent.events == traced.events && silent.commits == traced.commits)
    }
  }
}
