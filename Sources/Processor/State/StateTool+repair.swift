import Contract
import Kafka
import Pipeline

/// What a repair wrote.
public struct StateRepairOutcome: Sendable, Equatable {
  /// The number of the last state record.
  public let sequence: UInt64
  /// The offset of the last state record.
  public let offset: Int64
  /// The instant that clocks were set to, in milliseconds since the epoch; nil where none was.
  public let clock: Int64?
  /// Windows that are due earlier now.
  public let rescheduled: Int
}

extension StateTool {
  /// What a repair would do. Writes nothing and joins nothing.
  ///
  /// - Throws: `StateToolFault.groupIsAlive` while the group has members, since the offsets move then; else as
  ///   ``repair(_:progress:approve:)``.
  public func plan(
    _ repair: StateRepair, progress: (StateReadProgress) -> Void = { _ in }
  ) throws -> StateRepairPlan {
    try checkTopics()
    try refuseLivingGroup()
    let (state, inputs) = try look(isMoving: false, progress: progress)
    return try StateRepairPlan.make(repair, state, inputs, self)
  }

  /// Does a repair.
  ///
  /// Joins the group as its only member (`SoleMembership`), reads the state, and writes one transaction (with
  /// `setClock` to the broker's time two: the first asks the broker for it). A crash in between leaves the state as
  /// it was, or repaired; a `reset` may also leave the old records before the new one, which a processor refuses, and
  /// another `reset` clears away.
  ///
  /// - Parameters:
  ///   - progress: called after each batch of the log.
  ///   - approve: is shown what is about to be written; nothing is written where it returns false.
  /// - Returns: what was written; nil where there was nothing to write, or it was not approved.
  /// - Throws: `StateToolFault`, `ProcessorFault`, `KafkaError`. Nothing was changed then, unless it is
  ///   `StateToolFault.unknownOutcome`, or `KafkaError` from the deletion that ends a `reset`.
  public func repair(
    _ repair: StateRepair, progress: (StateReadProgress) -> Void = { _ in },
    approve: (StateRepairPlan) -> Bool = { _ in true }
  ) throws -> StateRepairOutcome? {
    try checkTopics()
    try refuseLivingGroup()
    let membership = try SoleMembership(cluster, configuration)
    defer { membership.close() }
    try membership.join()
    let writer = try StateWriter(cluster, configuration, partition, membership, patience: patience)
    defer { writer.close() }
    // Before anything is read: what another tool left open is settled, and it can write no more.
    try writer.register()
    let (state, inputs) = try look(isMoving: false, progress: progress, between: membership.keep)
    let plan = try StateRepairPlan.make(repair, state, inputs, self)
    guard approve(plan), !plan.isNeedless else { return nil }
    let outcome = try write(plan, state, by: writer)
    if let offset = plan.deletesBefore {
      _ = try Patience.retry(patience) { () throws(KafkaError) in
        try cluster.admin.deleteRecords(
          before: [PartitionOffset(place, offset: offset)], timeout: .seconds(30))
      }
    }
    return outcome
  }

  private func refuseLivingGroup() throws {
    guard let members = try members(), !members.isEmpty else { return }
    throw StateToolFault.groupIsAlive(group: configuration.groupID, members: members)
  }

  private func write(
    _ plan: StateRepairPlan, _ state: RestoredState, by writer: StateWriter
  ) throws -> StateRepairOutcome {
    var offsets: [PartitionOffset] = []
    var positions = InputPositions()
    for (input, target) in zip(plan.inputs, plan.targets) {
      positions[input.topic] = target
      offsets.append(PartitionOffset(input.place, offset: target))
    }
    switch plan.repair {
    case .adoptGroup, .adoptState:
      state.pipeline.adopt(positions)
      let report = try writer.commit(offsets) { writer throws in try writer.append(&state.pipeline) }
      return StateRepairOutcome(
        sequence: state.pipeline.sequence, offset: report.offset, clock: nil, rescheduled: 0)
    case .setClock(let instant, let includesInput):
      return try setClock(to: instant, includesInput: includesInput, state, offsets, by: writer)
    case .reset:
      let epoch = max(1, UInt64.random(in: .min ... .max))
      state.forget(
        configuration.pipeline(partition: partition), positions, epoch: epoch, decisions: plan.decisions ?? 0)
      let report = try writer.commit(offsets) { writer throws in try writer.append(&state.pipeline) }
      return StateRepairOutcome(
        sequence: state.pipeline.sequence, offset: report.offset, clock: nil, rescheduled: 0)
    }
  }

  private func setClock(
    to wanted: Int64?, includesInput: Bool, _ state: RestoredState, _ offsets: [PartitionOffset],
    by writer: StateWriter
  ) throws -> StateRepairOutcome {
    let instant: Int64
    if let wanted {
      instant = wanted
    } else {
      // A record that changes nothing: its append time is the broker's clock.
      let report = try writer.commit(offsets) { writer throws in try writer.append(&state.pipeline) }
      guard let appended = report.appendedMilliseconds else {
        throw StateToolFault.noAppendTime(topic: configuration.stateTopic)
      }
      instant = appended
    }
    var rescheduled = 0
    let goesBack = instant < state.pipeline.timerClock
    let report = try writer.commit(offsets) { writer throws in
      state.pipeline.setTimerClock(instant)
      if includesInput { state.pipeline.setInputClock(instant) }
      var prefix: UInt32 = 0
      while prefix < 65_536 {
        rescheduled += state.pipeline.rescheduleWindows(
          openedAfter: instant, from: &prefix, byteLimit: StateWriter.changesLimit)
        try writer.append(&state.pipeline)
      }
      // What was counted by a clock that was right, or behind, ends in time.
      prefix = goesBack ? 0 : 65_536
      while prefix < 65_536 {
        _ = state.pipeline.endFacts(
          endingAfter: instant, from: &prefix, byteLimit: StateWriter.changesLimit)
        try writer.append(&state.pipeline)
      }
    }
    return StateRepairOutcome(
      sequence: state.pipeline.sequence, offset: report.offset, clock: instant, rescheduled: rescheduled)
  }
}
