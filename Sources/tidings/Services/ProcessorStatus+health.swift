import Operations
import Processor

extension ProcessorStatus {
  /// Adds the checks of a processor.
  func addChecks(to health: HealthState) {
    health.watch("workers") { [self] in silence }
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
      guard let worker = workers.values.first(where: \.areTimersStopped) else { return .passing }
      return .failing(
        reason:
          "wall clock, timer clock and the broker's differ by \(worker.clockSkew.magnitude / 1000) s: no window is closed; "
          + "check the time service of this machine and of the brokers")
    }
    // Not for liveness: a restart restores the same counters.
    health.add("conservation", for: .readiness) { [self] in
      let difference = counters.difference
      return difference == 0
        ? .passing : .failing(reason: "the counters differ by \(difference): this is a fault")
    }
  }
}
