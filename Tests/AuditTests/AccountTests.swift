import Contract
import Foundation
import Kafka
import Testing

@testable import Audit

@Suite("tidings why")
struct AccountTests {
  /// Two recipients with an address, and one who wants no mail about cards.
  private func makeDeployment() throws -> Deployment {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", "{\"email\":\"ann@example.org\"}")
    deployment.publish(
      recipient: "bob",
      "{\"email\":\"bob@example.org\",\"optOut\":[{\"category\":\"cards\",\"channel\":\"email\"}]}")
    try deployment.process()
    return deployment
  }

  private func account(
    _ deployment: Deployment, _ recipient: String, tenant: String = "default", event: String? = nil,
    source: String? = nil, since seconds: Int64 = 3600
  ) throws -> RecipientAccount {
    try AccountReader(cluster: deployment.reader.cluster, topics: deployment.topics).read(
      AccountQuestion(
        tenant: tenant, recipient: recipient, event: event, source: source,
        sinceMilliseconds: deployment.world.now - seconds * 1000))
  }

  private func channel(
    _ account: RecipientAccount, _ name: String, event: String = "e1"
  ) throws -> RecipientAccount.ChannelAccount {
    let notification = try #require(account.notifications.first { $0.event == event })
    return try #require(notification.channels.first { $0.channel == name })
  }

