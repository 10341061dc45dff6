import SimulatedKafka
import Testing

/// What is taken in behind a commit under way.
struct BacklogTests {
  @Test(
    "a record of the decisions has at most half of the backlog, however much waits",
    arguments: 1...5, [4_000, 32_000])
  func logRecord(seed: UInt64, commitBytes: Int) throws {
    let deployment = try Deployment(seed: seed)
    let running = try deployment.start("a") {
      $0.commitBytes = commitBytes
      $0.commitInterval = .seconds(5)
      $0.backlogBytes = 32_000
    }
    // Nobody has an address: all output is decisions and state.
    let count = 1_000
    for number in 0..<count { try deployment.publish(event: "\(number)", for: "ann") }
    try deployment.wait(for: "the decisions") {
      running.status.counters.email.suppressed[.noAddress] == Int64(count)
    }
    let decisions = try #require(deployment.world.broker.log(deployment.partition("decisions")))
    let largest = decisions.entries.map { $0.record?.value?.count ?? 0 }.max() ?? 0
    #expect(largest > 12_000, "seed \(seed): the backlog was never full")
    #expect(largest < 17_000, "seed \(seed): half of the backlog, and one decision more")
    #expect(running.failure == nil)
  }
}
