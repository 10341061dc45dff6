import Foundation
import KafkaTesting
import Testing

@testable import Kafka

@Suite("The embedded cluster and its admin")
struct EmbeddedClusterTests {
  private let cluster: EmbeddedCluster

  init() throws { cluster = try EmbeddedCluster(logger: .silent) }

  @Test("topics are created, listed, and refused the second time")
  func topics() throws {
    let admin = cluster.admin
    try admin.create(
      [NewTopic(name: "b", partitionCount: 3), NewTopic(name: "a", partitionCount: 1)], timeout: .seconds(20))
    let topics = try admin.topics(timeout: .seconds(20))
    #expect(
      topics == [
        TopicDescription(name: "a", partitionCount: 1, replicationFactor: 1),
        TopicDescription(name: "b", partitionCount: 3, replicationFactor: 1),
      ])
    let again = #expect(throws: KafkaError.self) { try cluster.createTopic("a", partitionCount: 1) }
    #expect(again?.code == .topicAlreadyExists)
    let none = #expect(throws: KafkaError.self) { try cluster.createTopic("c", partitionCount: 0) }
    #expect(none?.code == .invalidArgument)
    #expect(cluster.isEmbedded)
  }

  @Test("offsets are listed in the order asked for, at either isolation level")
  func offsets() async throws {
    try cluster.createTopic("a", partitionCount: 2)
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["a"]))
    for _ in 0..<3 { _ = try await producer.send(TextRecord(partition: 1, value: "v").producerRecord) }
    let partitions = [1, 0].map { TopicPartition(topic: "a", partition: $0) }
    for isolation in IsolationLevel.allCases {
      let ranges = try cluster.admin.offsets(of: partitions, isolation: isolation, timeout: .seconds(20))
      #expect(
        ranges == [
          OffsetRange(topicPartition: partitions[0], earliest: 0, latest: 3),
          OffsetRange(topicPartition: partitions[1], earliest: 0, latest: 0),
        ])
    }
  }

  @Test("offsets are asked of the broker that leads now, and of none again and again")
  func movedLeader() throws {
    let cluster = try EmbeddedCluster(brokerCount: 2, logger: .silent)
    try cluster.createTopic("a", partitionCount: 1)
    let partition = TopicPartition(topic: "a", partition: 0)
    func ask() throws(KafkaError) {
      _ = try cluster.admin.offsets(of: [partition], isolation: .readCommitted, timeout: .seconds(20))
    }
    try cluster.setLeader(of: partition, to: 1)
    try ask()
    try cluster.setLeader(of: partition, to: 2)
    try Patience.retry(.seconds(20)) { () throws(KafkaError) in try ask() }
    let other = try EmbeddedCluster(logger: .silent)
    try other.createTopic("a", partitionCount: 1)
    try other.setLeader(of: partition, to: nil)
    let error = #expect(throws: KafkaError.self) {
      try other.admin.offsets(of: [partition], isolation: .readCommitted, timeout: .seconds(2))
    }
    #expect(error?.disposition == .retry)
    try other.setLeader(of: partition, to: 1)
    try Patience.retry(.seconds(20)) { () throws(KafkaError) in
      _ = try other.admin.offsets(of: [partition], isolation: .readCommitted, timeout: .seconds(20))
    }
  }

  @Test("what the mock cluster cannot do is refused as unsupported")
  func unsupported() throws {
    try cluster.createTopic("a", partitionCount: 1)
    let position = PartitionOffset(TopicPartition(topic: "a", partition: 0), offset: 1)
    let deletion = #expect(throws: KafkaError.self) {
      try cluster.admin.deleteRecords(before: [position], timeout: .seconds(1))
    }
    let configuration = #expect(throws: KafkaError.self) {
      try cluster.admin.configuration(ofTopic: "a", timeout: .seconds(1))
    }
    #expect(deletion?.code == .unsupported && configuration?.code == .unsupported)
  }

  @Test(
    "another process reaches it: kcat reads what was produced",
    .enabled(if: kcatURL() != nil, "kcat is not installed (apt-get install kcat)"))
  func reachable() async throws {
    try cluster.createTopic("a", partitionCount: 1)
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["a"]))
    _ = try await producer.send(TextRecord(key: "k", value: "from outside").producerRecord)
    let process = Process()
    let executable: URL = try #require(kcatURL())
    process.executableURL = executable
    process.arguments = [
      "-b", cluster.bootstrapServers, "-C", "-t", "a", "-o", "0", "-e", "-q", "-f", "%k=%s",
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text == "k=from outside")
    #expect(process.terminationStatus == 0)
  }
}

private func kcatURL() -> URL? {
  ["/usr/bin/kcat", "/usr/local/bin/kcat", "/usr/bin/kafkacat"].map { URL(fileURLWithPath: $0) }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }
}
