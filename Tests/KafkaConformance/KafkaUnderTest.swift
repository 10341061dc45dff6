import Foundation
import Kafka
import KafkaTesting

/// A Kafka that the behaviours are asked of: simulated, embedded or real.
///
/// Time is its own: a simulated one lets virtual time pass while a call waits, the others really wait.
public protocol KafkaUnderTest: AnyObject {
  /// The cluster, for clients that live as long as the test.
  var cluster: any KafkaCluster { get }
  /// Milliseconds since any instant, by the clock in which things happen there.
  var milliseconds: Int64 { get }
  /// How long to wait for what should happen at once or soon.
  var patience: Duration { get }
  /// Lets time pass.
  func pass(_ duration: Duration)
  /// A process of its own, to be crashed.
  func spawn() -> any ProcessUnderTest
}

/// A process whose clients end with it.
public protocol ProcessUnderTest: AnyObject {
  /// The cluster, for clients of this process.
  var cluster: any KafkaCluster { get }
  /// Ends the process. The caller lets go of its clients before: outside of a simulation a client that is dropped
  /// without a close is what a crash looks like.
  func crash()
}

/// Something that Kafka did otherwise.
public struct Otherwise: Error, CustomStringConvertible {
  /// What was expected, and what was the case.
  public let description: String
}

/// Throws unless it is so.
func expect(_ condition: Bool, _ statement: @autoclosure () -> String) throws {
  guard condition else { throw Otherwise(description: "it should be so: \(statement())") }
}

/// Throws unless the first is the second.
func expect<Value: Equatable>(
  _ actual: Value, is expected: Value, _ what: @autoclosure () -> String
) throws {
  guard actual == expected else {
    throw Otherwise(description: "\(what()): \(actual) instead of \(expected)")
  }
}

/// The error that the body throws.
func expectError<Result>(_ what: String, _ body: () throws(KafkaError) -> Result) throws -> KafkaError {
  do throws(KafkaError) {
    _ = try body()
  } catch {
    return error
  }
  throw Otherwise(description: "\(what): no error was thrown")
}

extension KafkaUnderTest {
  /// A name that no other run uses.
  func unique(_ name: String) -> String { "\(name)-\(UUID().uuidString.prefix(8).lowercased())" }

  /// Creates a topic with a name of its own.
  func createTopic(
    _ name: String = "conformance", partitions: Int = 1, configuration: [String: String] = [:]
  ) throws -> String {
    let name = unique(name)
    try cluster.admin.create(
      [NewTopic(name: name, partitionCount: partitions, replicationFactor: 1, configuration: configuration)],
      timeout: .seconds(30))
    return name
  }

  /// Appends records outside of transactions, and waits until they are there.
  func publish(_ values: [String], to topic: String, partition: Int32 = 0) throws {
    try publish(values.map { TextRecord(partition: partition, value: $0) }, to: topic)
  }

  /// Appends records outside of transactions, and waits until they are there.
  func publish(_ records: [TextRecord], to topic: String) throws {
    try publish(batches: [records], to: topic)
  }

  /// Appends records outside of transactions, and waits behind each of the batches until they are there.
  func publish(batches: [[TextRecord]], to topic: String) throws {
    let producer = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: [topic]))
    defer { producer.close() }
    for batch in batches {
      for record in batch {
        try record.producerRecord.withViews { (views) throws(KafkaError) in
          try producer.produce(views) { _ in }
        }
      }
      try producer.flush(timeout: patience)
    }
  }

  /// A producer that is registered.
  func producer(
    _ topic: String, id: String? = nil, of other: (any KafkaCluster)? = nil,
    transactionTimeout: Duration = .seconds(10)
  ) throws -> any TransactionalProducer {
    let producer = try (other ?? cluster).makeTransactionalProducer(
      TransactionalProducerOptions(
        transactionalID: id ?? unique("id"), topics: [topic], transactionTimeout: transactionTimeout))
    try producer.initTransactions(timeout: patience)
    return producer
  }

  /// A consumer that has joined nothing: with its metadata nothing is claimed of a membership.
  func loner(_ group: String) throws -> any GroupConsumer {
    try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: group, offsetReset: .error))
  }

  /// Lets time pass until it is so.
  func wait(
    for what: String, within limit: Duration? = nil, step: Duration = .milliseconds(5),
    _ isDone: () throws -> Bool
  ) throws {
    let (seconds, _) = (limit ?? patience).components
    let end = milliseconds + max(1, seconds) * 1000
    while try !isDone() {
      guard milliseconds < end else { throw Otherwise(description: "waited in vain for \(what)") }
      pass(step)
    }
  }

  /// Polls members in turn until it is so.
  func poll(
    _ members: [TestMember], within limit: Duration? = nil, for what: String, until isDone: () -> Bool
  ) throws {
    try wait(for: what, within: limit, step: .zero) {
      if isDone() { return true }
      for member in members { _ = member.poll(timeout: .milliseconds(20)) }
      return isDone()
    }
  }

  /// Reads a partition read_committed until its position has passed the offset; the values on the way.
  func values(of partition: TopicPartition, upTo end: Int64) throws -> [String?] {
    var values: [String?] = []
    try read(partition, upTo: end) { values.append($0.value?.string) }
    return values
  }

  /// Reads a partition read_committed until its position has passed the offset.
  func read(_ partition: TopicPartition, upTo end: Int64, _ take: (ConsumedRecord) -> Void) throws {
    let reader = try TestReader(
      cluster, topics: [partition.topic], from: [PartitionOffset(partition, offset: 0)])
    defer { reader.reader.close() }
    var position: Int64 = 0
    try wait(for: "\(partition) to be read up to \(end)", within: .seconds(40), step: .zero) {
      guard position < end else { return true }
      switch reader.poll(timeout: .milliseconds(50)) {
      case .record(let record):
        take(record)
        position = record.offset + 1
      case .endOfPartition(_, _, let offset): position = max(position, offset)
      case .error(let error): throw error
      case .none: break
      }
      return position >= end
    }
  }
}

/// Remembers delivery reports.
final class Deliveries: DeliveryListener {
  var results: [UInt64: Result<RecordMetadata, KafkaError>] = [:]

  var offsets: [UInt64: Int64] { results.compactMapValues { try? $0.get().offset } }

  func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
    results[tag] = result
  }
}
