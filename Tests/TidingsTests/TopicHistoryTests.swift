import Kafka
import Logging
import Replay
import Testing

@testable import tidings

@Suite("A history in a topic")
struct TopicHistoryTests {
  private func cluster() throws -> EmbeddedCluster {
    try EmbeddedCluster(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test("all records up to the end are read, those that break the contract counted")
  func read() async throws {
    let cluster = try cluster()
    try cluster.createTopic("t.events", partitionCount: 3)
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["t.events"]))
    defer { producer.close() }
    for number in 0..<30 {
      let line = """
        {"specversion":"1.0","id":"\(number)","source":"/test","type":"t","recipients":"a,b"}
        """
      _ = try await producer.send(
        ProducerRecord(
          topicIndex: 0, partition: Int32(number % 2), key: nil,
          value: Array((number == 7 ? "broken" : line).utf8),
          headers: [ProducerRecord.Header("content-type", "application/cloudevents+json")]))
    }
    let topic = TopicHistory(cluster: cluster, topic: "t.events", recordLimit: 4096)
    var last = 0
    let all = try topic.read(since: 0) { last = $1 }
    #expect(all.summary.events == 29 && all.summary.arrivals == 58 && all.summary.rejectedCount == 1)
    #expect(last == 30)
    let end = try #require(all.summary.last)
    #expect(try topic.read(since: end.milliseconds) { _, _ in }.summary.events >= 1)
    #expect(try topic.read(since: end.milliseconds + 1) { _, _ in }.summary.lines == 0)
  }

  @Test("a topic that does not exist is an error that says what to do")
  func missing() throws {
    let topic = TopicHistory(cluster: try cluster(), topic: "t.nothing", recordLimit: 4096)
    let end = #expect(throws: CommandEnd.self) { try topic.read(since: 0) { _, _ in } }
    #expect(end?.message?.contains("tidings topics apply") == true)
  }
}
