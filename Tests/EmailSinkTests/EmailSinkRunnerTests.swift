import Contract
import Delivery
import Foundation
import Kafka
import Logging
import Testing

@testable import EmailSink

@Suite("from the delivery topic to the Maildir, over an embedded cluster")
struct EmailSinkRunnerTests {
  private static let topic = "test.delivery.email"

  private func runner(_ cluster: EmbeddedCluster, _ directory: TemporaryDirectory) throws -> SinkRunner {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let sink = try EmailSink(
      sender: EmailMailbox("Tidings <tidings@example.org>"),
      transport: MaildirTransport(directory: directory.path, flushesToDisk: false), logger: logger)
    return SinkRunner(
      cluster: cluster, sink: sink,
      options: SinkOptions(channel: .email, topic: Self.topic, group: "test-email"), logger: logger)
  }

  private func runUntilIdle(_ runner: SinkRunner) async throws {
    let running = Task { try await runner.run() }
    let deadline = ContinuousClock.now + .seconds(30)
    while !runner.isIdle, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
    #expect(runner.isIdle)
    running.cancel()
    try await running.value
  }

  @Test("each delivery becomes one mail, and a restart writes none again")
  func once() async throws {
    let cluster = try EmbeddedCluster(logger: Logger(label: "test"))
    try cluster.createTopic(Self.topic, partitionCount: 2)
    try cluster.createTopic("\(Self.topic).dead-letter", partitionCount: 1)
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [Self.topic]))
    for index in 0..<50 {
      let value = try DeliverySamples.json(id: "d\(index)", data: ["recipient": "u\(index % 7)"])
      _ = try await producer.send(
        ProducerRecord(topicIndex: 0, key: Array("u\(index % 7)".utf8), value: value))
    }
    producer.close()

    let directory = try TemporaryDirectory()
    let first = try runner(cluster, directory)
    try await runUntilIdle(first)
    #expect(first.counters.delivered == 50 && first.counters.deadLettered == 0)
    let names = Set(try directory.names(in: "new"))
    #expect(names == Set((0..<50).map { "1795218347.d\($0).tidings" }))

    // What a mail program took away does not come back.
    for name in names { try FileManager.default.removeItem(atPath: "\(directory.path)/new/\(name)") }
    let second = try runner(cluster, directory)
    try await runUntilIdle(second)
    #expect(second.counters.delivered == 0)
    #expect(try directory.names(in: "new") == [])
  }
}
