import Contract
import Kafka
import Testing

@testable import Audit

/// Whose notifications an answer is about, and what it says of those that came before its range.
@Suite("tidings why: whose, and from when on")
struct AccountRangeTests {
  private func account(
    _ deployment: Deployment, _ recipient: String, event: String? = nil, since seconds: Int64 = 3600
  ) throws -> RecipientAccount {
    try AccountReader(cluster: deployment.reader.cluster, topics: deployment.topics).read(
      AccountQuestion(
        recipient: recipient, event: event, sinceMilliseconds: deployment.world.now - seconds * 1000))
  }

  @Test(
    "what was too few for a digest is told with the deliveries of each, also where it came before the range")
  func tooFewBefore() throws {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", #"{"email":"ann@example.org"}"#)
    try deployment.process()
    deployment.publish("e1", type: "card.seldom", to: "ann")
    deployment.publish("e2", type: "card.seldom", to: "ann")
    try deployment.process()
    try deployment.process(after: 11)
    let account = try account(deployment, "ann", since: 5)
    #expect(account.notifications.isEmpty)
    let digest = try #require(account.earlierDigests.first)
    #expect(account.earlierDigests.count == 1)
    #expect(digest.isSingly && digest.delivery == nil && digest.earlierMembers == 2)
    #expect(Set(digest.singles.map(\.id)) == Set(digest.singleIDs))
    #expect(digest.singles.map(\.at.offset) == [0, 1])
    #expect(digest.singles.allSatisfy { $0.kind == "single" })
    #expect(account.text.contains("2 notifications, too few for a digest: each delivered alone"))
    #expect(!account.text.contains("not in the delivery topic"))
  }

  @Test("what was delivered alone and is gone from the topic is said to be")
  func tooFewDeleted() throws {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", #"{"email":"ann@example.org"}"#)
    try deployment.process()
    deployment.publish("e1", type: "card.seldom", to: "ann")
    deployment.publish("e2", type: "card.seldom", to: "ann")
    try deployment.process()
    try deployment.process(after: 11)
    deployment.world.broker.retain(
      TopicPartition(topic: "tidings.delivery.email", partition: Deployment.home(of: "ann")), from: 1)
    let account = try account(deployment, "ann", since: 5)
    #expect(account.earlierDigests.first?.singles.map(\.at.offset) == [1])
    #expect(account.text.contains("1 record is not in the delivery topic any more"))
  }

  @Test("ids that a String takes for the same are two recipients, and two events")
  func spellings() throws {
    let deployment = try Deployment()
    let number = try #require(
      (0..<64).first { Deployment.home(of: "\u{e9}\($0)") == Deployment.home(of: "e\u{301}\($0)") })
    let (one, two) = ("\u{e9}\(number)", "e\u{301}\(number)")
    #expect(one == two)
    for (recipient, event) in [(one, "e1"), (two, "e2"), (two, "\u{e9}"), (two, "e\u{301}")] {
      deployment.publish(event, to: recipient)
    }
    try deployment.process()
    deployment.publish(seen: "e2", by: two)
    try deployment.process()
    let first = try account(deployment, one)
    #expect(first.notifications.map(\.event) == ["e1"])
    #expect(first.engagement.isEmpty)
    let second = try account(deployment, two)
    #expect(second.notifications.count == 3)
    #expect(second.engagement.count == 1)
    let asked = try account(deployment, two, event: "e\u{301}")
    #expect(asked.notifications.map { Array($0.event.utf8) } == [Array("e\u{301}".utf8)])
  }
}