  @Test("a notification that was delivered alone: when it came, what decided it, and its record")
  func delivered() throws {
    let deployment = try makeDeployment()
    let offset = deployment.publish("e1", type: "card.due", to: "ann")
    let came = deployment.world.now
    try deployment.process(after: 1)
    let account = try account(deployment, "ann")
    let home = Deployment.home(of: "ann")
    let notification = try #require(account.notifications.first)
    #expect(account.notifications.count == 1)
    #expect(account.partition == home)
    #expect(
      notification.arrival
        == RecipientAccount.Arrival(
          at: .init(topic: "tidings.events", partition: home, offset: offset), appended: Instant(came),
          origin: nil))
    #expect(notification.verdict.decision == "\(home)-1")
    #expect(notification.verdict.time == Instant(came + 1000))
    #expect(notification.verdict.at == .init(topic: "tidings.decisions", partition: home, offset: 0))
    #expect(notification.catalog.count == 16)
    let email = try channel(account, "email")
    #expect(email.outcome == "delivered")
    let delivery = try #require(email.delivery)
    #expect(delivery.id == email.deliveryID)
    #expect(delivery.at == .init(topic: "tidings.delivery.email", partition: home, offset: 0))
    #expect(delivery.address == "ann@example.org")
    #expect(delivery.recipientRecord == 0)
    #expect(delivery.kind == "single")
    #expect(delivery.handOver == .unknown)
    #expect(account.text.contains("delivered alone"))
    #expect(account.text.contains("1000 ms later"))
  }

  @Test("a notification that waits says in which digest and until when; merged, it says when that was closed")
  func digest() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    deployment.publish("e2", to: "ann")
    let came = deployment.world.now
    try deployment.process()
    let open = try channel(try account(deployment, "ann"), "email")
    #expect(open.outcome == "open")
    #expect(open.digest?.due == Instant(came + 10_000))
    #expect(open.digest?.closed == nil)
    #expect(open.delivery == nil)
    #expect(try account(deployment, "ann").text.contains("waits in digest \(open.digest?.id ?? "?"), due"))

    let closing = deployment.world.now + 11_000
    try deployment.process(after: 11)
    let account = try account(deployment, "ann")
    for event in ["e1", "e2"] {
      let closed = try channel(account, "email", event: event)
      #expect(closed.outcome == "digest")
      #expect(closed.digest?.id == open.digest?.id)
      #expect(closed.digest?.members == 2)
      #expect(closed.digest?.closed?.time == Instant(closing))
      #expect(closed.delivery?.id == open.digest?.id)
      #expect(closed.delivery?.kind == "digest")
      #expect(closed.delivery?.events == 2)
    }
    #expect(account.text.contains("with 2 notifications, due"))
  }

  @Test("what was too few for a digest says which one, and where each was delivered")
  func tooFew() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", type: "card.seldom", to: "ann")
    deployment.publish("e2", type: "card.seldom", to: "ann")
    try deployment.process()
    try deployment.process(after: 11)
    let account = try account(deployment, "ann")
    for event in ["e1", "e2"] {
      let closed = try channel(account, "email", event: event)
      #expect(closed.outcome == "delivered")
      #expect(closed.delivery?.kind == "single")
      #expect(closed.delivery?.id == closed.deliveryID)
      let digest = closed.digest?.id ?? "?"
      #expect(account.text.contains("delivered alone, since 2 were too few for digest \(digest)"))
    }
  }

  @Test("what waited for an address that is gone says so, with the digest that it waited in")
  func lostAddress() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    deployment.publish(recipient: "ann", "{}")
    try deployment.process(after: 11)
    let account = try account(deployment, "ann")
    let email = try channel(account, "email")
    #expect(email.outcome == "suppressed" && email.reason == "noAddress" && email.deliveryID == nil)
    #expect(email.withdrawn == email.digest?.closed && email.withdrawn != nil)
    #expect(account.text.contains("or no record, while it waited in digest \(email.digest?.id ?? "?")"))
    let later = try self.account(deployment, "ann", since: 5)
    #expect(later.earlierDigests.map(\.suppressionReason) == ["noAddress"])
    #expect(later.text.contains("the recipient has no address") && !later.text.contains("all had expired"))
  }

  @Test("a repeat names the arrival that it repeats, as far as it lies in the range")
  func duplicate() throws {
    let deployment = try makeDeployment()
    let first = deployment.publish("e1", to: "ann")
    try deployment.process()
    deployment.publish("e1", to: "ann")
    try deployment.process(after: 60)
    let whole = try account(deployment, "ann")
    let repeated = try #require(whole.notifications.last)
    #expect(whole.notifications.count == 2)
    #expect(repeated.isDuplicate)
    #expect(
      repeated.repeats == .init(topic: "tidings.events", partition: Deployment.home(of: "ann"), offset: first)
    )
    #expect(repeated.channels.allSatisfy { $0.outcome == "suppressed" && $0.reason == "duplicate" })
    let recent = try account(deployment, "ann", since: 30)
    #expect(recent.notifications.count == 1)
    #expect(recent.notifications.first?.repeats == nil)
    #expect(recent.text.contains("decided before the range shown"))
  }

  @Test("an opt-out and a missing address are told with the record in force")
  func suppressed() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "bob")
    deployment.publish("e1", to: "nobody")
    try deployment.process()
    let bob = try account(deployment, "bob")
    #expect(try channel(bob, "email").reason == "optedOut")
    #expect(try channel(bob, "inapp").outcome == "delivered")
    #expect(bob.recipientRecord?.at.topic == "tidings.recipients")
    #expect(bob.text.contains("does not want this category on this channel"))
    let nobody = try account(deployment, "nobody")
    #expect(try channel(nobody, "email").reason == "noAddress")
    #expect(nobody.recipientRecord == nil)
    #expect(nobody.text.contains("no address for this channel"))
  }

  @Test("what a recipient saw and unsubscribed from is told with the records that said so")
  func engagement() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    deployment.publish(seen: "e1", by: "ann")
    deployment.append(
      "engagement", Deployment.home(of: "ann"), key: "ann",
      value:
        "{\"specversion\":\"1.0\",\"id\":\"u1\",\"source\":\"/app\",\"type\":\"tidings.engagement.unsubscribed\","
        + "\"recipient\":\"ann\",\"channel\":\"email\",\"category\":\"cards\"}",
      headers: ["content-type": "application/cloudevents+json"])
    try deployment.process()
    deployment.publish("e2", to: "ann")
    try deployment.process()
    let account = try account(deployment, "ann")
    #expect(account.engagement.map(\.kind) == ["seen", "unsubscribed"])
    let first = try #require(account.notifications.first)
    #expect(account.engagement.first?.notifications == [first.id])
    #expect(account.text.contains("unsubscribed on email, category cards: \"u1\" at tidings.engagement ["))
    let second = try #require(account.notifications.last)
    #expect(second.channels.first { $0.channel == "email" }?.reason == "unsubscribed")
    #expect(account.text.contains("has unsubscribed from this category on this channel"))
  }

  @Test("what a recipient muted, did themselves, or wants at another time is told with what decided")
  func wishes() throws {
    let deployment = try makeDeployment()
    deployment.publish(
      recipient: "cay",
      #"{"email":"cay@example.org","mutes":[{"subject":"board/42"}],"preferences":{"cards":{"email":"weekly"}}}"#
    )
    deployment.publish("e1", to: "cay", extra: #","subject":"board/42""#)
    deployment.publish("e2", to: "cay")
    deployment.publish("e3", to: "dan")
    try deployment.process()
    let cay = try account(deployment, "cay")
    #expect(try channel(cay, "email", event: "e1").reason == "muted")
    #expect(try channel(cay, "email", event: "e1").digest == nil)
    let weekly = try channel(cay, "email", event: "e2")
    #expect(weekly.outcome == "open")
    #expect(weekly.grounds?.policy == "weekly")
    #expect(weekly.grounds?.preference?.setting == "weekly")
    #expect(cay.text.contains("nothing: the recipient has muted the event's subject"))
    #expect(cay.text.contains(#"by the recipient's record: cards on email is "weekly""#))
    // They are the actor of the event.
    let dan = try account(deployment, "dan")
    #expect(dan.notifications.first?.channels.allSatisfy { $0.reason == "ownAction" } == true)
    #expect(dan.text.contains("is not told of their own actions"))
    let report = try deployment.audit()
    #expect(report.holds)
    #expect(report.rows.contains { $0.name.contains("muted") && $0.topics > 0 })
  }

  @Test("what was taken back or replaced while it waited is told with the event that did it")
  func withdrawn() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    deployment.publish("e2", to: "ann", extra: #","collapsekey":"k""#)
    try deployment.process()
    deployment.publish("e3", to: "ann", extra: #","collapsekey":"k""#)
    deployment.publish("e4", to: "ann", extra: #","retracts":"e1""#)
    try deployment.process(after: 1)
    try deployment.process(after: 11)
    let account = try account(deployment, "ann")
    let retracted = try channel(account, "email", event: "e1")
    #expect(retracted.outcome == "retracted" && retracted.cause == "e4" && retracted.withdrawn != nil)
    #expect(retracted.delivery == nil)
    #expect(try channel(account, "inapp", event: "e1").outcome == "delivered")
    let replaced = try channel(account, "email", event: "e2")
    #expect(replaced.outcome == "collapsed" && replaced.cause == "e3")
    #expect(try channel(account, "email", event: "e3").outcome == "digest")
    let digest = try #require(retracted.digest?.id)
    #expect(
      account.text.contains("taken back by its producer, with \"e4\", while it waited in digest \(digest)"))
    #expect(
      account.text.contains(#"replaced by a newer event of the same collapsekey, with "e3", while it waited"#)
    )
    let report = try deployment.audit()
    #expect(report.holds)
    for name in ["email retracted", "email collapsed"] {
      #expect(report.rows.contains { $0.name == name && $0.topics == 1 && $0.difference == 0 }, "\(name)")
    }
  }

  @Test("what expired at its arrival and what expired in its window are told apart")
  func expired() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann", extra: ",\"expirytime\":\"2001-01-01T00:00:00Z\"")
    // Within the window of ten seconds; worlds begin at 2023-11-14T22:13:20Z.
    deployment.publish("e2", to: "ann", extra: ",\"expirytime\":\"2023-11-14T22:13:25Z\"")
    deployment.publish("e3", to: "ann")
    try deployment.process()
    #expect(deployment.world.now < 1_700_000_005_000)
    try deployment.process(after: 11)
    let account = try account(deployment, "ann")
    #expect(try channel(account, "email", event: "e1").outcome == "expired")
    #expect(try channel(account, "email", event: "e1").digest == nil)
    #expect(try channel(account, "email", event: "e2").outcome == "expired")
    #expect(try channel(account, "email", event: "e2").digest?.closed != nil)
    #expect(try channel(account, "email", event: "e3").outcome == "digest")
    #expect(account.text.contains("expired while it waited in digest"))
    #expect(account.text.contains("had passed when it was decided"))
  }

  @Test("an event that was forwarded says where it was read first, and a tenant's recipient is another one")
  func forwarded() throws {
    let deployment = try makeDeployment()
    let offset = deployment.publish("e1", to: "ann", "bob", partition: 1)
    deployment.publish("e2", to: "ann", extra: ",\"tenant\":\"acme\"", partition: 0)
    try deployment.process()
    let account = try account(deployment, "ann")
    #expect(account.notifications.map(\.event) == ["e1"])
    let arrival = try #require(account.notifications.first?.arrival)
    #expect(arrival.at.topic == "tidings.routed")
    #expect(arrival.origin == .init(topic: "tidings.events", partition: 1, offset: offset))
    let other = try self.account(deployment, "ann", tenant: "acme")
    #expect(other.notifications.map(\.event) == ["e2"])
    #expect(other.partition == Deployment.home(of: "acme/ann"))
  }

  @Test("only what was asked for: by event, by source, by time")
  func filters() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    deployment.publish("e2", to: "ann")
    try deployment.process(after: 600)
    #expect(try account(deployment, "ann").notifications.map(\.event) == ["e1", "e2"])
    #expect(try account(deployment, "ann", event: "e2").notifications.map(\.event) == ["e2"])
    #expect(try account(deployment, "ann", source: "/else").isEmpty)
    #expect(try account(deployment, "ann", source: "/test").notifications.count == 2)
    let recent = try account(deployment, "ann", since: 300)
    #expect(recent.notifications.map(\.event) == ["e2"])
    #expect(recent.decisionsRead < (try account(deployment, "ann").decisionsRead))
  }

  @Test("a digest of the range whose notifications came before it is told as such")
  func earlierDigest() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    try deployment.process(after: 60)
    let account = try account(deployment, "ann", since: 30)
    #expect(account.notifications.isEmpty)
    #expect(account.earlierDigests.count == 1)
    #expect(account.earlierDigests.first?.earlierMembers == 1)
    #expect(account.earlierDigests.first?.delivery?.events == 1)
    #expect(!account.isEmpty)
    #expect(account.text.contains("came before the range shown"))
  }

  @Test("a delivery that the sink gave up tells what the other side said")
  func deadLetter() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", type: "card.due", to: "ann")
    try deployment.process()
    let home = Deployment.home(of: "ann")
    deployment.append(
      "delivery.email.dead-letter", home, key: "ann", value: "{}",
      headers: [
        "tidings-reason": "refused", "tidings-detail": "550 5.1.1 no such mailbox", "tidings-attempts": "3",
        "tidings-topic": "tidings.delivery.email", "tidings-partition": "\(home)", "tidings-offset": "0",
      ])
    let account = try account(deployment, "ann")
    let letter = try #require(try channel(account, "email").delivery?.deadLetter)
    #expect(letter.reason == "refused")
    #expect(letter.detail == "550 5.1.1 no such mailbox")
    #expect(letter.attempts == 3)
    #expect(account.text.contains("GIVEN UP"))
    #expect(account.text.contains("550 5.1.1 no such mailbox"))
  }

  @Test("how far the sink is comes from what its group has committed")
  func handOver() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", type: "card.due", to: "ann")
    deployment.publish("e2", type: "card.due", to: "ann")
    try deployment.process()
    try deployment.commit(group: "tidings-email", "delivery.email", Deployment.home(of: "ann"), offset: 1)
    let account = try account(deployment, "ann")
    #expect(try channel(account, "email", event: "e1").delivery?.handOver == .done)
    #expect(try channel(account, "email", event: "e2").delivery?.handOver == .waiting)
    #expect(account.text.contains("the mail server took it"))
    #expect(account.text.contains("not handed over yet"))
  }

  @Test("decisions that retention has deleted are mentioned, and a delivery record that is gone")
  func retention() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    deployment.publish("e2", to: "ann")
    try deployment.process(after: 60)
    let decided = deployment.world.now
    let home = Deployment.home(of: "ann")
    let broker = deployment.world.broker
    broker.retain(TopicPartition(topic: "tidings.decisions", partition: home), from: 1)
    broker.retain(TopicPartition(topic: "tidings.delivery.inapp", partition: home), from: 2)
    broker.retain(TopicPartition(topic: "tidings.events", partition: home), from: 2)
    let account = try account(deployment, "ann")
    #expect(account.keptSince == Instant(decided))
    #expect(account.notifications.map(\.event) == ["e2"])
    #expect(account.notifications.first?.arrival.appended == nil)
    #expect(try channel(account, "inapp", event: "e2").delivery == nil)
    #expect(account.text.contains("Retention has deleted the decisions before"))
    #expect(account.text.contains("which retention has deleted since"))
    #expect(account.text.contains("not in the delivery topic any more"))
  }

  @Test("nothing found says whether the recipient is known, and a name that none can have is refused")
  func nothing() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    let unknown = try account(deployment, "zoe")
    #expect(unknown.isEmpty)
    #expect(unknown.text.contains("There is no record of the recipient either"))
    let known = try account(deployment, "bob")
    #expect(known.isEmpty)
    #expect(known.text.contains("There is a record of the recipient"))
    let otherEvent = try account(deployment, "ann", event: "e9")
    #expect(otherEvent.isEmpty)
    #expect(otherEvent.text.contains("1 of them about this recipient"))
    #expect(throws: AuditFault.self) { try account(deployment, "a/b") }
    #expect(throws: AuditFault.self) { try account(deployment, "") }
  }

  @Test("the document for programs has the same, with instants as RFC 3339")
  func json() throws {
    let deployment = try makeDeployment()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    let text = try account(deployment, "ann").json()
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let notifications = try #require(document["notifications"] as? [[String: Any]])
    let arrival = try #require(notifications.first?["arrival"] as? [String: Any])
    #expect(notifications.first?["event"] as? String == "e1")
    #expect((arrival["appended"] as? String)?.hasPrefix("2023-11-14T22:13:2") == true)
  }
}
