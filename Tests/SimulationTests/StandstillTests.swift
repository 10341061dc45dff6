import SimulatedKafka
import Testing

/// Processes that stood still for longer than the recipients' topic keeps its tombstones.
struct StandstillTests {
  private static let away = SimulatedBroker.deleteRetention + 3_600_000

  @Test("a process that stood still for a day and an hour knows no recipient that was deleted meanwhile")
  func owner() throws {
    let deployment = try Deployment()
    let running = try deployment.start("a")
    try deployment.publish("{\"email\":\"ann@example.org\"}", key: "ann", to: "recipients")
    try deployment.publish(event: "1", for: "ann")
    try deployment.wait(for: "the first event") { running.status.counters.email.delivered == 1 }

    running.process.stall(for: Self.away, wholeProcess: true)
    try deployment.publish(nil, key: "ann", to: "recipients")
    deployment.world.run(until: deployment.world.now + Self.away - 60_000)
    deployment.world.broker.compact(deployment.partition("recipients"))
    #expect(deployment.world.broker.log(deployment.partition("recipients"))?.entries.isEmpty == true)
    deployment.world.run(until: deployment.world.now + 120_000)
    try deployment.publish(event: "2", for: "ann")
    try deployment.wait(for: "the second event") {
      let email = running.status.counters.email
      return email.delivered + email.suppressed[.noAddress] == 2
    }
    #expect(running.status.counters.email.delivered == 1)
    #expect(running.failure == nil)
  }
}
