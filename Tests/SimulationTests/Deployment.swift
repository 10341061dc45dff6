import Contract
import Kafka
import Logging
import Policy
import Processor
import SimulatedKafka

@testable import Simulation

/// A cluster with the topics of one home partition or more, and workers that a test starts and disturbs itself.
final class Deployment {
  /// A worker on the thread of a process of its own.
  final class Running {
    let process: SimulatedProcess
    let status = ProcessorStatus()
    /// What it ended with.
    private(set) var failure: (any Error)?
    private var worker: Worker?
    private var hasStarted = false

    fileprivate init(
      _ deployment: Deployment, _ name: String, configuration: ProcessorConfiguration, wallOffset: Int64
    ) throws {
      process = deployment.world.spawn(name)
      process.wallOffset = wallOffset
      worker = try Worker(
        cluster: process.cluster, configuration: configuration, catalog: deployment.catalog, number: 0,
        random: deployment.world.random.next(), instants: ProcessInstants(process), control: WorkerControl(),
        background: ProcessBackground(process), disk: ProcessBackground(process), status: status,
        logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() })
      process.step = { [unowned self] in turn() }
    }

    private func turn() -> Bool {
      guard let worker else { return false }
      do {
        if hasStarted { try worker.turn() } else { try worker.start() }
        hasStarted = true
        return true
      } catch {
        failure = error
        worker.close()
        self.worker = nil
        return false
      }
    }
  }

  private static let prefix = "sim"
  let world: SimulatedWorld
  let catalog: Catalog
  private let partitionCount: Int32
  private var workers: [Running] = []

  /// - Parameter channels: of the one type, as in a catalog.
  init(
    seed: UInt64 = 1, partitionCount: Int32 = 1, channels: String = "email: { policy: immediate }"
  ) throws {
    self.partitionCount = partitionCount
    world = SimulatedWorld(seed: seed)
    catalog = try Catalog.parse(
      yaml: """
        types:
          card.moved:
            category: cards
            title: "a card moved"
            channels: { \(channels) }
        """, file: "catalog.yaml")
    for topic in TopicPlan.topics(
      prefix: Self.prefix, partitionCount: Int(partitionCount), replicationFactor: 1)
    {
      world.broker.create(topic)
    }
  }

  /// The only partition of a topic, or the one of a key.
  func partition(_ topic: String, of key: String = "") -> TopicPartition {
    let home = key.withByteView { Murmur2.partition(ofKey: $0, count: partitionCount) }
    return TopicPartition(topic: "\(Self.prefix).\(topic)", partition: home)
  }

  /// Starts a worker on a machine whose wall clock is ahead by so many milliseconds.
  func start(
    _ name: String, wallOffset: Int64 = 0, configure: (inout ProcessorConfiguration) -> Void = { _ in }
  ) throws -> Running {
    var configuration = ProcessorConfiguration(prefix: Self.prefix, partitionCount: partitionCount)
    configure(&configuration)
    let running = try Running(self, name, configuration: configuration, wallOffset: wallOffset)
    workers.append(running)
    return running
  }

  /// Appends a record at once; nil is a tombstone.
  ///
  /// - Parameter number: the partition, instead of the key's.
  func publish(_ value: String?, key: String, to topic: String, partition number: Int32? = nil) throws {
    let isEvent = topic == "events" || topic == "engagement"
    let type = isEvent ? "application/cloudevents+json" : "application/json"
    let record = ProducerRecord(
      topicIndex: 0, key: Array(key.utf8), value: value.map { Array($0.utf8) },
      headers: [ProducerRecord.Header("content-type", type)])
    let home = partition(topic, of: key)
    let place = TopicPartition(topic: home.topic, partition: number ?? home.partition)
    _ = try record.withViews { (views) throws(KafkaError) in world.broker.append(views, to: place) }
  }

  /// Appends a record without a key.
  func publish(_ value: [UInt8], to topic: String) throws {
    let record = ProducerRecord(topicIndex: 0, key: nil, value: value, headers: [])
    _ = try record.withViews { (views) throws(KafkaError) in world.broker.append(views, to: partition(topic))
    }
  }

  /// Appends an event for one recipient.
  func publish(event id: String, for recipient: String) throws {
    try publish(
      """
      {"specversion":"1.0","id":"\(id)","source":"/test","type":"card.moved","recipient":"\(recipient)","data":{}}
      """, key: recipient, to: "events")
  }

  /// Runs the world until it is so, for a minute of its time at most.
  func wait(for what: String, seconds: Int64 = 60, _ isDone: () -> Bool) throws {
    guard world.run(until: world.now + seconds * 1000, isDone: isDone) else { throw InVain(what: what) }
  }

  deinit { world.end() }
}

/// What was waited for did not happen.
struct InVain: Error {
  let what: String
}
