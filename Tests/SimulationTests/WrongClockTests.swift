import SimulatedKafka
import Testing

/// Machines whose wall clock was wrong when the process started.
struct WrongClockTests {
  @Test(
    "who gets a partition after the clock was put right asks for the broker's time at once",
    arguments: [3_600_000, -3_600_000] as [Int64], 1...10 as ClosedRange<UInt64>)
  func putRight(skew: Int64, seed: UInt64) throws {
    let deployment = try Deployment(seed: seed)
    let running = try deployment.start("a", wallOffset: skew)
    try deployment.wait(for: "the broker's time") {
      running.status.runningPartitions == 1 && running.status.workers.values.allSatisfy(\.areTimersStopped)
    }
    deployment.world.broker.faults.groupCoordinatorAwayUntil = deployment.world.now + 8_000
    deployment.world.broker.groups.group("sim-processor")?.removeMembers()
    running.process.wallOffset = 0
    try deployment.wait(for: "the loss") { running.status.runningPartitions == 0 }
    try deployment.wait(for: "the partition") { running.status.runningPartitions == 1 }
    // Those of a status: it is told every half second.
    deployment.world.run(until: deployment.world.now + 1_000)
    #expect(running.status.workers.values.allSatisfy { !$0.areTimersStopped })
    #expect(running.failure == nil)
  }
}
