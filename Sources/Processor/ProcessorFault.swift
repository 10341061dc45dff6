import Foundation
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
  /// A record in the routed topic belongs elsewhere.
  case foreignRecord(topic: String, partition: Int32, offset: Int64, home: Int32)
  /// The topic has not as many partitions as the configuration says.
  case partitionCount(topic: String, found: Int, expected: Int32)
  /// A topic does not exist.
  case missingTopic(String)

  /// What happened and what to do.
  public var description: String {
    switch self {
    case .kafka(let error, let doing):
      switch error.code {
      case .producerFenced, .invalidProducerEpoch, .fencedInstanceID:
        "\(doing): \(error.message): another process has taken this one's place; "
          + "are two instances configured with the same `processor.instance`?"
      default:
        "\(doing): \(error)"
      }
    case .state(let fault, let topic, let partition, let offset):
      "\(topic) [\(partition)] at offset \(offset): \(fault)"
    case .disagreement(let topic, let partition, let state, let group):
      "\(topic) [\(partition)]: the state stands at \(state.map { "offset \($0)" } ?? "no offset (it is empty)"), "
        + "the consumer group at offset \(group). Nothing was decided. Find out which one is right "
        + "(a group reset? a deleted state topic?) before this partition is started again"
    case .lostInput(let topic, let partition, let position, let low):
      "\(topic) [\(partition)]: the next record to read is at offset \(position), but the topic begins at \(low): "
        + "retention has deleted what was not consumed"
    case .clockAhead(let topic, let partition, let clock, let instant, let now):
      "\(topic) [\(partition)]: the \(clock) clock in the state stands at \(Date(timeIntervalSince1970: Double(instant) / 1000).formatted(.iso8601)), "
        + "\((instant - now) / 1000) s ahead of the broker's: a machine's or broker's clock was wrong. Nothing was "
        + "decided. Put it right with `tidings state set-clock --partition \(partition)`"
    case .foreignRecord(let topic, let partition, let offset, let home):
      "\(topic) [\(partition)] at offset \(offset): the record belongs to partition \(home). "
        + "Only the processor may write to this topic, and all processors must agree on the number of partitions"
    case .partitionCount(let topic, let found, let expected):
      "\(topic) has \(found) partitions, the configuration says \(expected) (`topics.partitions`): they must agree"
    case .missingTopic(let topic):
      "\(topic) does not exist: run `tidings topics apply`"
    }
  }
}
