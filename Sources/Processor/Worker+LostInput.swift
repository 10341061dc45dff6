import Kafka
import Pipeline

/// The client found that the next record to read is not there any more.
struct InputDoubt {
  /// What it said.
  var error: KafkaError
  /// When to ask what is true, in monotonic milliseconds.
  var askAgainAt: Int64
  /// Since when the group is known to stand elsewhere than this worker, in monotonic milliseconds.
  var elsewhereSince: Int64?
}

/// Input that is gone: retention took it away before it was consumed, or this worker has lost the partition without
/// knowing so yet. What the group's next owner has consumed may go.
extension Worker {
  /// How long the group may stand elsewhere before that counts as a disagreement: the session of a member that was
  /// lost is over, and it has been told so.
  private var longestDoubt: Int64 { 2 * configuration.transactionTimeout.milliseconds }

  func doubtInput(_ error: KafkaError) {
    guard inputDoubt == nil else { return }
    inputDoubt = InputDoubt(error: error, askAgainAt: monotonic)
  }

  /// Asks the group whether it stands where this worker does: only then is input lost. Without an answer, or with
  /// another one, it asks again a little later, as long as nobody revokes the partitions. The doubt outlives an abort and a
  /// restore: the client reads nothing more of such a partition, and does not say so again.
  ///
  /// - Throws: `ProcessorFault` for input that is lost.
  func settleInputDoubt() throws {
    // The group's offsets are behind what a commit under way holds, or not.
    guard var doubt = inputDoubt, inFlight == nil, doubt.askAgainAt <= monotonic,
      !ownedHomes.contains(where: \.isPositionUnknown)
    else { return }
    let partitions = ownedHomes.flatMap { home in
      InputTopic.allCases.map { topicPartition($0, home.partition) }
    }
    let ranges: [OffsetRange]
    let committed: [PartitionOffset?]
    do throws(KafkaError) {
      ranges = try cluster.admin.offsets(
        of: partitions, isolation: .readUncommitted, timeout: Self.brokerPatience)
      committed = try consumer.committed(partitions, timeout: Self.brokerPatience)
    } catch {
      guard error.disposition == .retry else { throw ProcessorFault.kafka(error, doing: "consuming") }
      logger.debug("asking for offsets: \(error.message); asking again")
      inputDoubt?.askAgainAt = monotonic + Self.brokerPatience.milliseconds
      return
    }
    var place = 0
    for home in ownedHomes {
      for topic in InputTopic.allCases {
        defer { place += 1 }
        let (range, position) = (ranges[place], home.pipeline.positions[topic])
        guard position < range.earliest || position > range.latest else { continue }
        let confirmed = home.pipeline.confirmedPositions[topic]
        if let group = committed[place]?.offset, group != confirmed {
          let since = doubt.elsewhereSince ?? monotonic
          guard monotonic - since <= longestDoubt else {
            throw ProcessorFault.disagreement(
              topic: partitions[place].topic, partition: home.partition, state: confirmed, group: group)
          }
          if doubt.elsewhereSince == nil {
            logger.warning(
              "input is gone, but the group stands elsewhere: another worker seems to have the partition",
              metadata: ["partition": "\(partitions[place])", "position": "\(position)", "group": "\(group)"])
          }
          doubt.elsewhereSince = since
          doubt.askAgainAt = monotonic + Self.brokerPatience.milliseconds
          inputDoubt = doubt
          return
        }
        if position < range.earliest {
          throw ProcessorFault.lostInput(
            topic: partitions[place].topic, partition: home.partition, position: position, low: range.earliest
          )
        }
        throw ProcessorFault.beyondInput(
          topic: partitions[place].topic, partition: home.partition, position: position, high: range.latest)
      }
    }
    throw ProcessorFault.kafka(doubt.error, doing: "consuming")
  }
}
