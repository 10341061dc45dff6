import Kafka
import KafkaTesting
import SimulatedKafka

/// A world with a topic, and a process whose thread is the test.
final class Fixture {
  let world: SimulatedWorld
  let test: SimulatedProcess
  let topic = "in"

  init(seed: UInt64 = 1, partitions: Int = 2, latencies: Latencies = Latencies()) {
    world = SimulatedWorld(seed: seed, latencies: latencies)
    world.broker.create(
      NewTopic(
        name: topic, partitionCount: partitions, configuration: ["message.timestamp.type": "LogAppendTime"]))
    test = world.spawn("test")
  }

  func partition(_ number: Int32) -> TopicPartition { TopicPartition(topic: topic, partition: number) }

  /// Runs the world until it is so, for a minute of its time at most.
  func wait(seconds: Int64 = 60, _ isDone: () throws -> Bool) throws {
    let end = world.now + seconds * 1000
    while try !isDone() {
      guard world.now < end else { throw InVain(description: "waited in vain, seed \(world.seed)") }
      test.sleep(for: 1)
    }
  }

  func producer(
    _ id: String = "id", of process: SimulatedProcess? = nil
  ) throws -> any TransactionalProducer {
    let producer = try (process ?? test).cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: id, topics: [topic]))
    try producer.initTransactions(timeout: .seconds(30))
    return producer
  }

  func publish(_ values: [String], partition: Int32 = 0) throws {
    let producer = try test.cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic]))
    for value in values {
      try TextRecord(partition: partition, value: value).producerRecord.withViews {
        (views) throws(KafkaError) in try producer.produce(views) { _ in }
      }
    }
    try producer.flush(timeout: .seconds(60))
    producer.close()
  }

  /// What a committed reader is shown of a partition at the broker.
  func committed(_ number: Int32 = 0) throws -> [String] {
    guard let log = world.broker.log(partition(number)) else { return [] }
    return log.entries.filter { $0.isVisible && $0.offset < log.lastStableOffset }
      .compactMap { $0.record?.value?.string }
  }
}

/// What was waited for did not happen.
struct InVain: Error, CustomStringConvertible {
  let description: String
}

/// A process whose turns poll a member of a group, as a worker's do.
final class PollingProcess: RebalanceListener {
  enum Event: Equatable {
    case assigned([TopicPartition])
    case revoked([TopicPartition], lost: Bool)
    case failed(KafkaError.Code)
    case read(String)
  }

  let process: SimulatedProcess
  let consumer: any GroupConsumer
  private(set) var events: [(time: Int64, event: Event)] = []
  private(set) var turns = 0
  private(set) var assigned: [TopicPartition] = []

  init(_ fixture: Fixture, _ name: String, instance: String? = nil) throws {
    process = fixture.world.spawn(name)
    consumer = try process.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: "g", groupInstanceID: instance, offsetReset: .error))
    try consumer.subscribe(to: [fixture.topic], listener: self)
    process.step = { [unowned self] in
      turns += 1
      loop: for _ in 0..<100 {
        switch consumer.poll(timeout: .milliseconds(100)) {
        case .none: break loop
        case .record(let record): note(.read(record.value?.string ?? ""))
        case .endOfPartition: continue
        case .error(let error):
          note(.failed(error.code))
          if error.isFatal { return false }
        }
      }
      return true
    }
  }

  private func note(_ event: Event) { events.append((process.world.now, event)) }

  func partitionsAssigned(_ partitions: [TopicPartition]) {
    note(.assigned(partitions))
    try? consumer.assign(partitions.map { PartitionOffset($0, offset: 0) })
    assigned = partitions
  }

  func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    note(.revoked(partitions, lost: lost))
    try? consumer.unassign()
    assigned = []
  }

  func has(_ event: Event) -> Bool { events.contains { $0.event == event } }
}
