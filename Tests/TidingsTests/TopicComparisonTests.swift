import Kafka
import Processor
import Testing

@testable import tidings

@Suite("The topics of a cluster against the plan")
struct TopicComparisonTests {
  private let plan = TopicPlan.topics(prefix: "t", partitionCount: 8, replicationFactor: 3)

  /// The comparison with a cluster that has what the plan says, but for the changes.
  private func comparison(
    partitions: Int = 8, without missing: Set<String> = [], changed: [String: [String: String]] = [:]
  ) throws -> TopicComparison {
    let found = plan.filter { !missing.contains($0.name) }
      .map { TopicDescription(name: $0.name, partitionCount: partitions, replicationFactor: 3) }
    return try TopicComparison(plan: plan, found: found) { topic throws(KafkaError) in
      let planned = plan.first { $0.name == topic }?.configuration ?? [:]
      return planned.merging(changed[topic] ?? [:]) { $1 }
    }
  }

  @Test("a cluster that has everything leaves nothing to do")
  func same() throws {
    let comparison = try comparison()
    #expect(comparison.missing.isEmpty && comparison.contradictions.isEmpty && comparison.differences.isEmpty)
    #expect(comparison.presentCount == plan.count)
  }

  @Test("only what is missing is to be created")
  func missing() throws {
    #expect(
      try comparison(without: ["t.state", "t.events"]).missing.map(\.name).sorted() == [
        "t.events", "t.state",
      ])
  }

  @Test("another number of partitions is a contradiction that names the topic, both numbers and the setting")
  func partitions() throws {
    let contradictions = try comparison(partitions: 9).contradictions
    #expect(contradictions.count == plan.count)
    #expect(
      contradictions.allSatisfy { $0.contains("9 partitions") && $0.contains("topics.partitions is 8") })
  }

  @Test(
    "what would lose records or time contradicts",
    arguments: [
      ("t.state", "retention.ms", "604800000"), ("t.state", "retention.bytes", "1000000"),
      ("t.recipients", "cleanup.policy", "delete"), ("t.events", "message.timestamp.type", "CreateTime"),
      ("t.decisions", "max.message.bytes", "1048588"), ("t.events", "min.insync.replicas", "1"),
    ])
  func contradictions(topic: String, setting: String, value: String) throws {
    let comparison = try comparison(changed: [topic: [setting: value]])
    #expect(comparison.contradictions.count == 1)
    #expect(comparison.contradictions.first?.contains("\(topic) has \(setting)=\(value)") == true)
  }

  @Test("another retention, and more room than needed, are somebody's choice")
  func choices() throws {
    let comparison = try comparison(changed: [
      "t.events": ["retention.ms": "1000", "max.message.bytes": "99999999", "min.insync.replicas": "3"]
    ])
    #expect(comparison.contradictions.isEmpty)
    #expect(comparison.differences.count == 1)
  }

  @Test("a state topic with larger segments can be used; the difference is told, with the way to mend it")
  func segments() throws {
    let comparison = try comparison(changed: ["t.state": ["segment.bytes": "1073741824"]])
    #expect(comparison.contradictions.isEmpty)
    #expect(comparison.differences.count == 1)
    #expect(comparison.differences.first?.contains("--add-config segment.bytes=16777216") == true)
  }
}
