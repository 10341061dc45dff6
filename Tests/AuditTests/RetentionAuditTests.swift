import Audit
import Contract
import Kafka
import Testing

/// Retention that goes on while an audit reads.
@Suite("tidings audit: retention meanwhile")
struct RetentionAuditTests {
  private static let home = Deployment.home(of: "ann")
  private static let decisions = TopicPartition(topic: "tidings.decisions", partition: home)

  /// Four commits with a decision each, of which the state log has the last two and the decisions all but the first.
  private func makeDeployment() throws -> Deployment {
    let deployment = try Deployment()
    deployment.publish(recipient: "ann", #"{"email":"ann@example.org"}"#)
    try deployment.process()
    for id in ["e1", "e2", "e3", "e4"] {
      deployment.publish(id, type: "card.due", to: "ann")
      try deployment.process(after: 1, rounds: 1)
    }
    let broker = deployment.world.broker
    let state = TopicPartition(topic: "tidings.state", partition: Self.home)
    broker.retain(state, from: try #require(broker.log(state)).endOffset - 2)
    broker.retain(Self.decisions, from: 1)
    return deployment
  }

  /// An audit during which decisions are deleted, after the state was read and before they are.
  private func audit(_ deployment: Deployment, retainedFrom offset: Int64) throws -> AuditReport {
    let broker = deployment.world.broker
    return try ConservationAudit(cluster: deployment.reader.cluster, topics: deployment.topics) { progress in
      guard progress.topic == "tidings.delivery.email" else { return }
      broker.retain(Self.decisions, from: offset)
    }.run()
  }

  @Test(
    "decisions that retention deletes meanwhile are no loss, as long as those that are compared are there")
  func decisionsDeleted() throws {
    let deployment = try makeDeployment()
    #expect(deployment.world.broker.log(Self.decisions)?.endOffset == 4)
    for offset in 2...3 as ClosedRange<Int64> {
      let report = try audit(deployment, retainedFrom: offset)
      #expect(report.partitions.flatMap(\.findings).map(\.description) == [])
      #expect(report.holds)
      #expect(report.partitions[Int(Self.home)].decisions == 4...4)
    }
  }

  @Test(
    "where retention meanwhile deletes decisions that are compared, the audit ends, and says to run it again")
  func comparedDeleted() throws {
    let deployment = try makeDeployment()
    #expect(throws: ScanFault.cutMeanwhile(topic: "tidings.decisions")) {
      _ = try audit(deployment, retainedFrom: 4)
    }
  }
}
