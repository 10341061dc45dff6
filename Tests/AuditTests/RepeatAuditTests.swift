import Audit
import Contract
import Kafka
import Testing

/// Events that come again, when the dedup horizon (24 h) has forgotten them: they are decided anew.
@Suite("tidings audit: what comes again")
struct RepeatAuditTests {
  /// More than the dedup horizon, in seconds.
  private static let forgotten: Int64 = 90_000

  /// A recipient who has mail about cards once a week, and into whose window the same event was put twice.
  private func makeWeekly() throws -> Deployment {
    let deployment = try Deployment()
    deployment.publish(
      recipient: "ann", #"{"email":"ann@example.org","preferences":{"cards":{"email":"weekly"}}}"#)
    try deployment.process()
    deployment.publish("e1", to: "ann")
    try deployment.process()
    // Time first: the record's append time has to lie behind the horizon.
    try deployment.process(after: Self.forgotten)
    deployment.publish("e1", to: "ann")
    try deployment.process()
    return deployment
  }

  private func count(_ report: AuditReport, _ name: String) -> Int64? {
    report.rows.first { $0.name == name }?.topics
  }

  private func findings(_ report: AuditReport) -> [String] {
    report.partitions.flatMap(\.findings).map(\.description)
  }

  @Test(
    "an event that comes again while its first arrival still waits is in the window twice, and comes out twice"
  )
  func twiceInWindow() throws {
    let deployment = try makeWeekly()
    let open = try deployment.audit()
    #expect(findings(open) == [])
    #expect(open.holds && count(open, "email open") == 2)
    try deployment.process(after: 8 * 86_400)
    let closed = try deployment.audit()
    #expect(findings(closed) == [])
    #expect(closed.holds && count(closed, "email delivered") == 2)
  }

  @Test("both arrivals of an event may be taken back while they wait")
  func twiceTakenBack() throws {
    let deployment = try makeWeekly()
    deployment.publish("e2", to: "ann", extra: #","retracts":"e1""#)
    try deployment.process()
    let report = try deployment.audit()
    #expect(findings(report) == [])
    #expect(report.holds && count(report, "email retracted") == 2)
    try deployment.process(after: 8 * 86_400)
    let closed = try deployment.audit()
    #expect(findings(closed) == [])
    #expect(closed.holds)
  }

  @Test(
    "a closure that names one of two arrivals leaves one out, and one that names three has a foreign one",
    arguments: [(1, Finding.Kind.lostMember), (3, .foreignMember)])
  func miscounted(times: Int, kind: Finding.Kind) throws {
    let deployment = try makeWeekly()
    var isReplaced = false
    deployment.fate = { topic, value in
      guard topic == "decisions", let start = value.range(of: "\"members\":[\""),
        let end = value[start.upperBound...].firstIndex(of: "]")
      else { return .written }
      isReplaced = true
      let member = value[start.upperBound...].prefix(32)
      let members = Array(repeating: "\"\(member)\"", count: times).joined(separator: ",")
      return .replaced(
        value[..<start.lowerBound] + "\"members\":[" + members + value[end...])
    }
    try deployment.process(after: 8 * 86_400)
    #expect(isReplaced)
    let found = try deployment.audit().partitions.flatMap(\.findings)
    #expect(found.count { $0.kind == kind } == 1, "\(found)")
  }

  @Test("a delivery that retention has deleted is no loss where the same was decided again, and is there")
  func deliveredAgain() throws {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", #"{"email":"ann@example.org"}"#)
    try deployment.process()
    for id in ["e1", "e2", "e1"] {
      deployment.publish(id, type: "card.due", to: "ann")
      try deployment.process()
      try deployment.process(after: Self.forgotten)
    }
    let place = TopicPartition(topic: "tidings.delivery.email", partition: Deployment.home(of: "ann"))
    #expect(deployment.world.broker.log(place)?.endOffset == 3)
    deployment.world.broker.retain(place, from: 1)
    let report = try deployment.audit()
    #expect(findings(report) == [])
    #expect(report.holds)
    #expect(
      report.partitions.flatMap(\.unproven) == [
        "1 decisions whose delivery record is older than what retention has left of the delivery topic"
      ])
  }

  @Test("a delivery that was decided again and is not there is a loss, whatever retention has deleted before")
  func lostAgain() throws {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", #"{"email":"ann@example.org"}"#)
    try deployment.process()
    for (number, id) in ["e1", "e2", "e1", "e3"].enumerated() {
      deployment.fate = { topic, _ in number == 2 && topic == "delivery.email" ? .dropped : .written }
      deployment.publish(id, type: "card.due", to: "ann")
      try deployment.process()
      try deployment.process(after: Self.forgotten)
    }
    let place = TopicPartition(topic: "tidings.delivery.email", partition: Deployment.home(of: "ann"))
    #expect(deployment.world.broker.log(place)?.endOffset == 3)
    deployment.world.broker.retain(place, from: 1)
    let found = try deployment.audit().partitions.flatMap(\.findings)
    #expect(found.map(\.kind) == [.lostDelivery])
  }
}
