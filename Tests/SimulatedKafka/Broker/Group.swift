import Kafka

/// A group of consumers, as its coordinator knows it.
public final class Group {
  /// How far the group is with its partitions.
  public enum State: Sendable {
    case empty
    /// Waits for every member to join again.
    case preparingRebalance
    /// Waits for the leader's assignment.
    case completingRebalance
    case stable
  }

  /// A member.
  public final class Member {
    /// The id that the coordinator gave it.
    public fileprivate(set) var id: String
    /// The `group.instance.id` of a static member.
    public let instanceID: String?
    /// The process that it lives in.
    public fileprivate(set) var clientName: String
    /// What it was given in this generation.
    public fileprivate(set) var assignment: [TopicPartition] = []
    fileprivate(set) var topics: [String]
    fileprivate(set) var sessionTimeout: Int64
    fileprivate(set) var rebalanceTimeout: Int64
    fileprivate var sessionEnd: Int64 = 0
    fileprivate var pendingJoin: ((Result<JoinAnswer, GroupRefusal>) -> Void)?
    fileprivate var pendingSync: ((Result<[TopicPartition], GroupRefusal>) -> Void)?

    fileprivate init(id: String, _ request: JoinRequest) {
      self.id = id
      instanceID = request.instanceID
      clientName = request.clientName
      topics = request.topics
      sessionTimeout = request.sessionTimeout
      rebalanceTimeout = request.rebalanceTimeout
    }
  }

  /// The `group.id`.
  public let id: String
  /// How far it is.
  public private(set) var state = State.empty
  /// The number of rebalances so far.
  public private(set) var generation: Int32 = 0
  /// The members in the order in which they came.
  public private(set) var members: [Member] = []
  /// What it has committed.
  public let offsets: GroupOffsets

  private unowned let broker: SimulatedBroker
  private var leaderID: String?
  /// Tells the events of one rebalance from those of the next.
  private var rebalanceNumber = 0
  private var world: SimulatedWorld { broker.world }

  init(id: String, broker: SimulatedBroker) {
    self.id = id
    self.broker = broker
    offsets = GroupOffsets(groupID: id, broker: broker)
  }

  private func member(_ id: String) -> Member? { members.first { $0.id == id } }

  // MARK: JoinGroup

  func join(_ request: JoinRequest, _ answer: @escaping (Result<JoinAnswer, GroupRefusal>) -> Void) {
    if let instanceID = request.instanceID, let known = members.first(where: { $0.instanceID == instanceID })
    {
      guard request.memberID.isEmpty || request.memberID == known.id else {
        return answer(.failure(.fencedInstanceID))
      }
      if request.memberID.isEmpty { return replace(known, by: request, answer) }
    }
    let member: Member
    if request.memberID.isEmpty {
      member = Member(
        id: broker.groups.makeMemberID(request.instanceID ?? request.clientName), request)
      members.append(member)
      world.note("group \(id): \(member.id) joins")
    } else if let known = self.member(request.memberID) {
      member = known
      let isSame = known.topics == request.topics
      member.topics = request.topics
      touch(member)
      switch state {
      case .stable where isSame && leaderID != member.id, .completingRebalance where isSame:
        // It missed the answer of this generation.
        return answer(.success(joinAnswer(for: member)))
      case .empty, .preparingRebalance, .completingRebalance, .stable: break
      }
    } else {
      return answer(.failure(.unknownMember))
    }
    member.pendingJoin = answer
    watchSession(member)
    prepareRebalance()
  }

  /// A static member came back under a new id: it has the partitions that it had.
  private func replace(
    _ member: Member, by request: JoinRequest,
    _ answer: @escaping (Result<JoinAnswer, GroupRefusal>) -> Void
  ) {
    let oldID = member.id
    member.id = broker.groups.makeMemberID(request.instanceID ?? request.clientName)
    world.note("group \(id): \(member.id) takes the place of \(oldID)")
    member.pendingJoin?(.failure(.fencedInstanceID))
    member.pendingSync?(.failure(.fencedInstanceID))
    member.pendingJoin = nil
    member.pendingSync = nil
    member.clientName = request.clientName
    if leaderID == oldID { leaderID = member.id }
    let isSame = member.topics == request.topics
    member.topics = request.topics
    member.sessionTimeout = request.sessionTimeout
    member.rebalanceTimeout = request.rebalanceTimeout
    touch(member)
    if state == .stable, isSame {
      var same = joinAnswer(for: member)
      // The assignment stands: it is not the new leader's to make again.
      same.isLeader = false
      return answer(.success(same))
    }
    member.pendingJoin = answer
    prepareRebalance()
  }

