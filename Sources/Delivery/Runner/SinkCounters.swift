/// What a sink has done since it started.
public struct SinkCounters: Equatable, Sendable {
  /// Deliveries handed over.
  public internal(set) var delivered = 0
  /// Events in the deliveries handed over: a digest of n counts n.
  public internal(set) var deliveredEvents = 0
  /// Attempts that failed and are repeated.
  public internal(set) var failedAttempts = 0
  /// Records that went to the dead letters.
  public internal(set) var deadLettered = 0
  /// Records that were not handed over again because an earlier assignment had completed them.
  public internal(set) var skipped = 0
}

/// How a sink stands at this moment.
public struct SinkStatus: Equatable, Sendable {
  /// Whether the group has given this member an assignment, be it an empty one.
  public internal(set) var isAssigned = false
  /// Whether the sink is about to end: nothing is begun any more, what is in progress finishes.
  public internal(set) var isDraining = false
  /// The offsets before which everything is dealt with, by partition assigned; a partition is missing as long as
  /// nothing is known about it.
  public internal(set) var positions: [Int32: Int64] = [:]
  /// The records that were read and are not dealt with.
  public internal(set) var incompleteCount = 0
  /// Whether every partition assigned was read to its end when it was last looked at, nothing is in progress, and
  /// the progress is committed.
  public internal(set) var isIdle = false
  /// Why nothing can be handed over, in the other side's words; nil when it can.
  public internal(set) var outage: String?
}
