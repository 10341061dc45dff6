import Audit
import Contract
import Foundation
import Kafka
import Pipeline
import Testing

@Suite("tidings audit")
struct ConservationAuditTests {
  /// A history with every outcome that there is today.
  private func makeHistory() throws -> Deployment {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", "{\"email\":\"ann@example.org\"}")
    deployment.publish(
      recipient: "bob",
      "{\"email\":\"bob@example.org\",\"optOut\":[{\"category\":\"cards\",\"channel\":\"email\"}]}")
    deployment.publish(recipient: "old", "{}")
    deployment.publish(recipient: "old", nil)
    deployment.publish(
      recipient: "cid", "{\"email\":\"cid@example.org\"}", partition: 1 - Deployment.home(of: "cid"))
    try deployment.process()
    deployment.publish("e1", to: "ann")
    deployment.publish("e2", to: "ann")
    deployment.publish("e2", to: "ann")
    deployment.publish("e3", to: "ann", "bob", "cid", "nobody")
    deployment.publish("e4", type: "card.due", to: "cid")
    deployment.publish("e5", to: "ann", extra: ",\"expirytime\":\"2001-01-01T00:00:00Z\"")
    deployment.publish("e6", type: "unheard.of", to: "ann")
    deployment.append("events", 0, value: "no event")
    deployment.append("recipients", 1, key: "a/b/c", value: "{}")
    deployment.append("engagement", 1, value: "no engagement")
    return deployment
  }

  private func kinds(_ report: AuditReport) -> Set<Finding.Kind> {
    Set(report.partitions.flatMap(\.findings).map(\.kind))
  }

  private func count(_ report: AuditReport, _ name: String) -> Int64? {
    report.rows.first { $0.name == name }?.topics
  }

  @Test("what a processor wrote has no difference, with windows open and with windows closed")
  func noDifference() throws {
    let deployment = try makeHistory()
    try deployment.process()
    let open = try deployment.audit()
    #expect(open.difference == 0)
    #expect(open.partitions.flatMap(\.findings).map(\.description) == [])
    #expect(count(open, "email open") == 4)
    #expect(count(open, "rejected") == 4)
    #expect(count(open, "forwarded") == 2)
    #expect(count(open, "tombstones") == 1)
    #expect(count(open, "email suppressed (duplicate)") == 1)
    #expect(count(open, "email suppressed (optedOut)") == 1)
    #expect(count(open, "email suppressed (noAddress)") == 1)
    #expect(count(open, "inapp expired") == 1)
    try deployment.process(after: 11)
    let closed = try deployment.audit()
    #expect(closed.holds)
    #expect(count(closed, "email open") == 0)
    #expect(count(closed, "email delivered") == 5)
    #expect(closed.partitions.allSatisfy { $0.unproven.isEmpty && $0.startSequence == nil })
  }

  @Test("what waited for an address that is gone counts as suppressed when its windows close")
  func lostAddress() throws {
    let deployment = try makeHistory()
    try deployment.process()
    deployment.publish(recipient: "ann", "{}")
    try deployment.process(after: 11)
    let report = try deployment.audit()
    #expect(report.holds)
    #expect(report.partitions.flatMap(\.findings).map(\.description) == [])
    #expect(count(report, "email open") == 0)
    #expect((count(report, "email suppressed (noAddress)") ?? 0) > 1)
  }

  @Test("engagement records count as decided, forwarded and rejected")
  func engagement() throws {
    let deployment = try makeHistory()
    try deployment.process()
    let before = try deployment.audit()
    deployment.publish(seen: "e1", by: "ann")
    deployment.publish(seen: "e1", by: "ann", partition: 1 - Deployment.home(of: "ann"))
    deployment.append("engagement", 0, value: "seen")
    try deployment.process()
    let report = try deployment.audit()
    #expect(report.holds)
    #expect(report.partitions.flatMap(\.findings).map(\.description) == [])
    for (name, more) in [("consumed", 4), ("decided", 2), ("forwarded", 1), ("rejected", 1)]
      as [(String, Int64)]
    {
      #expect(count(report, name) == (count(before, name) ?? 0) + more)
    }
  }

