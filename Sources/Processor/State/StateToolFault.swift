import Kafka

/// Why a tool of the state did nothing. Each says what to do.
public enum StateToolFault: Error, CustomStringConvertible {
  /// There is no such home partition.
  case noSuchPartition(Int32, count: Int32)
  /// Processors are members of the group, so that the partition may have an owner.
  case groupIsAlive(group: String, members: [GroupMember])
  /// Another member joined the group while the tool was at work; its transaction was taken back.
  case notAlone(group: String)
  /// The group gave no assignment in time.
  case noAssignment(group: String, waited: Duration)
  /// The state log does not go on to its end: a transaction is open.
  case heldLog(TopicPartition, position: Int64, end: Int64)
  /// The group has no offset for any input of the partition.
  case noGroupOffsets(group: String, partition: Int32)
  /// There is no state.
  case noState(TopicPartition)
  /// Neither group nor state say where a reset is to begin.
  case noPosition(TopicPartition)
  /// The instant to set a clock to is ahead of the machine's and the brokers' time.
  case futureClock(milliseconds: Int64)
  /// The state topic has no append times of the broker.
  case noAppendTime(topic: String)
  /// The transaction was refused.
  case refused(KafkaError)
  /// The broker did not say whether the transaction is in.
  case unknownOutcome(partition: Int32)

  /// What happened and what to do.
  public var description: String {
    switch self {
    case .noSuchPartition(let partition, let count):
      "there is no partition \(partition): the configuration says \(count) (`topics.partitions`), 0 to \(count - 1)"
    case .groupIsAlive(let group, let members):
      "the group \(group) has \(members.count == 1 ? "a member" : "\(members.count) members"), "
        + "\(members.map(\.description).sorted().joined(separator: ", ")). Nothing was written: stop all processors "
        + "first. One that was killed, or has a `processor.instance`, stays a member until its session ends (10 s)"
    case .notAlone(let group):
      "another member joined the group \(group), a processor or another tool: nothing was changed. Stop all "
        + "processors, and run one tool at a time"
    case .noAssignment(let group, let waited):
      "the group \(group) gave no partitions within \(waited.milliseconds / 1000) s: nothing was written. Try again"
    case .heldLog(let partition, let position, let end):
      "\(partition): a transaction that is open holds the log between offset \(position) and its end at \(end). "
        + "Nothing was written. The broker ends it within 20 s of its owner's death: try again then"
    case .noGroupOffsets(let group, let partition):
      "the group \(group) has no offset for partition \(partition) of any input topic: there is nothing to adopt. "
        + "`tidings state adopt-state --partition \(partition)` gives it those of the state"
    case .noState(let partition):
      "\(partition) holds no state. `tidings state reset --partition \(partition.partition)` begins a state at "
        + "the group's offsets"
    case .noPosition(let partition):
      "\(partition): neither the group nor the state says where to go on: give --to-beginning or --to-end"
    case .futureClock(let milliseconds):
      "\(InstantText(milliseconds)) is in the future: a clock that is ahead of the broker is the very fault that "
        + "set-clock mends. Nothing was written"
    case .noAppendTime(let topic):
      "\(topic) is not stamped by the broker (message.timestamp.type=LogAppendTime): give the instant with --to"
    case .refused(let error):
      "the transaction was taken back, nothing was changed: \(error)"
    case .unknownOutcome(let partition):
      "the broker did not say whether the transaction is in: it is in whole or not at all. "
        + "`tidings state inspect --partition \(partition)` tells"
    }
  }
}
