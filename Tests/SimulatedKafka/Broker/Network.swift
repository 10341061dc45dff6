import Kafka

/// The side of the cluster that a request goes to.
enum RequestTarget {
  case broker
  case partition(PartitionLog)
  case partitions([PartitionLog])
  case groupCoordinator
  case transactionCoordinator
}

/// An answer, or why there is none.
enum Reply<Answer> {
  case answer(Answer)
  /// The connection broke: the request had its effect, or it had none.
  case connectionLost
  /// The coordinator is elsewhere or loading: the request had no effect.
  case notAvailable
}

extension SimulatedProcess {
  /// Sends a request and hears of its answer, unless the process has ended by then.
  ///
  /// - Parameters:
  ///   - wait: what goes by before the broker has time for it, in milliseconds.
  ///   - perform: what happens at the broker, which answers when it wants to.
  ///   - reply: on a thread of the process's client.
  func request<Answer>(
    _ target: RequestTarget, after wait: Int64 = 0, replyLoss: Double = 0,
    _ perform: @escaping (_ answer: @escaping (Answer) -> Void) -> Void,
    _ reply: @escaping (Reply<Answer>) -> Void
  ) {
    if world.chance(world.broker.faults.requestLoss) {
      later(world.random(world.latencies.reconnect)) { reply(.connectionLost) }
      return
    }
    var delay = wait + world.random(world.latencies.network)
    switch target {
    case .partition(let log): delay += log.extraDelay(world.now)
    case .partitions(let logs): delay += logs.reduce(0) { max($0, $1.extraDelay(world.now)) }
    case .broker, .groupCoordinator, .transactionCoordinator: break
    }
    world.schedule(after: delay) { [self] in
      if world.now < world.broker.faults.brokersDownUntil {
        return later(world.random(world.latencies.reconnect)) { reply(.connectionLost) }
      }
      if !isAvailable(target) {
        return later(world.random(world.latencies.network)) { reply(.notAvailable) }
      }
      perform { [self] answer in
        guard isAlive else { return }
        let faults = world.broker.faults
        if world.chance(faults.replyLoss) || world.chance(replyLoss) {
          return later(world.random(world.latencies.reconnect)) { reply(.connectionLost) }
        }
        later(world.random(world.latencies.network)) { reply(.answer(answer)) }
      }
    }
  }

  private func isAvailable(_ target: RequestTarget) -> Bool {
    switch target {
    case .broker, .partition, .partitions: true
    case .groupCoordinator: world.now >= world.broker.faults.groupCoordinatorAwayUntil
    case .transactionCoordinator: world.now >= world.broker.faults.transactionCoordinatorAwayUntil
    }
  }
}
