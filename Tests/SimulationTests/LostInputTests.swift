import Processor
import Testing

/// Input that retention has deleted: an error for the worker that has the partition, and for it alone.
struct LostInputTests {
  @Test("input that retention takes from a worker ends it with an error that says what is lost")
  func lost() throws {
    let deployment = try Deployment()
    let running = try deployment.start("a")
    try deployment.publish(event: "1", for: "ann")
    try deployment.wait(for: "the first event") { running.status.counters.email.suppressed[.noAddress] == 1 }
    running.process.stall(for: 2_000, wholeProcess: true)
    for number in 2...20 { try deployment.publish(event: "\(number)", for: "ann") }
    deployment.world.broker.retain(deployment.partition("events"), from: 15)
    try deployment.wait(for: "the end") { running.failure != nil }
    guard case ProcessorFault.lostInput(_, partition: 0, position: _, low: 15)? = running.failure else {
      Issue.record("it ended with \(running.failure.map { "\($0)" } ?? "nothing")")
      return
    }
    #expect(
      running.failure.map { "\($0)".contains("but the topic begins at 15: retention has deleted") } == true)
  }

  @Test(
    "a worker that has lost its partition and does not know so passes over what its successor has consumed",
    arguments: 1...20 as ClosedRange<UInt64>)
  func lostMember(seed: UInt64) throws {
    let deployment = try Deployment(seed: seed)
    let first = try deployment.start("a")
    try deployment.publish(event: "1", for: "ann")
    try deployment.wait(for: "the first event") { first.status.counters.email.suppressed[.noAddress] == 1 }
    let wake = deployment.world.now + 8_000
    first.process.stall(for: 8_000, wholeProcess: true)
    deployment.world.broker.groups.group("sim-processor")?.removeMembers()
    let second = try deployment.start("b")
    // The fetch that it has put already is answered with the first of them.
    for number in 2...5 { try deployment.publish(event: "\(number)", for: "ann") }
    try deployment.wait(for: "some") { second.status.counters.email.suppressed[.noAddress] == 5 }
    for number in 6...20 { try deployment.publish(event: "\(number)", for: "ann") }
    try deployment.wait(for: "the others") { second.status.counters.email.suppressed[.noAddress] == 20 }
    deployment.world.broker.retain(deployment.partition("events"), from: 15)
    deployment.world.run(until: wake - 100)
    // When it goes on, the partition answers at once, and the group only later.
    deployment.world.broker.faults.groupCoordinatorAwayUntil = wake + 4_000
    deployment.world.run(until: wake + 60_000)
    #expect(first.failure == nil && second.failure == nil)
    for number in 21...30 { try deployment.publish(event: "\(number)", for: "ann") }
    try deployment.wait(for: "the rest") {
      let known = [first, second].map(\.status.counters.email.suppressed[.noAddress]).max()
      return known == 30
    }
  }
}
