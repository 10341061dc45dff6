import Kafka
import Pipeline

/// What ends a processor: each says what happened where, and what to do.
public enum ProcessorFault: Error, CustomStringConvertible {
  /// The client reported an error that cannot be passed.
  case kafka(KafkaError, doing: String)
  /// The state of a partition cannot be used.
  case state(StateFault, topic: String, partition: Int32, offset: Int64)
  /// The position in the state and the group's committed offset differ.
  case disagreement(topic: String, partition: Int32, state: Int64?, group: Int64)
  /// Retention took records away that were not consumed.
  case lostInput(topic: String, partition: Int32, position: Int64, low: Int64)
  /// A clock in the state is far ahead of the broker's; both in milliseconds since the epoch.
  case clockAhead(topic: String, partition: Int32, clock: String, instant: Int64, now: Int64)
  /// A topic ends before the position: it was deleted and created again.
  case beyondInput(topic: String, partition: Int32, position: Int64, high: Int64)
  /// A record in the routed topic belongs elsewhere.
  case foreignRecord(topic: String, partition: Int32, offset: Int64, home: Int32)
  /// The topic has not as many partitions as the configuration says.
  case partitionCount(topic: String, found: Int, expected: Int32)
  /// The group gave this member a home partition without some of its topics.
  case dividedHome(partition: Int32, missing: [String])
  /// A topic does not exist.
  case missingTopic(String)

  /// What happened and what to do.
  public var description: String {
    switch self {
    case .kafka(let error, let doing):
      error.isFenced
        ? "\(doing): \(error): another process has taken this one's place; "
          + "are two instances configured with the same `processor.instance`?"
        : "\(doing): \(error)"
    case .state(let fault, let topic, let partition, let offset):
      "\(topic) [\(partition)] at offset \(offset): \(fault). Nothing was decided. "
        + Self.wayOut(of: fault, partition)
    case .disagreement(let topic, let partition, let state?, let group):
      "\(topic) [\(partition)]: the state stands at offset \(state), the consumer group at offset \(group). Nothing "
        + "was decided. To go on at the group's offset: `tidings state adopt-group --partition \(partition)`; at the "
        + "state's: `tidings state adopt-state --partition \(partition)`. Both say first what that skips or repeats"
    case .disagreement(let topic, let partition, nil, let group):
      "\(topic) [\(partition)]: the consumer group stands at offset \(group), but the state topic holds no state of "
        + "this partition (offset: none): it was deleted. Nothing was decided. Bring the topic back, or begin a new "
        + "state at the group's offsets: `tidings state reset --partition \(partition)` says first what that forgets"
    case .lostInput(let topic, let partition, let position, let low):
      "\(topic) [\(partition)]: the next record to read is at offset \(position), but the topic begins at \(low): "
        + "retention has deleted what was not consumed. To go on at \(low) without those records: "
        + "`tidings state adopt-group --partition \(partition)`"
    case .beyondInput(let topic, let partition, let position, let high):
      "\(topic) [\(partition)]: the next record to read is at offset \(position), but the topic ends at \(high): it "
        + "was deleted and created again. To read it from its beginning: "
        + "`tidings state adopt-group --partition \(partition)`"
    case .clockAhead(let topic, let partition, let clock, let instant, let now):
      "\(topic) [\(partition)]: the \(clock) clock in the state stands at \(InstantText(instant)), "
        + "\((instant - now) / 1000) s ahead of the broker's: a machine's or broker's clock was wrong. Nothing was "
        + "decided. Put it right with `tidings state set-clock --partition \(partition)"
        + (clock == "input" ? " --input-clock`" : "`")
    case .foreignRecord(let topic, let partition, let offset, let home):
      "\(topic) [\(partition)] at offset \(offset): the record belongs to partition \(home). "
        + "Only the processor may write to this topic, and all processors must agree on the number of partitions. To go on "
        + "behind it: set the group's offset to offset \(offset + 1) with Kafka's own tool, then "
        + "`tidings state adopt-group --partition \(partition)`, which says first what that skips (docs/operations.md)"
    case .partitionCount(let topic, let found, let expected):
      "\(topic) has \(found) partitions, the configuration says \(expected) (`topics.partitions`): they must agree. "
        + "The number is chosen once. If the other topics have \(expected), delete \(topic) and run "
        + "`tidings topics apply`: what it holds is lost"
    case .dividedHome(let partition, let missing):
      "the group gave this process partition \(partition) without that of \(missing.joined(separator: ", ")): another "
        + "member reads other topics, as one of another version does. Stop all processors of the group, then start them "
        + "with one version"
    case .missingTopic(let topic):
      "\(topic) does not exist: run `tidings topics apply`"
    }
  }

  private static func wayOut(of fault: StateFault, _ partition: Int32) -> String {
    let reset =
      "`tidings state reset --partition \(partition)` begins a new state at the group's offsets, and says first what "
      + "that forgets"
    return switch fault {
    case .unknownVersion: "Otherwise \(reset)"
    case .foreignPartition, .partitionCountChanged:
      "Put the topic, or `topics.partitions`, back as it was. Otherwise \(reset)"
    default:
      "`tidings state inspect --partition \(partition)` shows what can still be read. Without a copy of the topic to "
        + "put back, \(reset)"
    }
  }
}
