import Kafka
import Logging
import Policy
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

  @Test(
    "the history of a topic is replayed by the configuration of its cluster, where no flag says otherwise")
  func configured() async throws {
    let folder = try TemporaryFolder()
    let configuration = "processor: { recordLimit: 1MiB, timeZone: Asia/Tokyo, dedupHorizon: 2h }"
    let file = try folder.write(Array(configuration.utf8), to: "tidings.yaml")
    let arguments = ["--catalog", "c.yaml", "--topic", "--config", file]
    let command = try SimulateCommand.parse(arguments)
    let options = try command.replayOptions(command.settings.load())
    #expect(options.recordLimit == 1 << 20)
    #expect(options.timeZone == "Asia/Tokyo" && options.dedupHorizon == 7_200_000)
    let flagged = try SimulateCommand.parse(
      arguments + ["--zone", "Europe/Berlin", "--dedup-horizon", "3h"])
    let byFlags = try flagged.replayOptions(flagged.settings.load())
    #expect(byFlags.timeZone == "Europe/Berlin" && byFlags.dedupHorizon == 10_800_000)
    let misspelt = try folder.write(Array("processor: { timeZone: Asia/Tokio }".utf8), to: "misspelt.yaml")
    let wrong = try SimulateCommand.parse(["--catalog", "c.yaml", "--topic", "--config", misspelt])
    #expect(throws: CommandEnd.self) { try wrong.replayOptions(wrong.settings.load()) }
    let ofFile = try SimulateCommand.parse(["--catalog", "c.yaml", "--input", "e.ndjson"]).replayOptions()
    #expect(ofFile == ReplayOptions())

    let cluster = try cluster()
    try cluster.createTopic("t.events", partitionCount: 1)
    let producer = try cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: ["t.events"], messageMaxBytes: 1 << 20))
    defer { producer.close() }
    let text = String(repeating: "x", count: 300 << 10)
    let line = """
      {"specversion":"1.0","id":"1","source":"/test","type":"t","recipients":"ada","data":{"text":"\(text)"}}
      """
    _ = try await producer.send(
      ProducerRecord(
        topicIndex: 0, key: nil, value: Array(line.utf8),
        headers: [ProducerRecord.Header("content-type", "application/cloudevents+json")]))
    let topic = TopicHistory(cluster: cluster, topic: "t.events", recordLimit: options.recordLimit)
    let yaml = "types: { t: { title: large, channels: { inapp: { policy: immediate } } } }"
    var progress = ProgressBar()
    let run = SimulationRun(options)
    let report = try run.report(
      try run.read(topic, since: 0, &progress), from: "t.events", recipients: nil, subscriptions: nil,
      catalogs: [(file: "c.yaml", catalog: try Catalog.parse(yaml: yaml, file: "c.yaml"))],
      progress: &progress)
    #expect(report.run.outcome.rejected.isEmpty)
    #expect(report.run.outcome.total(.inapp).messages == 1)
  }

  @Test("a topic that does not exist is an error that says what to do")
  func missing() throws {
    let topic = TopicHistory(cluster: try cluster(), topic: "t.nothing", recordLimit: 4096)
    let end = #expect(throws: CommandEnd.self) { try topic.read(since: 0) { _, _ in } }
    #expect(end?.message?.contains("tidings topics apply") == true)
  }
}
