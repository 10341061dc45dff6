import KafkaTesting
import Testing

@testable import Kafka

@Suite("Members of a group")
struct GroupConsumerTests {
  private let cluster: EmbeddedCluster
  private let options = GroupConsumerOptions(groupID: "g", offsetReset: .error)

  init() throws {
    cluster = try EmbeddedCluster(logger: .silent)
    try cluster.createTopic("in", partitionCount: 2)
  }

  private func fill(_ values: Range<Int>, partition: Int32 = 0) async throws {
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["in"]))
    for value in values {
      _ = try await producer.send(TextRecord(partition: partition, value: "\(value)").producerRecord)
    }
  }

  private func partition(_ number: Int32) -> TopicPartition { TopicPartition(topic: "in", partition: number) }

  /// Polls both members until a condition holds.
  private func poll(_ members: [TestMember], until isDone: () -> Bool) throws {
    let deadline = Deadline(.seconds(60))
    while !isDone() {
      try deadline.check("a rebalance")
      for member in members { _ = member.poll(timeout: .milliseconds(20)) }
    }
  }

  @Test("a second member joins while the first polls: both calls of the listener run inside of that poll")
  func rebalanceInsidePoll() async throws {
    try await fill(0..<10)
    let first = try TestMember(cluster, options, topics: ["in"])
    try first.awaitAssignment()
    #expect(first.assigned == [partition(0), partition(1)])
    try first.consumer.commit([PartitionOffset(partition(0), offset: 7, metadata: "m")])
    // What a worker does in a revoke calls the consumer again. (A commit there is refused by the mock cluster: the
    // conformance tests on a real broker have it.)
    first.beforeUnassign = { consumer in
      _ = try consumer.groupMetadata()
      try consumer.pause([TopicPartition(topic: "in", partition: 0)])
    }
    let second = try TestMember(cluster, options, topics: ["in"])
    try poll([first, second]) { first.assigned.count == 1 && second.assigned.count == 1 }
    #expect(first.failures.isEmpty, "\(first.failures)")
    #expect(second.failures.isEmpty, "\(second.failures)")
    // A busy machine may take the group more than one round to agree.
    #expect(
      first.rebalances.prefix(2) == [
        .assigned([partition(0), partition(1)]), .revoked([partition(0), partition(1)], lost: false),
      ])
    #expect(first.rebalances.last == .assigned(first.assigned))
    let committed = try second.consumer.committed([partition(1), partition(0)], timeout: .seconds(20))
    #expect(committed == [nil, PartitionOffset(partition(0), offset: 7, metadata: "m")])

    // The first member leaves: its revoke runs inside of close, and the second takes all.
    first.beforeUnassign = nil
    let held = first.assigned
    try first.consumer.close()
    #expect(first.rebalances.last == .revoked(held, lost: false))
    #expect(first.assigned.isEmpty)
    try poll([second]) { second.assigned.count == 2 }
    try second.consumer.close()
  }

  @Test("after a seek nothing of the old position appears, as often as it is done")
  func seek() async throws {
    try await fill(0..<300)
    let member = try TestMember(cluster, options, topics: ["in"])
    try member.awaitAssignment()
    try member.consumer.assign([PartitionOffset(partition(0), offset: 0)])
    for round in 0..<30 {
      let target = (round * 37) % 290
      try member.consumer.seek([PartitionOffset(partition(0), offset: Int64(target))])
      #expect(try member.values(3) == (target..<target + 3).map { "\($0)" }, "round \(round)")
    }
  }

  @Test("a position outside of the log is an error event where a jump is not allowed")
  func outsideOfLog() async throws {
    try await fill(0..<3)
    let member = try TestMember(cluster, options, topics: ["in"])
    try member.awaitAssignment()
    try member.consumer.assign([PartitionOffset(partition(0), offset: 99)])
    let events = try member.events { $0.last?.error != nil }
    #expect(events.last?.error?.code == .noOffset)
    #expect(events.last?.error?.message.contains("in [0]") == true)
  }

  @Test("an end of a partition comes again after more records")
  func ends() async throws {
    let reader = try TestReader(cluster, topics: ["in"])
    #expect(try reader.valuesToEnd().end == 0)
    try await fill(0..<4)
    let deadline = Deadline()
    var end: Int64 = 0
    while end < 4 {
      try deadline.check("the end behind the records")
      end = try reader.valuesToEnd().end
    }
    #expect(end == 4)
    let watermarks = try reader.reader.watermarks(of: partition(0), timeout: .seconds(20))
    #expect(watermarks == (0, 4))
    #expect(try reader.reader.watermarks(of: partition(1), timeout: .seconds(20)) == (0, 0))
  }

  @Test("a reader takes other positions in place of those it had, logical ones too, and none")
  func reassign() async throws {
    try await fill(0..<5)
    try await fill(10..<12, partition: 1)
    let reader = try TestReader(cluster, topics: ["in"])
    #expect(try reader.valuesToEnd().values.count == 5)
    try reader.reader.assign([PartitionOffset(partition(1), offset: PartitionOffset.beginning)])
    #expect(try reader.valuesToEnd().values == ["10", "11"])
    try reader.reader.assign([PartitionOffset(partition(0), offset: PartitionOffset.end)])
    #expect(try reader.valuesToEnd() == ([], 5))
    try reader.reader.assign([])
    reader.reader.close()
    reader.reader.close()
    #expect(throws: KafkaError.self) { try reader.reader.assign([PartitionOffset(partition(0), offset: 0)]) }
    guard case .error(let error) = reader.poll(timeout: .zero) else {
      Issue.record("a closed reader polled")
      return
    }
    #expect(error.code == .closed)
  }

  @Test("a listener that does not answer leaves the member without partitions, and the log says so")
  func unanswered() throws {
    let (logger, log) = CapturedLog.make()
    let other = try LibrdkafkaCluster(
      ClientConfiguration(bootstrapServers: cluster.bootstrapServers, logger: logger))
    let member = try TestMember(other, options, topics: ["in"])
    member.answers = false
    try poll([member]) { !member.rebalances.isEmpty }
    #expect(log.all.contains { $0.contains("left unanswered") })
    try member.consumer.close()
    try member.consumer.close()
    #expect(throws: KafkaError.self) { try member.consumer.subscribe(to: ["in"], listener: member) }
  }
}
