import Contract
import Kafka
import Testing

/// Brokers that go away while a command reads topics.
@Suite("A scan without brokers")
struct OutageTests {
  @Test("brokers that are away are no transaction that holds the topic: the error is theirs")
  func brokersAway() throws {
    let deployment = try Deployment()
    deployment.publish("e1", to: "ann")
    let scan = PartitionScan(deployment.reader.cluster, patience: .milliseconds(1))
    let range = try scan.range(of: "tidings.events", Deployment.home(of: "ann"))
    #expect(range.latest == 1)
    deployment.world.broker.faults.brokersDownUntil = deployment.world.now + 3_600_000
    let error = #expect(throws: KafkaError.self) {
      try scan.read("tidings.events", [PartitionSpan(range)]) { _ in }
    }
    #expect(error?.code == .timedOut)
    #expect(error?.message.hasPrefix("reading tidings.events: ") == true)
    // They come back.
    deployment.world.broker.faults.brokersDownUntil = 0
    var count = 0
    try PartitionScan(deployment.reader.cluster, patience: .seconds(30)).read(
      "tidings.events", [PartitionSpan(range)]
    ) { _ in count += 1 }
    #expect(count == 1)
  }
}
