import Foundation
import Kafka
import Logging

extension InboxConsumerLoop: RebalanceListener {
  /// Reads on where the database ends, not where the group's offsets do.
  func partitionsAssigned(_ partitions: [TopicPartition]) {
    do {
      try readOn(partitions)
      assigned = Set(partitions.map(\.partition))
      let isAssigned = !assigned.isEmpty
      progress.counters.withLock { $0.isAssigned = isAssigned }
      logger.info(
        "partitions assigned", metadata: ["topic": "\(options.topic)", "partitions": "\(assigned.sorted())"])
    } catch {
      assignmentError = error
      assigned = []
      // The listener has to answer; the loop ends with the error after this poll.
      try? consumer.assign([])
    }
  }

  /// Stores and commits what was read, then gives the partitions back.
  func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    do {
      try storeOnce()
      if !lost { try commitPositions(isForced: true) }
    } catch {
      logger.warning("what was read is not stored before the rebalance; it is read again: \(error)")
    }
    batch.removeAll()
    deadLetters.removeAll()
    ends.removeAll()
    positions.removeAll()
    committed.removeAll()
    metrics.forget(assigned)
    assigned.removeAll()
    isPositionGone = false
    progress.counters.withLock { counters in
      counters.isAssigned = false
      counters.isIdle = false
      counters.positions = [:]
    }
    do {
      try consumer.unassign()
    } catch {
      assignmentError = error
    }
  }

  /// Assigns partitions, each from where the database ends, or from behind what retention has taken from it.
  ///
  /// - Throws: ``InboxConsumerError``: new records would be taken for old ones, or nobody says where to begin.
  func readOn(_ partitions: [TopicPartition]) throws {
    let offsets = try beginnings(of: partitions)
    for offset in offsets where offset.offset != PartitionOffset.beginning {
      positions[offset.topicPartition.partition] = offset.offset
    }
    try consumer.assign(offsets)
  }

  private func beginnings(of partitions: [TopicPartition]) throws -> [PartitionOffset] {
    let stored = try retrying { try store.offsets(ofTopic: options.topic) }
    return try partitions.map { partition in
      guard let offset = stored[partition.partition] else {
        return PartitionOffset(partition, offset: PartitionOffset.beginning)
      }
      let (low, high) = try retrying { try consumer.watermarks(of: partition, timeout: .seconds(5)) }
      guard offset <= high else {
        throw InboxConsumerError.positionBeyondEnd(
          topic: partition.topic, partition: partition.partition, stored: offset, end: high,
          database: store.path)
      }
      if offset < low {
        logger.error(
          "deliveries were deleted by the topic's retention before they were stored; going on behind them",
          metadata: [
            "topic": "\(partition.topic)", "partition": "\(partition.partition)", "stored": "\(offset)",
            "first": "\(low)",
          ])
      }
      return PartitionOffset(partition, offset: max(offset, low))
    }
  }

  /// Repeats for some seconds what fails for a passing reason: in a rebalance the group waits for the answer. It sleeps
  /// in between, for the callback may not return without it, and the thread has nothing else to do.
  private func retrying<Result>(_ body: () throws -> Result) throws -> Result {
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      do {
        return try body()
      } catch {
        let isPassing =
          (error as? InboxStoreError)?.isTransient ?? ((error as? KafkaError).map { !$0.isFatal } ?? false)
        guard isPassing, ContinuousClock.now < deadline, !progress.isStopping else {
          throw InboxConsumerError.noPosition(topic: options.topic, reason: "\(error)")
        }
        Thread.sleep(forTimeInterval: 0.2)
      }
    }
  }
}