  private func joinAnswer(for member: Member) -> JoinAnswer {
    JoinAnswer(memberID: member.id, generation: generation, isLeader: member.id == leaderID)
  }

  // MARK: Rebalance

  private func prepareRebalance() {
    guard state != .preparingRebalance else { return joinIfComplete() }
    for member in members {
      member.pendingSync?(.failure(.rebalanceInProgress))
      member.pendingSync = nil
    }
    let wasEmpty = state == .empty
    state = .preparingRebalance
    rebalanceNumber += 1
    let number = rebalanceNumber
    world.note("group \(id): prepares a rebalance")
    if wasEmpty, world.latencies.initialRebalanceDelay > 0 {
      isInInitialDelay = true
      world.schedule(after: world.latencies.initialRebalanceDelay) { [self] in
        isInInitialDelay = false
        joinIfComplete()
      }
    }
    let timeout = members.map(\.rebalanceTimeout).max() ?? 0
    world.schedule(after: timeout) { [self] in
      guard state == .preparingRebalance, rebalanceNumber == number else { return }
      for member in members where member.pendingJoin == nil && member.instanceID == nil {
        world.note("group \(id): \(member.id) did not join in time")
        members.removeAll { $0 === member }
      }
      completeJoin()
    }
    joinIfComplete()
  }

  private var isInInitialDelay = false

  private func joinIfComplete() {
    guard state == .preparingRebalance, !isInInitialDelay else { return }
    guard members.allSatisfy({ $0.pendingJoin != nil }) else { return }
    completeJoin()
  }

  private func completeJoin() {
    generation += 1
    guard !members.isEmpty else {
      state = .empty
      leaderID = nil
      world.note("group \(id): generation \(generation) is empty")
      return
    }
    state = .completingRebalance
    if !members.contains(where: { $0.id == leaderID && $0.pendingJoin != nil }) {
      leaderID = members.first { $0.pendingJoin != nil }?.id ?? members[0].id
    }
    world.note(
      "group \(id): generation \(generation) of \(members.map(\.id)), led by \(leaderID ?? "nobody")")
    for member in members {
      guard let answer = member.pendingJoin else { continue }
      member.pendingJoin = nil
      touch(member)
      answer(.success(joinAnswer(for: member)))
    }
  }

  // MARK: SyncGroup

  func sync(
    memberID: String, instanceID: String?, generation: Int32,
    _ answer: @escaping (Result<[TopicPartition], GroupRefusal>) -> Void
  ) {
    switch check(memberID: memberID, instanceID: instanceID, generation: generation) {
    case .failure(let error): return answer(.failure(error))
    case .success(let member):
      touch(member)
      switch state {
      case .empty: answer(.failure(.unknownMember))
      case .preparingRebalance: answer(.failure(.rebalanceInProgress))
      case .stable: answer(.success(member.assignment))
      case .completingRebalance:
        member.pendingSync = answer
        guard member.id == leaderID else { return }
        RangeAssignor.assign(members, broker)
        state = .stable
        for member in members {
          member.pendingSync?(.success(member.assignment))
          member.pendingSync = nil
        }
      }
    }
  }

  /// Eager `range`: of each topic, consecutive partitions to the members in the order of their ids, static ones by
  /// their instance.
  private enum RangeAssignor {
    static func assign(_ members: [Member], _ broker: SimulatedBroker) {
      for member in members { member.assignment = [] }
      let topics = Set(members.flatMap(\.topics)).sorted()
      for name in topics {
        guard let topic = broker.topic(name) else { continue }
        let subscribed = members.filter { $0.topics.contains(name) }
          .sorted { ($0.instanceID ?? $0.id) < ($1.instanceID ?? $1.id) }
        let share = topic.partitions.count / subscribed.count
        let extra = topic.partitions.count % subscribed.count
        var next = 0
        for (index, member) in subscribed.enumerated() {
          let count = share + (index < extra ? 1 : 0)
          member.assignment += topic.partitions[next..<next + count].map(\.topicPartition)
          next += count
        }
      }
    }
  }

  // MARK: Heartbeat and LeaveGroup

