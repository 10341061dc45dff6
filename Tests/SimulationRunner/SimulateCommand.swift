import ArgumentParser
import Foundation
import Pipeline
import Simulation

/// Runs seeds of the simulation over all cores, and shows what broke.
@main
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Runs processors on a simulated Kafka, by seed.",
    discussion: """
      A seed fixes everything: deployment, load, faults, and the order in which things happen. A run that fails prints
      its seed, the invariant of design §9 that broke, and the end of its trace; the same seed repeats it exactly.

      Examples:
        simulate --seeds 100000                     100,000 seeds from 1 on, until the first failure
        simulate --seeds 5000 --first-seed 70001 --keep-going
        simulate --seed 4711                        one seed, with the last 80 lines of its trace if it fails
        simulate --seed 4711 --full-trace           all of its trace, also if it holds
        simulate --flaws --seeds 2000               the table of deliberate mistakes (built with TIDINGS_FLAWS=1)

      Exit code: 0 when every seed held, 1 when one failed.
      """)

  @Option(help: "The only seed to run.")
  var seed: UInt64?

  @Option(help: "How many seeds to run.")
  var seeds: UInt64 = 2_000

  @Option(help: "The first seed.")
  var firstSeed: UInt64 = 1

  @Option(help: "Threads; 0 takes all cores.")
  var threads = 0

  @Flag(help: "Goes on after a failure, and lists all of them.")
  var keepGoing = false

  @Option(help: "Lines of the trace that are shown of a failure.")
  var lines = 80

  @Flag(help: "Shows the whole trace.")
  var fullTrace = false

  @Option(help: "A deliberate mistake that the processor makes, by its name in the table.")
  var flaw: String?

  @Flag(help: "Tries every deliberate mistake until a seed catches it, and prints the table.")
  var flaws = false

  func validate() throws {
    guard lines >= 0, threads >= 0, seeds > 0 else {
      throw ValidationError("--lines, --threads and --seeds are counts: 0 or more, at least one seed.")
    }
    if let flaw, NamedFlaw.named(flaw) == nil {
      throw ValidationError(
        "There is no flaw \"\(flaw)\". There are: \(NamedFlaw.all.map(\.name).joined(separator: ", ")).")
    }
    if flaw != nil || flaws, !SeedBatch.hasFlaws {
      throw ValidationError("This build has no flaws: build it with TIDINGS_FLAWS=1 in the environment.")
    }
  }

  func run() throws {
    if flaws { return try runFlaws() }
    let flaw = flaw.flatMap { NamedFlaw.named($0)?.flaw } ?? []
    let range = seed.map { $0...$0 } ?? firstSeed...firstSeed + (seeds - 1)
    let batch = SeedBatch(range, flaws: flaw, stopsAtFirst: !keepGoing)
    let progress = ProgressLine(isOn: seed == nil)
    let failures = try batch.run(threads: threads) { progress.show($0) }
    progress.end()
    for failure in failures { print("seed \(failure.seed): \(failure.violation.map(\.description) ?? "")") }
    if let shown = failures.first?.seed ?? (fullTrace ? seed : nil) { try show(seed: shown, flaw) }
    guard failures.isEmpty else { throw ExitCode(1) }
    print("\(batch.summary): all invariants held")
  }

  private func show(seed: UInt64, _ flaws: Flaws) throws {
    let outcome = try Simulation.run(seed: seed, flaws: flaws, isTraced: true)
    print("seed \(seed): \(outcome.scenario)")
    let shown = fullTrace ? outcome.trace[...] : outcome.trace.suffix(lines)
    if shown.count < outcome.trace.count {
      print("(the last \(shown.count) of \(outcome.trace.count) lines; --full-trace shows all)")
    }
    for line in shown { print(line) }
    print(outcome.violation.map { "seed \(seed): \($0)" } ?? "seed \(seed): all invariants held")
    print("trace hash \(String(outcome.traceHash, radix: 16))")
  }

  private func runFlaws() throws {
    print("| Flaw | Caught by seed | Invariant |\n|---|---|---|")
    var isMissed = false
    for named in NamedFlaw.all {
      let batch = SeedBatch(firstSeed...firstSeed + (seeds - 1), flaws: named.flaw, stopsAtFirst: true)
      let caught = try batch.run(threads: threads) { _ in }.first
      isMissed = isMissed || caught == nil
      let title = caught?.violation?.invariant.title ?? "not within \(seeds) seeds"
      print("| `\(named.name)` | \(caught.map { "\($0.seed)" } ?? "none") | \(title) |")
    }
    if isMissed { throw ExitCode(1) }
  }
}
