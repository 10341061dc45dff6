import Synchronization

/// Whether the process lives and whether it is ready, check by check, each with its reason.
///
/// A process is *live* unless a liveness check fails: then only a restart helps. It is *ready* when every
/// readiness check passes: it has its partitions, its database answers, its clock agrees. Parts of the
/// process report their checks here; the ``OperationsServer`` answers `/livez` and `/readyz` from it. May be
/// used from any thread.
public final class HealthState: Sendable {
  /// What a check is for.
  public enum Probe: String, Sendable, CaseIterable {
    /// Does a restart help? Answered at `/livez`.
    case liveness
    /// Does the process do its work? Answered at `/readyz`.
    case readiness
  }

  /// The state of a check.
  public enum Status: Sendable, Equatable {
    /// All is well.
    case passing
    /// It is not, and why, in words that say what to do.
    case failing(reason: String)
  }

  /// The checks of one probe.
  public struct Report: Sendable, Equatable {
    /// The checks, by name.
    public let checks: [(name: String, status: Status)]

    /// Whether every check passes.
    public var isPassing: Bool { checks.allSatisfy { $0.status == .passing } }

    /// Whether the checks and their states are the same.
    public static func == (left: Report, right: Report) -> Bool {
      left.checks.elementsEqual(right.checks) { $0.name == $1.name && $0.status == $1.status }
    }
  }

  private struct State {
    var reported: [Probe: [String: Status]] = [:]
    var computed: [Probe: [String: @Sendable () -> Status]] = [:]
  }

  private let state = Mutex(State())

  /// A state without checks: live and ready.
  public init() {}

  /// Says how a check stands. The first call adds the check.
  public func report(_ check: String, _ status: Status, for probe: Probe = .readiness) {
    state.withLock { $0.reported[probe, default: [:]][check] = status }
  }

  /// Adds a check that is computed at each request, such as the age of a thread's last sign of life. It must
  /// not block.
  public func add(_ check: String, for probe: Probe, _ compute: @escaping @Sendable () -> Status) {
    state.withLock { $0.computed[probe, default: [:]][check] = compute }
  }

  /// Takes a check away.
  public func remove(_ check: String, for probe: Probe = .readiness) {
    state.withLock { state in
      state.reported[probe]?[check] = nil
      state.computed[probe]?[check] = nil
    }
  }

  /// How the checks of a probe stand, by name.
  public func report(for probe: Probe) -> Report {
    let (reported, computed) = state.withLock { ($0.reported[probe] ?? [:], $0.computed[probe] ?? [:]) }
    var checks = reported
    for (name, compute) in computed { checks[name] = compute() }
    return Report(checks: checks.map { (name: $0.key, status: $0.value) }.sorted { $0.name < $1.name })
  }
}
