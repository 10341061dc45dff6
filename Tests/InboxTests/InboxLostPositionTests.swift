import Kafka
import Logging
import MetricsTestKit
import Testing

@testable import Inbox

@Suite("The inbox's consumer, when its topic does not hold its position any more")
struct InboxLostPositionTests {
  /// A member of a group that is given one partition, and then told that its position is gone.
  private final class LosingConsumer: GroupConsumer {
    private static let partition = TopicPartition(topic: "x.delivery.inapp", partition: 0)
    /// The watermarks at the assignment, and from the loss on.
    private let watermarks: [(low: Int64, high: Int64)]
    private let progress: InboxProgress
    private weak var listener: (any RebalanceListener)?
    private var polls = 0
    private(set) var assigned: [[PartitionOffset]] = []

    init(_ watermarks: [(low: Int64, high: Int64)], _ progress: InboxProgress) {
      self.watermarks = watermarks
      self.progress = progress
    }

    func subscribe(to topics: [String], listener: any RebalanceListener) throws(KafkaError) {
      self.listener = listener
    }

    func poll(timeout: Duration) -> ConsumerEvent {
      polls += 1
      switch polls {
      case 1: listener?.partitionsAssigned([Self.partition])
      case 2: return .error(KafkaError(.noOffset, message: "the position is gone"))
      default: progress.stop()
      }
      return .none
    }

    func watermarks(
      of partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) { watermarks[min(polls, watermarks.count) - 1] }

    func assign(_ positions: [PartitionOffset]) throws(KafkaError) { assigned.append(positions) }
    func seek(_ positions: [PartitionOffset]) throws(KafkaError) {
      throw KafkaError(.wrongState, message: "the partition is not read")
    }
    func unassign() throws(KafkaError) {}
    func pause(_ partitions: [TopicPartition]) throws(KafkaError) {}
    func resume(_ partitions: [TopicPartition]) throws(KafkaError) {}
    func commit(_ offsets: [PartitionOffset]) throws(KafkaError) {}
    func committed(_ partitions: [TopicPartition], timeout: Duration) throws(KafkaError) -> [PartitionOffset?]
    { partitions.map { _ in nil } }
    func cachedHighWatermark(of partition: TopicPartition) -> Int64? { nil }
    func groupMetadata() throws(KafkaError) -> any GroupMetadata {
      throw KafkaError(.unsupported, message: "no transactions")
    }
    var assignmentLost: Bool { false }
    func close() throws(KafkaError) {}
  }

  /// Runs a consumer whose database has stored the partition up to offset 50.
  private func run(_ watermarks: [(low: Int64, high: Int64)]) throws -> LosingConsumer {
    let directory = try TemporaryDirectory()
    let cluster = try EmbeddedCluster(logger: Fixture.silent)
    let options = InboxConsumerOptions(prefix: "x")
    let store = try InboxStore(path: directory.database)
    var batch = InboxBatch(topic: options.topic)
    batch.advance(partition: 0, to: 50)
    _ = try store.apply(batch)
    let progress = InboxProgress()
    let consumer = LosingConsumer(watermarks, progress)
    let producer = try cluster.makeIdempotentProducer(
      IdempotentProducerOptions(topics: [options.deadLetterTopic]))
    defer { producer.close() }
    let loop = try InboxConsumerLoop(
      consumer: consumer, producer: producer, store: store, signals: InboxSignals(), options: options,
      progress: progress, logger: Fixture.silent, factory: TestMetrics(), onHealth: { _ in })
    try loop.run()
    return consumer
  }

  @Test("a topic that has gone back ends it: new records would be taken for old ones")
  func goneBack() throws {
    #expect {
      _ = try run([(0, 60), (0, 49)])
    } throws: { error in
      if case InboxConsumerError.positionBeyondEnd(_, partition: 0, stored: 50, end: 49, _) = error {
        true
      } else {
        false
      }
    }
  }

  @Test("what retention has taken is passed over")
  func retention() throws {
    #expect(try run([(0, 60), (55, 70)]).assigned.map { $0.map(\.offset) } == [[50], [55]])
  }
}
