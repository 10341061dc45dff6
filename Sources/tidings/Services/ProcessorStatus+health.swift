import Operations
import Processor

extension ProcessorStatus {
  /// How far wall clock and timer clock may differ, in milliseconds (design §3).
  private static var clockSkewLimit: Int64 { 60_000 }

  /// Adds the readiness checks of a processor.
  func addChecks(to health: HealthState) {
    health.add("partitions", for: .readiness) { [self] in
      let workers = workers
      if workers.isEmpty { return .failing(reason: "no worker has joined its group yet") }
      let restoring = workers.values.flatMap(\.partitions).filter { !$0.isRunning }
      if let slowest = restoring.min(by: { $0.restoreProgress < $1.restoreProgress }) {
        let percent = Int(slowest.restoreProgress * 100)
        return .failing(
          reason:
            "\(restoring.count.counted("partition")) being restored; partition \(slowest.partition) is at \(percent) %"
        )
      }
      return isReady ? .passing : .failing(reason: "a worker has not joined its group yet")
    }
    health.add("clock", for: .readiness) { [self] in
      let drift = workers.values.map(\.clockDrift).max { $0.magnitude < $1.magnitude } ?? 0
      guard drift.magnitude > Self.clockSkewLimit else { return .passing }
      return .failing(
        reason:
          "the wall clock is \(drift / 1000) s ahead of the timer clock; check the machine's time service")
    }
    // Not for liveness: a restart restores the same counters.
    health.add("conservation", for: .readiness) { [self] in
      let difference = counters.difference
      return difference == 0
        ? .passing : .failing(reason: "the counters differ by \(difference): this is a fault")
    }
  }
}
