import KafkaConformance
import Testing

@Suite("What Tidings relies on, of the simulated Kafka")
struct SimulatedConformanceTests {
  @Test("it is so", arguments: Behaviour.all)
  func behaves(_ behaviour: Behaviour) throws {
    for seed in 1...UInt64(20) {
      let platform = SimulatedPlatform(seed: seed)
      do {
        try behaviour.check(platform)
      } catch {
        Issue.record("seed \(seed): \(error)")
        return
      }
    }
  }
}
