import Contract
import Foundation
import Kafka
import Pipeline

/// Writes the transactions of a tool: state records of one partition and the group's offsets, as a worker does.
///
/// Its transactional id is that of the partition's tools, `<prefix>.state.<partition>`. Workers' ids end with a hyphen
/// and a number, so that a tool fences no worker; a second tool of the same partition fences the first.
final class StateWriter: DeliveryListener {
  /// How many bytes of changes go into one state record.
  static let changesLimit = 2 << 20

  private let producer: any TransactionalProducer
  private let membership: SoleMembership
  private let partition: Int32
  private let patience: Duration
  private var record = OutputBuffer(capacity: 64 << 10)
  private var report: Result<RecordMetadata, KafkaError>?

  init(
    _ cluster: any KafkaCluster, _ configuration: ProcessorConfiguration, _ partition: Int32,
    _ membership: SoleMembership, patience: Duration
  ) throws {
    self.membership = membership
    self.partition = partition
    self.patience = patience
    producer = try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(
        transactionalID: "\(configuration.prefix).state.\(partition)", topics: [configuration.stateTopic],
        transactionTimeout: configuration.transactionTimeout, messageMaxBytes: TopicPlan.logRecordLimit,
        linger: .zero))
    producer.deliveryListener = self
  }

  /// Settles what a tool before this one left open, and fences it.
  func register() throws {
    let deadline = ContinuousClock.now + patience
    while true {
      do throws(KafkaError) {
        return try producer.initTransactions(timeout: .seconds(5))
      } catch {
        guard error.disposition == .retry, ContinuousClock.now < deadline else { throw error }
      }
      try membership.keep()
    }
  }

  /// Seals the pipeline's batch, and appends its state record to the transaction that is open.
  func append(_ pipeline: inout Pipeline) throws {
    record.removeAll()
    _ = pipeline.seal(into: &record)
    // All or nothing: what follows an abort is the end of the tool. And the clock may be about to go back.
    pipeline.confirm(forgets: false)
    try producer.produce(
      OutgoingRecord(topicIndex: 0, partition: partition, key: nil, value: record.view, tag: 1))
  }

  /// Writes what `body` appends, and the offsets, in one transaction.
  ///
  /// - Returns: what the broker says of the last record.
  /// - Throws: `StateToolFault.refused`: nothing is in; `StateToolFault.unknownOutcome`.
  func commit(
    _ offsets: [PartitionOffset], _ body: (StateWriter) throws -> Void
  ) throws -> RecordMetadata {
    report = nil
    let group = try membership.metadata()
    let deadline = ContinuousClock.now + patience
    do {
      try producer.begin()
      try body(self)
      try sendOffsets(offsets, group, deadline)
      while case .pending = try progress() {
        guard ContinuousClock.now < deadline else {
          throw StateToolFault.unknownOutcome(partition: partition)
        }
      }
    } catch let error as KafkaError {
      // Where it is refused, since the offsets are still on their way, the transaction ends by its time-out.
      try? producer.abort(timeout: .seconds(10))
      throw Self.isMembershipOver(error) ? membership.notAlone : StateToolFault.refused(error)
    }
    producer.poll()
    guard let report else { throw StateToolFault.unknownOutcome(partition: partition) }
    return try report.get()
  }

  private func progress() throws -> CommitProgress {
    do throws(KafkaError) {
      return try producer.commit(timeout: .milliseconds(200))
    } catch {
      guard error.disposition == .retry else { throw error }
      return .pending
    }
  }

  private func sendOffsets(
    _ offsets: [PartitionOffset], _ group: any GroupMetadata, _ deadline: ContinuousClock.Instant
  ) throws(KafkaError) {
    while true {
      do throws(KafkaError) {
        if try producer.sendOffsets(offsets, group: group, timeout: .seconds(5)) { return }
      } catch {
        guard error.disposition == .retry, ContinuousClock.now < deadline else { throw error }
      }
      guard ContinuousClock.now < deadline else {
        throw KafkaError(.timedOut, message: "the brokers did not take the offsets within \(patience)")
      }
    }
  }

  /// The broker knows another generation of the group, or another tool of this partition.
  private static func isMembershipOver(_ error: KafkaError) -> Bool {
    error.isFenced || [.illegalGeneration, .unknownMember, .rebalanceInProgress].contains(error.code)
  }

  func close() { producer.close() }

  func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
    report = result
  }
}
