import Kafka
import Operations
import Synchronization
import Testing

@testable import Processor
@testable import tidings

@Suite("A thread that hangs")
struct SilenceTests {
  /// A clock that a test moves.
  private final class Hands: Sendable {
    private let instant = Mutex(SuspendingClock.now)

    var now: SuspendingClock.Instant { instant.withLock { $0 } }
    func advance(_ duration: Duration) { instant.withLock { $0 += duration } }
  }

  private func checks(_ health: HealthState, _ probe: HealthState.Probe) -> [String: HealthState.Status] {
    Dictionary(health.report(for: probe).checks.map { ($0.name, $0.status) }) { first, _ in first }
  }

  @Test("a consumer that is silent is not ready after a while, and after another one only a restart helps")
  func consumer() {
    let hands = Hands()
    let pulse = Pulse { hands.now }
    let health = HealthState()
    health.watch("consumer") { pulse.silence }
    hands.advance(.seconds(3600))
    #expect(health.report(for: .readiness).isPassing && health.report(for: .liveness).isPassing)
    pulse.beat()
    hands.advance(.seconds(80))
    #expect(health.report(for: .readiness).isPassing && health.report(for: .liveness).isPassing)
    hands.advance(.seconds(40))
    #expect(!health.report(for: .readiness).isPassing && health.report(for: .liveness).isPassing)
    hands.advance(.seconds(300))
    #expect(!health.report(for: .liveness).isPassing)
    guard case .failing(let reason)? = checks(health, .liveness)["consumer"] else {
      Issue.record("no check of the consumer")
      return
    }
    #expect(reason.contains("420 s"))
    pulse.beat()
    #expect(health.report(for: .readiness).isPassing && health.report(for: .liveness).isPassing)
    hands.advance(.seconds(3600))
    pulse.stop()
    #expect(health.report(for: .readiness).isPassing && health.report(for: .liveness).isPassing)
  }

  @Test("a processor is as silent as the worker that has been so for longest")
  func workers() {
    let hands = Hands()
    let status = ProcessorStatus { hands.now }
    let health = HealthState()
    status.addChecks(to: health)
    hands.advance(.seconds(3600))
    #expect(checks(health, .liveness) == ["workers": .passing])
    for number in 0..<2 { status.set(ProcessorStatus.Worker(), number: number) }
    for _ in 0..<4 {
      hands.advance(.seconds(30))
      status.set(ProcessorStatus.Worker(), number: 0)
    }
    #expect(checks(health, .readiness)["workers"] != .passing)
    #expect(checks(health, .liveness)["workers"] == .passing)
    hands.advance(.seconds(300))
    status.set(ProcessorStatus.Worker(), number: 0)
    #expect(checks(health, .liveness)["workers"] != .passing)
    status.set(ProcessorStatus.Worker(), number: 1)
    #expect(health.report(for: .liveness).isPassing)
    hands.advance(.seconds(3600))
    for number in 0..<2 { status.remove(worker: number) }
    #expect(health.report(for: .liveness).isPassing)
  }
}
