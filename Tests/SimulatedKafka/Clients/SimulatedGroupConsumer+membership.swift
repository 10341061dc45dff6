import Kafka

/// The part of the membership that librdkafka's own thread does: joining, syncing, heartbeats, time-outs.
extension SimulatedGroupConsumer {
  private var group: Group { world.broker.groups.obtain(options.groupID) }

  /// Joins the group, with what it is known as there.
  func join() {
    guard joinState != .ended, fatalError == nil, !isClosing else { return }
    joinState = .joining
    attempt += 1
    let attempt = attempt
    let group = group
    let request = JoinRequest(
      memberID: memberID, clientName: process.name, instanceID: options.groupInstanceID, topics: topics,
      sessionTimeout: options.sessionTimeout.milliseconds,
      rebalanceTimeout: world.latencies.maxPollInterval)
    process.request(.groupCoordinator) { answer in
      group.join(request, answer)
    } _: { [weak self] (reply: Reply<Result<JoinAnswer, GroupRefusal>>) in
      guard let self, attempt == self.attempt, joinState == .joining else { return }
      switch reply {
      case .answer(.success(let answer)):
        memberID = answer.memberID
        generation = answer.generation
        lastHeartbeat = world.now
        sendHeartbeats()
        sync()
      case .answer(.failure(let refusal)): refused(refusal)
      case .connectionLost, .notAvailable: retry { $0.join() }
      }
    }
  }

  private func sync() {
    joinState = .syncing
    let attempt = attempt
    let group = group
    let (memberID, generation, instanceID) = (memberID, generation, options.groupInstanceID)
    process.request(.groupCoordinator) { answer in
      group.sync(memberID: memberID, instanceID: instanceID, generation: generation, answer)
    } _: { [weak self] (reply: Reply<Result<[TopicPartition], GroupRefusal>>) in
      guard let self, attempt == self.attempt, joinState == .syncing else { return }
      switch reply {
      case .answer(.success(let assignment)):
        groupAssignment = assignment
        joinState = .waitingForAssign
        process.arrived()
      case .answer(.failure(let refusal)): refused(refusal)
      case .connectionLost, .notAvailable: retry { $0.sync() }
      }
    }
  }

  private func retry(_ step: @escaping (SimulatedGroupConsumer) -> Void) {
    let attempt = attempt
    process.later(100) { [weak self] in
      guard let self, attempt == self.attempt else { return }
      step(self)
    }
  }

  private func refused(_ refusal: GroupRefusal) {
    switch refusal {
    case .fencedInstanceID: fail(fencedError)
    case .unknownMember:
      memberID = ""
      retry { $0.join() }
    case .illegalGeneration:
      generation = -1
      retry { $0.join() }
    default: retry { $0.join() }
    }
  }

  private var fencedError: KafkaError {
    KafkaError(
      .fencedInstanceID,
      message: "a younger member of the instance id \(options.groupInstanceID ?? "") took over", isFatal: true
    )
  }

  // MARK: Heartbeats

  /// One heartbeat after another as long as this generation lasts.
  private func sendHeartbeats() {
    let attempt = attempt
    process.later(world.latencies.heartbeat) { [weak self] in
      guard let self, attempt == self.attempt, joinState != .ended else { return }
      if !isPollOverdue { heartbeat(attempt) }
      sendHeartbeats()
    }
  }

  private func heartbeat(_ attempt: Int) {
    guard world.now - lastHeartbeat <= options.sessionTimeout.milliseconds else {
      world.note("\(process.name): no heartbeat was answered within the session")
      memberID = ""
      return revoke(lost: true)
    }
    let group = group
    let (memberID, generation, instanceID) = (memberID, generation, options.groupInstanceID)
    process.request(.groupCoordinator) { answer in
      answer(group.heartbeat(memberID: memberID, instanceID: instanceID, generation: generation))
    } _: { [weak self] (reply: Reply<GroupRefusal?>) in
      guard let self, attempt == self.attempt, joinState != .ended else { return }
      guard case .answer(let refusal) = reply else { return }
      switch refusal {
      case nil: lastHeartbeat = world.now
      case .rebalanceInProgress:
        lastHeartbeat = world.now
        revoke(lost: false)
      case .fencedInstanceID: fail(fencedError)
      case .unknownMember:
        self.memberID = ""
        revoke(lost: true)
      default:
        self.generation = -1
        revoke(lost: true)
      }
    }
  }

  // MARK: max.poll.interval.ms

  /// Looks after the application: without polls the member leaves, and says so at the next one.
  func watchPolls() {
    let end = lastPoll + world.latencies.maxPollInterval
    process.later(max(1, end + 1 - world.now)) { [weak self] in
      guard let self, joinState != .ended else { return }
      if world.now - lastPoll > world.latencies.maxPollInterval {
        if generation >= 0, !isPollOverdue { pollIntervalExceeded() }
        lastPoll = world.now
      }
      watchPolls()
    }
  }

  private func pollIntervalExceeded() {
    world.note("\(process.name): max.poll.interval.ms is over")
    fetcher.add(
      KafkaError(
        .pollIntervalExceeded,
        message: "the application did not poll for more than \(world.latencies.maxPollInterval) ms"))
    isPollOverdue = true
    let group = group
    let id = memberID
    // A static member does not leave (KIP-345): its session has to end.
    if options.groupInstanceID == nil {
      process.request(.groupCoordinator) { answer in
        answer(group.leave(memberID: id))
      } _: { (_: Reply<Void>) in
      }
    }
    memberID = ""
    revoke(lost: true)
  }
}
