import Audit
import Contract
import Kafka
import Testing

/// Records that are read again after `tidings state reset --to-beginning`.
@Suite("tidings audit: after a repair that reads again")
struct RepairAuditTests {
  private static let away = 1 - Deployment.home(of: "ann")

  /// A deployment that has decided, forwarded and rejected.
  private func makeDeployment() throws -> Deployment {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", #"{"email":"ann@example.org"}"#)
    try deployment.process()
    deployment.publish("e1", type: "card.due", to: "ann")
    deployment.publish("e2", type: "card.due", to: "ann", partition: Self.away)
    deployment.publish("e3", type: "unheard.of", to: "ann")
    deployment.append("engagement", Self.away, value: "no engagement")
    deployment.append("recipients", Self.away, key: "a/b/c", value: "{}")
    publishForAll("e4", in: deployment)
    try deployment.process(rounds: 12)
    return deployment
  }

  /// Publishes an event for an audience, whose followers changed meanwhile.
  private func publishForAll(_ id: String, in deployment: Deployment) {
    let home = Deployment.home(of: "board:1")
    deployment.append(
      "subscriptions", home, key: "board:1#a", value: #"{"recipients":["ann","bob","cid"]}"#)
    deployment.append(
      "events", home,
      value: "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"card.moved\","
        + "\"audience\":\"board:1\",\"data\":{\"n\":1}}",
      headers: ["content-type": "application/cloudevents+json"])
  }

  private func findings(_ report: AuditReport) -> [String] {
    report.partitions.flatMap(\.findings).map(\.description)
  }

  @Test("what was read before the repair is not held against what is read again")
  func readAgain() throws {
    let deployment = try makeDeployment()
    #expect(try deployment.audit().holds)
    try deployment.process(after: 120)
    try deployment.reset()
    // Fewer follow by now: the audience of the first reading is nothing to go by.
    deployment.append(
      "subscriptions", Deployment.home(of: "board:1"), key: "board:1#a", value: #"{"recipients":["ann"]}"#)
    try deployment.process(rounds: 12)
    for isRecent in [false, true] {
      let report = try deployment.audit(isRecent: isRecent)
      #expect(findings(report) == [])
      #expect(report.difference == 0)
      #expect(report.partitions.allSatisfy { $0.startSequence != nil })
    }
  }

  @Test(
    "what was forwarded in parts counts whole where the audit begins between them, however long ago they were"
  )
  func inParts() throws {
    let deployment = try Deployment(fanOutLimit: 1)
    deployment.publish("e1", type: "card.due", to: "ann", "bob", "cid", "dan", partition: Self.away)
    for _ in 0..<6 { try deployment.process(after: 120, rounds: 1) }
    let broker = deployment.world.broker
    let ends = (0..<Deployment.partitions).map {
      broker.log(TopicPartition(topic: "tidings.routed", partition: $0))?.endOffset ?? 0
    }
    #expect(ends.reduce(0, +) == 4)
    broker.retain(TopicPartition(topic: "tidings.state", partition: Self.away), from: 1)
    let report = try deployment.audit(isRecent: true)
    #expect(findings(report) == [])
    #expect(report.holds)
    #expect(report.partitions[Int(Self.away)].inputs[.events] == 0..<1)
  }

  @Test(
    "what is lost of the second reading is found, whatever there was of the first",
    arguments: [
      ("routed", "\"n\":1", [Finding.Kind.lostForward, .lostRecord]),
      ("rejected", "unheard.of", [.lostRecord]), ("decisions", "\"event\":\"e1\"", [.lostDecision]),
    ])
  func lostAgain(topic: String, text: String, kinds: [Finding.Kind]) throws {
    let deployment = try makeDeployment()
    try deployment.process(after: 120)
    try deployment.reset()
    var isDropped = false
    deployment.fate = { name, value in
      guard name == topic, value.contains(text) else { return .written }
      isDropped = true
      return .dropped
    }
    try deployment.process(rounds: 12)
    #expect(isDropped)
    let found = try deployment.audit().partitions.flatMap(\.findings)
    for kind in kinds { #expect(found.contains { $0.kind == kind }, "\(found)") }
  }
}
