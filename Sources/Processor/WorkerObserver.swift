import Kafka
import Pipeline
import Policy

/// Sees every step of the state machines of a worker, on the worker's thread. The simulation records them by it;
/// in production there is none.
package protocol WorkerObserver: AnyObject {
  /// The group gave these home partitions.
  func assigned(_ partitions: [Int32])
  /// The partitions are asked back: what is under way is finished next.
  func revoking()
  /// All partitions were given back.
  func revoked()
  /// The partition decides from here on.
  func decides(in partition: Int32)
  /// The outcome of the transaction under way cannot be known: all partitions begin anew from the log.
  func outcomeUnknown()
  /// All partitions decide by another catalog from here on.
  func took(_ catalog: Catalog)
  /// The partition took a record in.
  func applied(_ record: PartitionRecord, now: Int64, progress: Pipeline.Progress, in partition: Int32)
  /// The partition closed what was due.
  func ticked(now: Int64, in partition: Int32)
  /// The partition went on with a fan-out to an audience.
  func continuedFanOut(now: Int64, in partition: Int32)
  /// A position moved without a record.
  func advanced(_ topic: InputTopic, to offset: Int64, in partition: Int32)
  /// The batch became part of the transaction under way. The pipeline is as the state record says.
  func sealed(_ commit: SealedCommit, _ pipeline: borrowing Pipeline, in partition: Int32)
  /// The transaction with the last sealed batch of the partition is committed.
  func confirmed(in partition: Int32)
  /// What is not confirmed was taken back.
  func rolledBack(_ pipeline: borrowing Pipeline, in partition: Int32)
  /// The state is restored and agrees with the group's offsets.
  func restored(_ pipeline: borrowing Pipeline, in partition: Int32)
}
