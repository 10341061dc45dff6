import Kafka
import Pipeline

/// Where one input topic of a partition stands by its state and by its group, beside what the topic holds.
public struct InputAgreement: Sendable, Equatable {
  /// What the four offsets say together.
  public enum Verdict: String, Sendable, Encodable {
    /// State and group name the same offset, and the topic holds it.
    case agrees
    /// The group has no offset (it expires 7 days after its last commit): the state's stands.
    case groupAbsent
    /// Neither has an offset: a partition that was never read.
    case untouched
    /// The group has an offset, the state log is empty.
    case stateAbsent
    /// State and group name different offsets.
    case differs
    /// They agree on an offset that the topic no longer holds.
    case lost
    /// They agree on an offset that the topic has not reached: it was deleted and created again.
    case beyondEnd
  }

  /// The topic.
  public let topic: InputTopic
  /// Its full name and the partition.
  public let place: TopicPartition
  /// The next offset by the state; nil without a state.
  public let state: Int64?
  /// The group's committed offset; nil where it has none.
  public let group: Int64?
  /// The first offset that the topic holds.
  public let low: Int64
  /// The offset behind the last one.
  public let high: Int64

  /// What the four offsets say together.
  public var verdict: Verdict {
    switch (state, group) {
    case (nil, nil): .untouched
    case (nil, _?): .stateAbsent
    case (let state?, let group?) where state != group: .differs
    case (let state?, let group):
      state < low ? .lost : state > high ? .beyondEnd : group == nil ? .groupAbsent : .agrees
    }
  }

  /// The verdict in words.
  public var text: String {
    switch verdict {
    case .agrees: high > group ?? high ? "agree, \(high - (group ?? high)) to read" : "agree, all read"
    case .groupAbsent: "the group has none (expired): the state's stands"
    case .untouched: "never read: begins at \(low)"
    case .stateAbsent: "NO STATE, but the group has an offset"
    case .differs: "DIFFER by \(abs((state ?? 0) - (group ?? 0)))"
    case .lost: "LOST: retention has deleted what was not read"
    case .beyondEnd: "BEYOND THE END: the topic was created again"
    }
  }

  /// Whether a processor would go on from here.
  public var isSound: Bool { [.agrees, .groupAbsent, .untouched].contains(verdict) }

  /// The offset to go on at, where `wanted` was decided for: the topic's beginning if it does not hold that.
  func reachable(_ wanted: Int64) -> Int64 { wanted < low || wanted > high ? low : wanted }
}
