/// Decides whether an attempt makes sense while the other side fails as a whole.
///
/// Closed: everything may start. Open: nothing, until a time. Then half open: one attempt, the probe, decides between
/// closed and a longer wait. It never gives up. Instants are durations since a start of the caller's choice.
public struct CircuitBreaker: Equatable, Sendable {
  private enum State: Equatable {
    case closed
    case open(until: Duration, failures: Int)
    case halfOpen(failures: Int)
  }

  private var state = State.closed
  private let policy: RetryPolicy

  /// A closed breaker with the waits of the policy; its attempt limit does not matter here.
  public init(policy: RetryPolicy) { self.policy = policy }

  /// Whether everything may start.
  public var isClosed: Bool { state == .closed }

  /// When the next probe may start; nil when the breaker is closed or a probe is on its way.
  public var probeDue: Duration? {
    guard case .open(let until, _) = state else { return nil }
    return until
  }

  /// Whether an attempt may start; the first that may after a wait is the probe, and has to be answered by one of
  /// the methods below.
  public mutating func mayStart(now: Duration) -> Bool {
    switch state {
    case .closed: return true
    case .halfOpen: return false
    case .open(let until, let failures):
      guard now >= until else { return false }
      state = .halfOpen(failures: failures)
      return true
    }
  }

  /// The other side answered, be it by a refusal.
  public mutating func recordAnswer() { state = .closed }

  /// The other side did not answer. Attempts that began before the breaker opened do not lengthen its wait.
  public mutating func recordFailure(now: Duration, using random: inout some RandomNumberGenerator) {
    let failures: Int
    switch state {
    case .closed: failures = 1
    case .halfOpen(let earlier): failures = earlier + 1
    case .open: return
    }
    state = .open(until: now + policy.delay(afterFailures: failures, using: &random), failures: failures)
  }

  /// An attempt ended without telling anything; if it was the probe, another may follow at once.
  public mutating func recordNothing(now: Duration) {
    guard case .halfOpen(let failures) = state else { return }
    state = .open(until: now, failures: failures)
  }
}
