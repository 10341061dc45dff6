import SimulatedKafka
import Testing

/// Very many digests that are due at one instant.
struct BurstTests {
  @Test(
    "events are decided beside a burst of digests, and the burst goes on beside a backlog of events",
    arguments: 1...10 as ClosedRange<UInt64>)
  func beside(seed: UInt64) throws {
    let deployment = try Deployment(
      seed: seed, partitionCount: 8,
      channels: "inapp: { policy: immediate }, email: { policy: digest, window: 60s }")
    let running = try deployment.start("a") {
      $0.commitBytes = 8_000
      $0.backlogBytes = 32_000
      $0.pipelineLimits = { $0.tickBytes = 4_000 }
    }
    let count = 600
    for number in 0..<count {
      try deployment.publish("{\"email\":\"r\(number)@example.org\"}", key: "r\(number)", to: "recipients")
    }
    for number in 0..<count { try deployment.publish(event: "w\(number)", for: "r\(number)") }
    try deployment.wait(for: "the windows") { running.status.counters.email.open == Int64(count) }

    // So many at once that they are more than all digests together.
    let due = deployment.world.now + 60_000
    try deployment.wait(for: "the burst", seconds: 70) { running.status.counters.email.delivered > 0 }
    #expect(deployment.world.now <= due + 1_000)
    for number in 0..<2 * count { try deployment.publish(event: "e\(number)", for: "r\(number % count)") }
    var open: Int64 = 0
    var decided: Int64 = 0
    try deployment.wait(for: "half of the events or of the digests") {
      open = Int64(count) - running.status.counters.email.delivered
      decided = running.status.counters.inapp.delivered - Int64(count)
      return open <= Int64(count) / 2 || decided >= Int64(count)
    }
    // Neither has waited for the other to be done.
    #expect(
      open > Int64(count) / 10 && open < Int64(count) * 9 / 10, "seed \(seed): \(open) digests are left")
    #expect(decided > Int64(count) / 6, "seed \(seed): \(decided) events are decided")
    #expect(running.failure == nil)
  }
}
