import Audit
import Contract
import Kafka
import Testing

/// The limit of a record's size may have been another one when the records were decided.
@Suite("tidings audit: the limit of a record")
struct RecordLimitAuditTests {
  private static let away = 1 - Deployment.home(of: "ann")

  /// An object with so many KiB of text.
  private func padding(kibibytes: Int) -> String {
    #""more":"\#(String(repeating: "x", count: kibibytes << 10))""#
  }

  private func append(
    engagementOf kibibytes: Int, _ partition: Int32, in deployment: Deployment
  ) {
    deployment.append(
      "engagement", partition, key: "ann",
      value:
        "{\"specversion\":\"1.0\",\"id\":\"s1\",\"source\":\"/app\",\"type\":\"tidings.engagement.seen\","
        + "\"recipient\":\"ann\",\"channel\":\"inapp\","
        + "\"data\":{\"events\":[{\"source\":\"/test\",\"id\":\"e1\"}],\(padding(kibibytes: kibibytes))}}",
      headers: ["content-type": "application/cloudevents+json"])
  }

  private func findings(_ report: AuditReport) -> [String] {
    report.partitions.flatMap(\.findings).map(\.description)
  }

  @Test("what was taken when larger records were is no loss by a smaller limit")
  func smallerLimit() throws {
    let deployment = try Deployment()
    for partition in 0..<Deployment.partitions {
      deployment.publish(
        recipient: "ann", "{\"email\":\"ann@example.org\",\(padding(kibibytes: 2))}", partition: partition)
      append(engagementOf: 80, partition, in: deployment)
      deployment.append(
        "events", partition,
        value: "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/test\",\"type\":\"card.due\","
          + "\"recipient\":\"ann\",\"data\":{\(padding(kibibytes: 2))}}",
        headers: ["content-type": "application/cloudevents+json"])
    }
    try deployment.process()
    #expect(try deployment.audit().holds)
    let topics = AuditTopics(prefix: "tidings", partitionCount: Deployment.partitions, recordLimit: 1024)
    let report = try ConservationAudit(cluster: deployment.reader.cluster, topics: topics).run()
    #expect(findings(report) == [])
    #expect(report.difference == 0)
    #expect(report.rows.first { $0.name == "forwarded" }?.topics == 3)
  }

  @Test("what was too large is counted as rejected also where retention has deleted the rejection")
  func deletedRejections() throws {
    let deployment = try Deployment()
    for partition in 0..<Deployment.partitions {
      deployment.publish(
        recipient: "ann", "{\"email\":\"ann@example.org\",\(padding(kibibytes: 300))}", partition: partition)
      append(engagementOf: 400, partition, in: deployment)
      deployment.append(
        "recipients", partition, key: "bob", value: nil,
        headers: ["more": String(repeating: "x", count: 300 << 10)])
    }
    try deployment.process()
    #expect(try deployment.audit().rows.first { $0.name == "rejected" }?.topics == 6)
    for partition in 0..<Deployment.partitions {
      let place = TopicPartition(topic: "tidings.rejected", partition: partition)
      let end = try #require(deployment.world.broker.log(place)).endOffset
      deployment.world.broker.retain(place, from: end)
    }
    let report = try deployment.audit()
    #expect(findings(report) == [])
    #expect(report.difference == 0)
  }
}
