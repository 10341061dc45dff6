import Audit
import Contract
import Kafka
import Pipeline
import Testing

/// Events for audiences in `tidings audit` and `tidings why`.
@Suite struct AudienceAuditTests {
  private let followers = ["ann", "bob", "cid", "dan", "eve", "fay"]

  /// Two audiences with the same followers, one of whose parts was published away from home.
  private func makeDeployment() throws -> Deployment {
    let deployment = try Deployment()
    let list = followers.map { "\"\($0)\"" }.joined(separator: ",")
    for audience in ["board:1", "board:2"] {
      let home = Deployment.home(of: audience)
      deployment.append(
        "subscriptions", 1 - home, key: "\(audience)#a", value: "{\"recipients\":[\(list)]}")
      deployment.append("subscriptions", home, key: "\(audience)#b", value: "{\"recipients\":[\"ann\"]}")
      deployment.append("subscriptions", home, key: "\(audience)#c", value: nil)
      deployment.append("subscriptions", home, key: "\(audience)#c", value: "{\"recipients\":7}")
    }
    try deployment.process()
    return deployment
  }

  private func publish(_ id: String, for audience: String, partition: Int32, in deployment: Deployment) {
    deployment.append(
      "events", partition,
      value: "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"card.moved\","
        + "\"audience\":\"\(audience)\",\"data\":{\"n\":1}}",
      headers: ["content-type": "application/cloudevents+json"])
  }

  @Test(
    "what a processor wrote has no difference: at home and away, for nobody, again, under way and at the end")
  func noDifference() throws {
    let deployment = try makeDeployment()
    for (number, audience) in ["board:1", "board:2", "nobody"].enumerated() {
      for partition in 0..<Deployment.partitions {
        publish("e\(number)", for: audience, partition: partition, in: deployment)
      }
    }
    for rounds in [1, 1, 1, 12] {
      try deployment.process(rounds: rounds)
      let report = try deployment.audit()
      #expect(report.difference == 0)
      #expect(report.partitions.flatMap(\.findings).map(\.description) == [])
    }
    let report = try deployment.audit()
    #expect(report.rows.first { $0.name == "inapp delivered" }?.topics == Int64(2 * followers.count))
  }

  @Test("a follower's record that is lost, or written twice, or written by somebody else is a finding")
  func findings() throws {
    let fates: [(Deployment.Fate, Finding.Kind)] = [(.dropped, .lostForward), (.doubled, .doubledForward)]
    for (fate, kind) in fates {
      let deployment = try makeDeployment()
      var number = 0
      deployment.fate = { topic, _ in
        guard topic == "routed" else { return .written }
        number += 1
        return number == 3 ? fate : .written
      }
      publish("e1", for: "board:1", partition: Deployment.home(of: "board:1"), in: deployment)
      try deployment.process(rounds: 12)
      let found = try deployment.audit().partitions.flatMap(\.findings)
      #expect(found.contains { $0.kind == kind }, "\(kind): \(found)")
    }
    let deployment = try makeDeployment()
    let home = Deployment.home(of: "ann")
    publish("e1", for: "nobody", partition: home, in: deployment)
    deployment.append(
      "routed", home, key: "ann", value: "{}",
      headers: [
        "ce_specversion": "1.0", "ce_id": "e1", "ce_source": "/test", "ce_type": "card.moved",
        "ce_recipient": "ann", "tidings-origin-topic": "tidings.events",
        "tidings-origin-partition": "\(home)", "tidings-origin-offset": "0", "tidings-audience": "nobody",
      ])
    try deployment.process(rounds: 4)
    let found = try deployment.audit().partitions.flatMap(\.findings)
    #expect(found.contains { $0.kind == .foreignForward }, "\(found)")
  }

  @Test(
    "a follower's record that is lost is a finding also where retention has deleted what was forwarded earlier"
  )
  func lostBehindRetention() throws {
    let deployment = try makeDeployment()
    for id in ["e1", "e2"] {
      for follower in followers {
        deployment.publish(id, to: follower, partition: 1 - Deployment.home(of: follower))
      }
    }
    try deployment.process(after: 60)
    for partition in 0..<Deployment.partitions {
      let place = TopicPartition(topic: "tidings.routed", partition: partition)
      #expect(deployment.world.broker.log(place)?.endOffset ?? 0 > 1)
      deployment.world.broker.retain(place, from: 1)
    }
    #expect(try deployment.audit().holds)
    var number = 0
    deployment.fate = { topic, _ in
      guard topic == "routed" else { return .written }
      number += 1
      return number == 3 ? .dropped : .written
    }
    publish("e3", for: "board:1", partition: Deployment.home(of: "board:1"), in: deployment)
    try deployment.process(after: 60, rounds: 12)
    let report = try deployment.audit()
    let found = report.partitions.flatMap(\.findings)
    #expect(found.contains { $0.kind == .lostForward }, "\(found) \(report.partitions.flatMap(\.unproven))")
  }

  @Test("why says for which audience an event came")
  func why() throws {
    let deployment = try makeDeployment()
    publish("e1", for: "board:1", partition: 0, in: deployment)
    try deployment.process(rounds: 12)
    let account = try AccountReader(cluster: deployment.reader.cluster, topics: deployment.topics)
      .read(AccountQuestion(recipient: "fay", sinceMilliseconds: 0))
    let notification = try #require(account.notifications.first)
    #expect(notification.event == "e1" && notification.arrival.audience == "board:1")
    #expect(account.text.contains(", for all who follow board:1, fanned out from tidings."))
  }
}
