import Kafka

/// The coordinator of consumer groups: the classic protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup), static
/// members (KIP-345), and offsets, also in transactions (KIP-98, KIP-447).
public final class GroupCoordinator {
  private unowned let broker: SimulatedBroker
  private var groupsByID: [String: Group] = [:]
  private var nextMember = 0

  init(_ broker: SimulatedBroker) { self.broker = broker }

  /// All groups, by id.
  public var groups: [Group] { groupsByID.values.sorted { $0.id < $1.id } }

  /// A group, if anything was ever said of it.
  public func group(_ id: String) -> Group? { groupsByID[id] }

  func obtain(_ id: String) -> Group {
    if let group = groupsByID[id] { return group }
    let group = Group(id: id, broker: broker)
    groupsByID[id] = group
    return group
  }

  func makeMemberID(_ name: String) -> String {
    nextMember += 1
    return "\(name)-\(nextMember)"
  }

  /// Forgets offsets of a group as if `offsets.retention.minutes` had passed since their commit.
  ///
  /// - Parameter topics: those that it forgets; of a living group, Kafka forgets topics that no member subscribes to.
  public func expireOffsets(ofGroup id: String, topics: [String]) {
    broker.world.note("broker: offsets of \(id) for \(topics.joined(separator: ", ")) expire")
    group(id)?.offsets.expire(topics)
  }
}

/// What a member may be told instead of an answer.
enum GroupRefusal: Int32, Error {
  case rebalanceInProgress = 27
  case unknownMember = 25
  case illegalGeneration = 22
  case fencedInstanceID = 82
  case unstableOffsetCommit = 88
  case invalidProducerEpoch = 47
  case unknownTopicOrPartition = 3

  var code: KafkaError.Code { KafkaError.Code(rawValue: rawValue) }
}
