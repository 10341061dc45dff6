import Pipeline
import Testing

@testable import Simulation

/// The simulation can fail: every deliberate mistake is noticed.
@Suite(.enabled(if: SeedBatch.hasFlaws, "built without TIDINGS_FLAWS=1"))
struct FlawTests {
  @Test("every flaw has a bit of its own")
  func bits() {
    var all: Flaws = []
    for named in NamedFlaw.all {
      #expect(named.flaw.rawValue.nonzeroBitCount == 1)
      #expect(all.isDisjoint(with: named.flaw), "\(named.name) has the bit of another flaw")
      all.formUnion(named.flaw)
    }
    #expect(all.isSuperset(of: .ofDecisions))
  }

  @Test("every flaw is caught within its number of seeds")
  func everyFlaw() throws {
    print("| Flaw | Caught by seed | Invariant |")
    for named in NamedFlaw.all {
      let batch = SeedBatch(1...named.seeds, flaws: named.flaw, stopsAtFirst: true)
      let caught = try batch.run(threads: 0) { _ in }.first
      let title = caught?.violation?.invariant.title ?? ""
      print("| \(named.name) | \(caught.map { "\($0.seed)" } ?? "none of \(named.seeds)") | \(title) |")
      #expect(caught != nil, "no seed of 1 to \(named.seeds) notices \(named.name)")
    }
  }
}