  @Test("what lies behind the last commit that a state record tells of is left out")
  func cut() throws {
    let deployment = try makeHistory()
    try deployment.process()
    let ends = try deployment.audit().partitions.map(\.endSequence)
    // Everything of the next commits is there but for the state records, as it looks from outside in the middle of them.
    deployment.fate = { topic, _ in topic == "state" ? .dropped : .written }
    deployment.publish("e7", to: "ann")
    deployment.publish("e8", type: "card.due", to: "cid")
    try deployment.process(after: 11)
    let report = try deployment.audit()
    #expect(report.holds)
    #expect(report.partitions.map(\.endSequence) == ends)
  }

  @Test(
    "a record of the processor that is missing is found",
    arguments: [
      ("delivery.inapp", "\"e1\"", Finding.Kind.lostDelivery),
      ("delivery.email", "\"digest\"", .lostDelivery),
      ("routed", "", .lostForward), ("rejected", "no event", .lostRecord),
      ("rejected", "no engagement", .lostRecord),
      ("decisions", "\"event\":\"e4\"", .lostDecision),
    ])
  func missing(topic: String, text: String, kind: Finding.Kind) throws {
    let deployment = try makeHistory()
    var isDropped = false
    deployment.fate = { name, value in
      guard name == topic, text.isEmpty || value.contains(text), !isDropped else { return .written }
      isDropped = true
      return .dropped
    }
    try deployment.process()
    try deployment.process(after: 11)
    #expect(isDropped)
    let report = try deployment.audit()
    #expect(!report.holds)
    #expect(kinds(report).contains(kind))
  }

  @Test(
    "a record of the processor that is there twice is found",
    arguments: [
      ("delivery.inapp", "\"e1\"", Finding.Kind.doubledDelivery),
      ("delivery.email", "\"digest\"", .doubledDelivery),
      ("routed", "", .doubledForward), ("rejected", "no event", .doubledRecord),
      ("decisions", "", .doubledDecision),
    ])
  func doubled(topic: String, text: String, kind: Finding.Kind) throws {
    let deployment = try makeHistory()
    deployment.fate = { name, value in
      name == topic && (text.isEmpty || value.contains(text)) ? .doubled : .written
    }
    try deployment.process()
    try deployment.process(after: 11)
    let report = try deployment.audit()
    #expect(!report.holds)
    #expect(kinds(report).contains(kind))
  }

  @Test("a delivery that nobody decided is found, with its id, partition and offset")
  func foreignDelivery() throws {
    let deployment = try makeHistory()
    try deployment.process()
    let id = String(repeating: "ab", count: 16)
    let offset = deployment.append(
      "delivery.inapp", 1, key: "ann",
      value:
        "{\"id\":\"\(id)\",\"time\":\"2023-11-14T22:13:20.000Z\",\"data\":{\"channel\":\"inapp\",\"totals\":{\"events\":1}}}"
    )
    let report = try deployment.audit()
    let found = try #require(report.partitions.flatMap(\.findings).first)
    #expect(report.findingCount == 1)
    #expect(found.kind == .foreignDelivery)
    #expect(found.id == "delivery \(id)")
    #expect(found.topic == "tidings.delivery.inapp")
    #expect(found.partition == 1)
    #expect(found.offset == offset)
  }

