import Kafka

/// One partition while it is assigned: what is done, and what the group has been told.
struct SinkAssignment {
  let source: DeliverySource
  private let topicPartition: TopicPartition
  var tracker: OffsetTracker
  /// What the group has for the partition.
  var committed: PartitionOffset?
  /// The end as it was last seen: the offset of an end-of-partition event, or the broker's watermark.
  var endOffset: Int64?
  /// Whether nothing was read since the last end-of-partition event.
  var isAtEnd = false
  /// The timestamp of the last record, milliseconds since the epoch.
  var lastTimestampMilliseconds: Int64?

  /// Continues where the group's commit says. Metadata that is not ours, or does not fit the offset, is ignored.
  ///
  /// - Parameter revoked: how this member left the partition before. If nobody has committed since, it knows more
  ///   than the group: during a rebalance a broker may refuse the last commit.
  init(
    source: DeliverySource, topic: String, committed: PartitionOffset?, revoked: SinkAssignment? = nil
  ) {
    self.source = source
    topicPartition = TopicPartition(topic: topic, partition: source.partition)
    self.committed = committed
    var start = committed
    if let revoked, revoked.hasCommitted(committed) {
      start = revoked.pendingCommit?.offset ?? committed
    }
    let completed = start.flatMap { commit in
      commit.metadata.flatMap { CompletedOffsets(metadata: $0, base: commit.offset) }
    }
    tracker = OffsetTracker(committed: start?.offset, completed: completed ?? CompletedOffsets())
  }

  /// Whether everything up to the end is done and the group knows it.
  var isIdle: Bool { isAtEnd && tracker.isComplete && committed?.offset == tracker.committable }

  /// What to commit, with the completed offsets above it; nil when the group has it already or nothing is known.
  var pendingCommit: (offset: PartitionOffset, omittedRanges: Int)? {
    guard let offset = tracker.committable else { return nil }
    let (metadata, omitted) = tracker.completedAbove.metadata(base: offset)
    let next = PartitionOffset(topicPartition, offset: offset, metadata: metadata)
    return hasCommitted(next) ? nil : (next, omitted)
  }

  private func hasCommitted(_ offset: PartitionOffset?) -> Bool {
    // An empty text and none are the same to a group.
    offset?.offset == committed?.offset && (offset?.metadata ?? "") == (committed?.metadata ?? "")
  }

  /// How many records lie between what is done and the end, and how old the oldest of them is.
  func lag(nowMilliseconds: Int64) -> (records: Int64, age: Duration) {
    guard let end = endOffset, let done = tracker.committable else { return (0, .zero) }
    let records = isAtEnd && tracker.isComplete ? 0 : max(0, end - done)
    guard records > 0 else { return (0, .zero) }
    let oldest = tracker.oldestIncompleteTimestampMilliseconds ?? lastTimestampMilliseconds ?? nowMilliseconds
    return (records, .milliseconds(max(0, nowMilliseconds - oldest)))
  }

  /// How old the oldest record is that nobody has tried to deliver.
  ///
  /// - Parameter oldest: the timestamp of the oldest of those that were read, milliseconds since the epoch; nil where all
  ///   were tried.
  func untriedAge(oldest: Int64?, nowMilliseconds: Int64) -> Duration {
    let isAllRead = isAtEnd || (endOffset ?? 0) <= (tracker.position ?? 0)
    // What is not read came after what was.
    let instants = [oldest, isAllRead ? nil : lastTimestampMilliseconds].compactMap { $0 }
    return .milliseconds(instants.min().map { max(0, nowMilliseconds - $0) } ?? 0)
  }
}
