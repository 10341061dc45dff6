import Operations

extension HealthState {
  /// How long a thread that owns a member of a group may take for one round and be ready: a rebalance waits for the
  /// group's offsets for as much as a minute, or for what is being delivered.
  static let readyWithin: Duration = .seconds(90)
  /// After which silence only a restart helps: by then the group has given the member's partitions away
  /// (`max.poll.interval.ms`, 5 min), and whatever it waits for has not come.
  static let aliveWithin: Duration = .seconds(360)

  /// Adds the checks of a thread that is to come round all the time.
  ///
  /// - Parameter silence: how long ago it last did; nil where it has not begun, or has ended.
  func watch(_ check: String, silence: @escaping @Sendable () -> Duration?) {
    for (probe, bound) in [(Probe.readiness, Self.readyWithin), (.liveness, Self.aliveWithin)] {
      add(check, for: probe) {
        guard let silence = silence(), silence > bound else { return .passing }
        return .failing(
          reason: "nothing was heard for \(silence.components.seconds) s of the thread that consumes: "
            + "it waits for a disk or a broker that does not answer, or hangs")
      }
    }
  }
}