  @Test("forwards and deliveries that are no such records are found")
  func foreignRecords() throws {
    let deployment = try makeHistory()
    try deployment.process()
    deployment.append("delivery.email", 0, value: "no delivery")
    deployment.append("decisions", 0, value: "no decisions")
    deployment.append(
      "decisions", 0,
      value: #"[{"id":"0-18446744073709551615","time":"2026-01-01T00:00:00Z","data":{}}]"#)
    deployment.append("rejected", 0, value: "rejected by nobody")
    deployment.append("routed", 0, key: "ann", value: "{}")
    deployment.append(
      "routed", 1, key: "nobody",
      value: "{}",
      headers: [
        "tidings-origin-topic": "tidings.events", "tidings-origin-partition": "0",
        "tidings-origin-offset": "0",
      ])
    #expect(kinds(try deployment.audit()) == [.unreadable, .foreignForward])
  }

  @Test("a digest that says another total than it has members is found")
  func wrongTotal() throws {
    let deployment = try makeHistory()
    deployment.fate = { topic, value in
      guard topic == "delivery.email", value.contains("\"events\":3") else { return .written }
      return .replaced(value.replacing("\"events\":3", with: "\"events\":4"))
    }
    try deployment.process()
    try deployment.process(after: 11)
    let report = try deployment.audit()
    #expect(report.findingCount == 1)
    #expect(kinds(report) == [.wrongTotal])
  }

  @Test("a closure that leaves a notification out, or names a foreign one, is found, and so are the counters")
  func members() throws {
    let deployment = try makeHistory()
    try deployment.process()
    deployment.fate = { topic, value in
      guard topic == "decisions", value.contains("\"events\":3"),
        let start = value.range(of: "\"members\":[\"")
      else {
        return .written
      }
      // The first member becomes another one.
      let end = value.index(start.upperBound, offsetBy: 32)
      return .replaced(
        value.replacingCharacters(in: start.upperBound..<end, with: String(repeating: "0", count: 32)))
    }
    try deployment.process(after: 11)
    let report = try deployment.audit()
    #expect(kinds(report) == [.foreignMember, .lostMember])
  }

  @Test("counters that say something else than the records are a difference")
  func counters() throws {
    let deployment = try makeHistory()
    // One outcome less in a decision: the records agree with each other, not with the counters.
    deployment.fate = { topic, value in
      guard topic == "decisions", value.contains("\"expired\"") else { return .written }
      return .replaced(
        value.replacing("\"email\":{\"outcome\":\"expired\"}", with: "\"email\":{\"outcome\":\"retracted\"}"))
    }
    try deployment.process()
    let report = try deployment.audit()
    #expect(report.findingCount == 0)
    #expect(report.difference == 2)
    #expect(!report.holds)
  }

  @Test("what came too late to be delivered at once is counted, and a decision that hides it is a difference")
  func caughtUp() throws {
    for isHidden in [false, true] {
      let deployment = try makeHistory()
      deployment.fate = { topic, value in
        isHidden && topic == "decisions"
          ? .replaced(value.replacing("\"policy\":\"catchUp\"", with: "\"policy\":\"immediate\"")) : .written
      }
      try deployment.process(after: 3601)
      let report = try deployment.audit()
      #expect(report.rows.first { $0.name == "email caught up" }?.state == 1)
      #expect(count(report, "email caught up") == (isHidden ? 0 : 1))
      #expect(report.difference == (isHidden ? 1 : 0))
      #expect(report.findingCount == 0)
      // The law from a commit in the log on: what was late is gained like the rest.
      #expect(try deployment.audit(isRecent: true).difference == (isHidden ? 1 : 0))
    }
  }

  @Test("where retention has cut the topics, what cannot be proven is said, and nothing is a difference")
  func retention() throws {
    let deployment = try makeHistory()
    try deployment.process()
    try deployment.process(after: 11)
    deployment.publish("e7", to: "ann")
    deployment.publish("e8", type: "card.due", to: "cid", "ann")
    try deployment.process(after: 60)
    try deployment.process(after: 11)
    let broker = deployment.world.broker
    for name in ["events", "routed", "rejected", "delivery.email", "delivery.inapp"] {
      for partition in 0..<Deployment.partitions {
        let place = TopicPartition(topic: "tidings.\(name)", partition: partition)
        broker.retain(place, from: (broker.log(place)?.endOffset ?? 0) / 2 + 1)
      }
    }
    let report = try deployment.audit()
    #expect(report.partitions.flatMap(\.findings).map(\.description) == [])
    #expect(report.difference == 0)
    #expect(report.partitions.contains { $0.startSequence != nil })
    #expect(report.partitions.contains { !$0.unproven.isEmpty })
  }

  @Test("rejections that retention has deleted are no loss, whatever was rejected")
  func rejectedRetention() throws {
    let deployment = try makeHistory()
    deployment.publish("e7", type: "unheard.of", to: "ann", "bob", "cid")
    deployment.publish("e8", type: "unheard.of", to: "cid", partition: 1 - Deployment.home(of: "cid"))
    try deployment.process()
    #expect(count(try deployment.audit(), "rejected") == 6)
    for partition in 0..<Deployment.partitions {
      let place = TopicPartition(topic: "tidings.rejected", partition: partition)
      let end = try #require(deployment.world.broker.log(place)).endOffset
      #expect(end > 0)
      deployment.world.broker.retain(place, from: end)
    }
    let report = try deployment.audit()
    #expect(report.partitions.flatMap(\.findings).map(\.description) == [])
    #expect(report.difference == 0)
    #expect(report.partitions.contains { !$0.unproven.isEmpty })
  }

  @Test("a forwarded record that left nothing behind is found")
  func lostWhole() throws {
    let deployment = try makeHistory()
    deployment.fate = { topic, _ in topic == "routed" ? .dropped : .written }
    try deployment.process()
    #expect(kinds(try deployment.audit()).contains(.lostRecord))
  }

  @Test("decisions that retention has deleted are no loss: the audit begins behind them")
  func decisionsRetention() throws {
    let deployment = try makeHistory()
    try deployment.process()
    try deployment.process(after: 11)
    let home = Deployment.home(of: "ann")
    let place = TopicPartition(topic: "tidings.decisions", partition: home)
    deployment.world.broker.retain(place, from: 1)
    let report = try deployment.audit()
    #expect(report.holds)
    #expect((report.partitions[Int(home)].decisions?.lowerBound ?? 0) > 1)
    deployment.world.broker.retain(place, from: try #require(deployment.world.broker.log(place)).endOffset)
    let without = try deployment.audit()
    #expect(without.holds)
    #expect(without.partitions[Int(home)].decisions == nil)
  }

  @Test("recipients' records that compaction has taken are reckoned with")
  func compaction() throws {
    let deployment = try makeHistory()
    for round in 0..<5 { deployment.publish(recipient: "ann", "{\"email\":\"ann\(round)@example.org\"}") }
    try deployment.process()
    for partition in 0..<Deployment.partitions {
      deployment.world.broker.compact(TopicPartition(topic: "tidings.recipients", partition: partition))
    }
    let report = try deployment.audit()
    #expect(report.holds)
    #expect(report.partitions.reduce(0) { $0 + $1.compacted } >= 4)
  }

  @Test("from the oldest commit that the state topic holds, on request")
  func recent() throws {
    let deployment = try makeHistory()
    try deployment.process()
    deployment.publish("e7", to: "ann")
    try deployment.process(after: 11)
    let report = try deployment.audit(isRecent: true)
    #expect(report.holds)
    #expect(report.partitions.allSatisfy { $0.startSequence == 1 })
  }

  @Test("decisions without a state are found")
  func lostState() throws {
    let deployment = try Deployment()
    deployment.fate = { topic, _ in topic == "state" ? .dropped : .written }
    deployment.publish("e1", to: "ann")
    try deployment.process()
    let report = try deployment.audit()
    #expect(!report.holds)
    #expect(kinds(report) == [.lostState])
  }

  @Test("a transaction that is open before the ends is waited for, and named when it takes too long")
  func openTransaction() throws {
    let deployment = try makeHistory()
    try deployment.process()
    let producer = try deployment.reader.cluster.makeTransactionalProducer(
      TransactionalProducerOptions(
        transactionalID: "other", topics: ["tidings.decisions"], transactionTimeout: .seconds(900)))
    try producer.initTransactions(timeout: .seconds(30))
    try producer.begin()
    try "[]".withByteView { value in
      try producer.produce(OutgoingRecord(topicIndex: 0, partition: 1, key: nil, value: value))
    }
    let place = TopicPartition(topic: "tidings.decisions", partition: 1)
    let log = try #require(deployment.world.broker.log(place))
    deployment.world.run(until: deployment.world.now + 5000) { log.openTransactions.count == 1 }
    try #require(log.openTransactions.count == 1)
    let end = log.endOffset
    let audit = ConservationAudit(
      cluster: deployment.reader.cluster, topics: deployment.topics, patience: .milliseconds(1))
    #expect(throws: ScanFault.held(place, position: end - 1, end: end)) { try audit.run() }
    // In the simulation waiting takes no time: with more patience the broker has ended the transaction before.
    #expect(try deployment.audit().holds)
    #expect(log.openTransactions.isEmpty)
  }

  @Test("a partition without a state is no error, and a partition that does not exist is one")
  func partitions() throws {
    let deployment = try Deployment()
    let report = try deployment.audit()
    #expect(report.holds)
    #expect(report.partitions.allSatisfy { !$0.hasState })
    #expect(throws: AuditFault.noSuchPartition(2, count: 2)) {
      try ConservationAudit(cluster: deployment.reader.cluster, topics: deployment.topics).run(partitions: [2]
      )
    }
    #expect(throws: AuditFault.noTopic("other.events")) {
      try ConservationAudit(
        cluster: deployment.reader.cluster, topics: AuditTopics(prefix: "other", partitionCount: 2)
      ).run()
    }
  }
}
