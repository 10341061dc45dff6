import Pipeline

/// The simulation: whole runs of processors on a simulated Kafka, each from a seed (docs/simulation.md).
public enum Simulation {
  /// What became of a seed.
  public struct Outcome: Sendable {
    /// The seed.
    public let seed: UInt64
    /// The first thing that broke; nil when all invariants held and everything was decided in the end.
    public let violation: Violation?
    /// What happened, line by line; empty unless the run was traced.
    public let trace: [String]
    /// The hash of the trace.
    public let traceHash: UInt64
    /// What the seed drew.
    public let scenario: String
    /// Committed transactions.
    public let commits: Int
    /// Virtual milliseconds.
    public let milliseconds: Int64
    /// What happened in the world, as a number of events.
    public let events: Int
  }

  /// Makes the run of a seed.
  ///
  /// - Parameters:
  ///   - seed: everything follows from it.
  ///   - flaws: mistakes that the processor makes; only in a build with `TIDINGS_FLAWS`.
  ///   - isTraced: keeps a line for everything that happens; the course is the same.
  /// - Throws: what prevents the run from beginning.
  public static func run(seed: UInt64, flaws: Flaws = [], isTraced: Bool = false) throws -> Outcome {
    var scenario = try Scenario(seed: seed)
    scenario.flaws = flaws
    let run = try SimulationRun(scenario, isTraced: isTraced)
    try run.run()
    return Outcome(
      seed: seed, violation: run.violation, trace: run.trace.lines, traceHash: run.trace.hash,
      scenario: scenario.summary, commits: run.commits,
      milliseconds: run.world.now - run.start, events: run.world.eventCount)
  }
}