  func heartbeat(memberID: String, instanceID: String?, generation: Int32) -> GroupRefusal? {
    switch check(memberID: memberID, instanceID: instanceID, generation: generation) {
    case .failure(let error): return error
    case .success(let member):
      touch(member)
      return state == .preparingRebalance ? .rebalanceInProgress : nil
    }
  }

  func leave(memberID: String) {
    guard let member = member(memberID) else { return }
    world.note("group \(id): \(memberID) leaves")
    remove(member)
  }

  /// All members are taken out of the group, as an operator can (KIP-571), or a coordinator that lost what it knew: they
  /// hear of it with their next request, and join again.
  public func removeMembers() {
    world.note("group \(id): all members are removed")
    for member in members { remove(member) }
  }

  private func remove(_ member: Member) {
    members.removeAll { $0 === member }
    member.pendingJoin?(.failure(.unknownMember))
    member.pendingSync?(.failure(.unknownMember))
    member.pendingJoin = nil
    member.pendingSync = nil
    switch state {
    case .stable, .completingRebalance: prepareRebalance()
    case .preparingRebalance: joinIfComplete()
    case .empty: break
    }
  }

  // MARK: Sessions

  private func touch(_ member: Member) { member.sessionEnd = world.now + member.sessionTimeout }

  private func watchSession(_ member: Member) {
    touch(member)
    watchSession(member, after: member.sessionTimeout)
  }

  private func watchSession(_ member: Member, after delay: Int64) {
    world.schedule(after: delay) { [self] in
      guard members.contains(where: { $0 === member }) else { return }
      // Who waits for the others to join is not silent.
      if member.pendingJoin != nil { touch(member) }
      // A coordinator that moved begins to count anew.
      let away = broker.faults.groupCoordinatorAwayUntil
      if away > 0 { member.sessionEnd = max(member.sessionEnd, away + member.sessionTimeout) }
      let down = broker.faults.brokersDownUntil
      if down > 0 { member.sessionEnd = max(member.sessionEnd, down + member.sessionTimeout) }
      guard member.sessionEnd <= world.now else {
        return watchSession(member, after: member.sessionEnd - world.now)
      }
      world.note("group \(id): the session of \(member.id) is over")
      remove(member)
    }
  }

  // MARK: Members' claims

  /// Whether somebody who says so is a member of this generation.
  func check(memberID: String, instanceID: String?, generation: Int32) -> Result<Member, GroupRefusal> {
    if let instanceID {
      guard let known = members.first(where: { $0.instanceID == instanceID }) else {
        return .failure(.unknownMember)
      }
      guard known.id == memberID else { return .failure(.fencedInstanceID) }
    }
    guard let member = member(memberID) else { return .failure(.unknownMember) }
    guard generation == self.generation else { return .failure(.illegalGeneration) }
    return .success(member)
  }
}

/// What a member asks for with JoinGroup.
struct JoinRequest {
  /// Empty at the first time.
  var memberID: String
  var clientName: String
  var instanceID: String?
  var topics: [String]
  var sessionTimeout: Int64
  var rebalanceTimeout: Int64
}

/// What a member is told when everybody has joined.
struct JoinAnswer {
  var memberID: String
  var generation: Int32
  var isLeader: Bool
}

extension Group {
  /// OffsetCommit: by a member of this generation, or by anybody while the group is empty.
  func commit(
    _ offsets: [PartitionOffset], memberID: String, instanceID: String?, generation: Int32
  ) -> GroupRefusal? {
    if generation < 0, memberID.isEmpty, members.isEmpty {
      self.offsets.commit(offsets)
      return nil
    }
    switch check(memberID: memberID, instanceID: instanceID, generation: generation) {
    case .failure(let refusal): return refusal
    case .success:
      if state == .completingRebalance { return .rebalanceInProgress }
      self.offsets.commit(offsets)
      return nil
    }
  }

  /// TxnOffsetCommit (KIP-447): a producer without a membership is taken at its word.
  func commit(
    _ offsets: [PartitionOffset], by member: SimulatedGroupMetadata, producerID: Int64, epoch: Int16
  ) -> GroupRefusal? {
    let isOutsider = member.generation < 0 && members.isEmpty
    let claims = member.generation >= 0 || !member.memberID.isEmpty || member.instanceID != nil
    if claims, !isOutsider {
      if case .failure(let refusal) = check(
        memberID: member.memberID, instanceID: member.instanceID, generation: member.generation)
      {
        return refusal
      }
    }
    return self.offsets.addPending(offsets, producerID: producerID, epoch: epoch)
  }
}
