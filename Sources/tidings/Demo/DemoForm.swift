import Contract
import Inbox
import Kafka
import Processor
import Synchronization

/// Publishes the events that somebody writes into the form on the inbox's page.
final class DemoForm: Sendable {
  static let eventsIndex = 0
  static let recipientsIndex = 1

  private let system: DemoSystem
  private let recipients: DemoRecipients
  private let producer: any IdempotentProducer
  private let publishedCount = Atomic<Int>(0)

  init(_ system: DemoSystem, _ recipients: DemoRecipients) throws {
    self.system = system
    self.recipients = recipients
    producer = try system.cluster.makeIdempotentProducer(
      IdempotentProducerOptions(
        topics: [system.configuration.topic("events"), system.configuration.topic("recipients")]))
  }

  /// Events that the broker has.
  var published: Int { publishedCount.load(ordering: .relaxed) }

  /// Ends the producer.
  func close() { producer.close() }

  /// Publishes one event.
  ///
  /// - Throws: `InboxPublishRefusal` when it breaks the contract; the cluster's error.
  func publish(_ json: [UInt8]) async throws {
    let event: Event
    do {
      event = try Self.read(json)
    } catch let rejection as Rejection {
      throw InboxPublishRefusal(reason: rejection.detail)
    }
    let before = Self.decidedByPartition(system.status)
    let keys = try await recipients.publishRecipients(
      of: event.recipients, tenant: event.tenant, by: producer)
    try await waitForRecipients(keys, before)
    _ = try await producer.send(event.record)
    publishedCount.add(1, ordering: .relaxed)
  }

  /// Waits until the homes of new recipients have taken in their records: topics are read in no common order, and an
  /// event that comes before its recipient's address is suppressed on that channel.
  private func waitForRecipients(_ keys: [[UInt8]], _ before: [Int32: Int64]) async throws {
    let homes = Dictionary(
      keys.map { key in
        let home = key.withUnsafeBytes {
          Murmur2.partition(ofKey: ByteView($0), count: system.configuration.partitionCount)
        }
        return (home, Int64(1))
      }, uniquingKeysWith: +)
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
      let decided = Self.decidedByPartition(system.status)
      if homes.allSatisfy({ home, count in decided[home] ?? 0 >= (before[home] ?? 0) + count }) { return }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  private static func decidedByPartition(_ status: ProcessorStatus) -> [Int32: Int64] {
    let partitions = status.workers.values.flatMap(\.partitions)
    return Dictionary(partitions.map { ($0.partition, $0.counters.decided) }) { first, _ in first }
  }

  private struct Event {
    let tenant: String
    let recipients: [String]
    let record: ProducerRecord
  }

  private static func read(_ json: [UInt8]) throws -> Event {
    var reader = try EventLineReader()
    return try json.withUnsafeBytes { bytes in
      let line = try reader.read(ByteView(bytes))
      let record = ProducerRecord(
        topicIndex: eventsIndex, key: line.record.key.map { Array($0.buffer) }, value: json,
        headers: line.record.headers.map { .init($0.name.string, $0.value.map { Array($0.buffer) }) })
      return Event(
        tenant: line.event.tenant.string, recipients: line.event.recipients.map(\.string), record: record)
    }
  }
}
