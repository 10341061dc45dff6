import Kafka
import Pipeline

extension StateRepairPlan {
  /// Decides what a repair writes.
  ///
  /// - Throws: `ProcessorFault` where the state cannot be used or stands otherwise than the repair needs;
  ///   `StateToolFault` where there is nothing to repair with.
  static func make(
    _ repair: StateRepair, _ state: RestoredState, _ inputs: [InputAgreement], _ tool: StateTool
  ) throws -> StateRepairPlan {
    if case .reset(let start) = repair { return try reset(start, state, inputs, tool) }
    if let (fault, offset) = state.fault {
      throw ProcessorFault.state(
        fault, topic: tool.place.topic, partition: tool.partition, offset: offset)
    }
    guard state.exists, let header = state.lastHeader else { throw StateToolFault.noState(tool.place) }
    if case .setClock(let instant, let includesInput) = repair {
      return try setClock(to: instant, includesInput: includesInput, header, state, inputs, tool)
    }
    if repair == .adoptGroup, hasNothingToAdopt(inputs) {
      throw StateToolFault.noGroupOffsets(group: tool.configuration.groupID, partition: tool.partition)
    }
    var targets: [Int64] = []
    var costs: [String] = []
    for input in inputs {
      let state = input.state ?? input.low
      let wanted = repair == .adoptGroup ? input.group ?? state : state
      let target = input.reachable(wanted)
      targets.append(target)
      costs += input.costs(ofUnreachable: wanted)
      costs +=
        repair == .adoptGroup ? input.costsOfAdoptingGroup(target, tool) : input.costsOfAdoptingState(target)
    }
    return StateRepairPlan(
      repair: repair, partition: tool.partition, sequence: header.sequence + 1, inputs: inputs,
      targets: targets, timerClock: nil, inputClock: nil, deletesBefore: nil, decisions: nil, costs: costs)
  }

  /// Whether the group says nothing, and the state can go on where it stands. Where it cannot, the group's offsets have
  /// expired as its input has, and the topic's beginning is what is left to both.
  static func hasNothingToAdopt(_ inputs: [InputAgreement]) -> Bool {
    inputs.allSatisfy { $0.group == nil && $0.isSound }
  }

  // MARK: - Clock

  private static func setClock(
    to instant: Int64?, includesInput: Bool, _ header: StateHeader, _ state: RestoredState,
    _ inputs: [InputAgreement], _ tool: StateTool
  ) throws -> StateRepairPlan {
    if let problem = inputs.lazy.compactMap(ProcessorFault.init).first { throw problem }
    let now = tool.instants.wallMilliseconds
    if let instant, instant > now + StateTool.clockTolerance {
      throw StateToolFault.futureClock(milliseconds: instant)
    }
    let aim = instant ?? now
    var costs: [String] = []
    if aim < header.timerClock {
      let (count, last) = state.windows { $0.opened > aim }
      if count > 0 {
        costs.append(
          "windows were opened later than that: \(count), the last one due \(InstantText(last)). Each waits from the new "
            + "time on, as long as it was to wait; one that slides closes at once")
      }
      let counts = state.limitCounts(endingAfter: aim)
      if counts > 0 {
        costs.append("counts of throttles and budgets that begin anew: \(counts)")
      }
    } else {
      let (count, _) = state.windows { $0.due <= aim }
      if count > 0 {
        costs.append("windows are due by then: \(count). They close as soon as the partition decides")
      }
    }
    if includesInput {
      let horizon = tool.configuration.dedupHorizon.milliseconds / 3_600_000
      costs.append(
        aim < header.inputClock
          ? "ids that were first seen later than that are remembered until \(horizon) h after "
            + "\(InstantText(header.inputClock))"
          : "ids that were first seen more than \(horizon) h earlier are forgotten: their events, if they come "
            + "again, are delivered again")
    }
    return StateRepairPlan(
      repair: .setClock(to: instant, includesInput: includesInput), partition: tool.partition,
      sequence: header.sequence + 1, inputs: inputs,
      targets: inputs.map { $0.state ?? $0.low },
      timerClock: ClockChange(from: header.timerClock, to: instant),
      inputClock: includesInput ? ClockChange(from: header.inputClock, to: instant) : nil, deletesBefore: nil,
      decisions: nil,
      costs: costs)
  }

  // MARK: - Reset

  private static func reset(
    _ start: StateRepair.Start, _ state: RestoredState, _ inputs: [InputAgreement], _ tool: StateTool
  ) throws -> StateRepairPlan {
    // A log that was put back from a copy knows less than the topic; a topic that was emptied less than the log.
    let decisions = [state.lastHeader?.decisions, try tool.lastDecision()].compactMap { $0 }.max()
    var costs = state.costsOfForgetting(decisions: decisions)
    // A topic that was never read, beside others that were, begins at its beginning.
    let isAnyKnown = inputs.contains { $0.group != nil || $0.state != nil }
    var targets: [Int64] = []
    for input in inputs {
      switch start {
      case .group:
        guard let wanted = input.group ?? input.state ?? (isAnyKnown ? input.low : nil) else {
          throw StateToolFault.noPosition(tool.place)
        }
        targets.append(input.reachable(wanted))
        costs += input.costs(ofUnreachable: wanted)
      case .beginning: targets.append(input.low)
      case .end: targets.append(input.high)
      }
    }
    let reading = zip(inputs, targets).flatMap { $0.costsOfReading(from: $1) }
    costs += reading.isEmpty ? ["no input is skipped or read again"] : reading
    return StateRepairPlan(
      repair: .reset(start), partition: tool.partition, sequence: 1, inputs: inputs, targets: targets,
      timerClock: nil, inputClock: nil,
      deletesBefore: state.range.latest > state.range.earliest ? state.range.latest : nil,
      decisions: decisions, costs: costs)
  }
}
