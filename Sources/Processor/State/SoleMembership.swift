import Foundation
import Kafka

/// Membership in the processors' group as its only member, so that what a tool writes is fenced as a worker's is.
///
/// The tool joins the group with the processors' own subscription. As its only member it is given every partition of
/// every input topic, and nobody else owns one. Its transaction names this membership (KIP-447): a processor or
/// another tool that joins meanwhile begins a new generation, and the broker refuses the offsets of the old one, and
/// with them the transaction. Two tools at once share the partitions: neither is given all, both refuse.
///
/// Confined to the thread of its owner.
final class SoleMembership: RebalanceListener {
  private let consumer: any GroupConsumer
  private let configuration: ProcessorConfiguration
  private var owned: Set<TopicPartition> = []
  private var isAnswered = false
  private var wasRevoked = false
  private var fault: KafkaError?

  init(_ cluster: any KafkaCluster, _ configuration: ProcessorConfiguration) throws {
    self.configuration = configuration
    consumer = try cluster.makeGroupConsumer(
      GroupConsumerOptions(
        groupID: configuration.groupID, offsetReset: .error,
        sessionTimeout: configuration.transactionTimeout))
  }

  /// What to say once somebody else is there.
  var notAlone: StateToolFault { .notAlone(group: configuration.groupID) }

  /// Joins, and waits for the assignment.
  ///
  /// - Throws: `StateToolFault.notAlone` where others have part of the partitions.
  func join(patience: Duration = .seconds(60)) throws {
    try consumer.subscribe(to: configuration.inputTopics, listener: self)
    let deadline = ContinuousClock.now + patience
    while !isAnswered {
      if case .error(let error) = consumer.poll(timeout: .milliseconds(100)), error.isFatal { throw error }
      if let fault { throw fault }
      guard ContinuousClock.now < deadline else {
        throw StateToolFault.noAssignment(group: configuration.groupID, waited: patience)
      }
    }
    let all = configuration.inputTopics.flatMap { topic in
      (0..<configuration.partitionCount).map { TopicPartition(topic: topic, partition: $0) }
    }
    guard owned == Set(all) else { throw notAlone }
  }

  /// Serves the membership.
  ///
  /// - Throws: `StateToolFault.notAlone` once somebody else has joined.
  func keep() throws {
    if case .error(let error) = consumer.poll(timeout: .zero), error.isFatal { throw error }
    if let fault { throw fault }
    if wasRevoked { throw notAlone }
  }

  /// The membership for a transaction.
  func metadata() throws -> any GroupMetadata {
    try keep()
    return try consumer.groupMetadata()
  }

  /// Leaves the group. What keeps it from leaving ends with its session.
  func close() { try? consumer.close() }

  func partitionsAssigned(_ partitions: [TopicPartition]) {
    owned = Set(partitions)
    isAnswered = true
    do throws(KafkaError) {
      // It owns them, and reads nothing.
      try consumer.assign([])
    } catch {
      fault = error
    }
  }

  func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    wasRevoked = true
    do throws(KafkaError) {
      try consumer.unassign()
    } catch {
      fault = error
    }
  }
}
