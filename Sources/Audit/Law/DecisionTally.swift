import Contract
import Kafka
import Pipeline

/// Counts the decisions of one partition, in their order, and hands on what they name.
struct DecisionTally {
  private let partition: Int32
  private let topics: AuditTopics
  private let cut: StateCut
  private let decoder: DecisionDecoder
  /// The number of the next decision.
  private var expected: UInt64
  /// What the decisions within the cut add up to.
  private(set) var counters = Counters()
  /// Outcomes that this version does not know.
  private(set) var unknown = 0
  /// When the first decision that is kept was made, in milliseconds since the epoch.
  private(set) var since: Int64?
  /// By topic and offset of their events: how many followers the fan-outs that ended have served.
  private(set) var fanOuts: [InputTopic: [Int64: Int64]] = [:]
  var windows: WindowLedger

  init(_ partition: Int32, _ topics: AuditTopics, _ cut: StateCut, firstKept: UInt64) throws(JSONError) {
    self.partition = partition
    self.topics = topics
    self.cut = cut
    expected = firstKept == .max ? cut.end.decisions + 1 : firstKept
    decoder = try DecisionDecoder()
    windows = WindowLedger(partition, topic: topics.decisions, mayHaveEarlier: firstKept > 1)
  }

  mutating func take(
    _ record: ConsumedRecord, _ inputs: inout [InputTopic: InputLedger], _ deliveries: inout DeliveryLedger,
    into findings: inout Findings
  ) throws {
    let isWhole = try decoder.decode(record.value) { decision in
      if since == nil { since = decision.time }
      checkNumber(decision, at: record.offset, into: &findings)
      let isWithin = cut.decisions?.contains(decision.number) ?? false
      let isBehind = decision.number > cut.end.decisions
      // A decision and the position behind its record are of one commit. One from before the cut that names a record
      // of the cut is of an earlier reading, before a repair set the position back.
      switch decision.subject {
      case .arrival(let arrival):
        take(arrival, decision, isWithin: isWithin, isBehind: isBehind, &deliveries, into: &findings)
        guard !isBehind,
          let input = input(
            named: arrival.topic, arrival.offset, of: decision, isWithin: isWithin, at: record.offset, inputs,
            into: &findings), isWithin
        else { break }
        inputs[input]?.note(.decided, at: arrival.offset)
      case .fanOut(let fanOut):
        if isWithin, fanOut.served == nil { counters.decided += 1 }
        guard !isBehind,
          let input = input(
            named: fanOut.topic, fanOut.offset, of: decision, isWithin: isWithin, at: record.offset, inputs,
            into: &findings), isWithin
        else { break }
        if let served = fanOut.served {
          fanOuts[input, default: [:]][fanOut.offset] = served
        } else {
          inputs[input]?.note(.decided, at: fanOut.offset)
        }
      case .closure(let closure):
        take(closure, decision, isWithin: isWithin, isBehind: isBehind, &deliveries, into: &findings)
      case .withdrawal(let withdrawal):
        take(withdrawal, decision, isWithin: isWithin, isBehind: isBehind, into: &findings)
      case .other: unknown += 1
      }
    }
    guard !isWhole else { return }
    findings.add(
      .unreadable, topics.decisions, partition, record.offset, "the record is no array of decisions")
  }

  /// The input that a decision names, after a look at whether the state has come to that record.
  private func input(
    named name: ByteView, _ offset: Int64, of decision: Decision, isWithin: Bool, at place: Int64,
    _ inputs: [InputTopic: InputLedger], into findings: inout Findings
  ) -> InputTopic? {
    let id = "decision \(partition)-\(decision.number)"
    guard let input = topics.input(named: name) else {
      findings.add(
        .foreignOutcome, topics.decisions, partition, place, id: id, "it names the topic \(name.string)")
      return nil
    }
    if isWithin, offset >= inputs[input]?.offsets.upperBound ?? 0 {
      findings.add(
        .foreignOutcome, topics.name(of: input), partition, offset, id: id,
        "it names this offset, which the state has not come to")
    }
    return input
  }

  /// Decisions of the cut that were not there at its end.
  func checkEnd(into findings: inout Findings) {
    let next = max(expected, cut.firstDecision)
    guard next <= cut.end.decisions else { return }
    findings.add(
      .lostDecision, topics.decisions, partition, id: "decision \(partition)-\(next)",
      "decisions \(next) to \(cut.end.decisions) are missing at the end")
  }

  private mutating func checkNumber(_ decision: Decision, at offset: Int64, into findings: inout Findings) {
    defer { expected = max(expected, decision.number + 1) }
    guard decision.number != expected else { return }
    let id = "decision \(partition)-\(decision.number)"
    if decision.number < expected {
      findings.add(.doubledDecision, topics.decisions, partition, offset, id: id, "it was there before")
    } else {
      findings.add(
        .lostDecision, topics.decisions, partition, offset, id: "decision \(partition)-\(expected)",
        "decisions \(expected) to \(decision.number - 1) are missing before this offset")
    }
  }

  private mutating func take(
    _ arrival: Decision.Arrival, _ decision: Decision, isWithin: Bool, isBehind: Bool,
    _ deliveries: inout DeliveryLedger, into findings: inout Findings
  ) {
    if isWithin { counters.decided += 1 }
    if isWithin { for channel in arrival.caughtUp { counters[channel].caughtUp += 1 } }
    for (channel, outcome) in arrival.channels {
      if isWithin { counters[channel].accepted += 1 }
      switch outcome {
      case .open(let window, _):
        if isWithin { counters[channel].open += 1 }
        if !isBehind { windows.open(arrival.notification, in: window, by: decision.number) }
      case .delivered(let delivery):
        if isWithin { counters[channel].delivered += 1 }
        deliveries.decided(
          delivery, on: channel, events: 1, by: decision.number, at: decision.time, isWithin: !isBehind)
      case .suppressed(let reason): if isWithin { countSuppressed(1, on: channel, reason) }
      case .expired: if isWithin { counters[channel].expired += 1 }
      case .retracted: if isWithin { counters[channel].retracted += 1 }
      case .collapsed: if isWithin { counters[channel].collapsed += 1 }
      case .other: unknown += 1
      }
    }
  }

  private mutating func countSuppressed(_ count: Int, on channel: Channel, _ reason: String?) {
    if let known = SuppressionReason.allCases.first(where: { $0.literal.description == reason }) {
      counters[channel].suppressed[known] += Int64(count)
    } else {
      unknown += count
    }
  }

  private mutating func take(
    _ withdrawal: Decision.Withdrawal, _ decision: Decision, isWithin: Bool, isBehind: Bool,
    into findings: inout Findings
  ) {
    if isWithin {
      counters[withdrawal.channel].open -= 1
      switch withdrawal.outcome {
      case .retracted: counters[withdrawal.channel].retracted += 1
      case .collapsed: counters[withdrawal.channel].collapsed += 1
      case .suppressed(let reason): countSuppressed(1, on: withdrawal.channel, reason)
      case .open, .delivered, .expired, .other: unknown += 1
      }
    }
    if !isBehind { windows.withdraw(withdrawal, by: decision.number, into: &findings) }
  }

  private mutating func take(
    _ closure: Decision.Closure, _ decision: Decision, isWithin: Bool, isBehind: Bool,
    _ deliveries: inout DeliveryLedger, into findings: inout Findings
  ) {
    if isWithin {
      counters[closure.channel].open -= Int64(
        closure.members.count + closure.expired.count + closure.suppressed.count)
      counters[closure.channel].delivered += Int64(closure.members.count)
      counters[closure.channel].expired += Int64(closure.expired.count)
      countSuppressed(closure.suppressed.count, on: closure.channel, closure.reason)
    }
    if !isBehind { windows.close(closure, by: decision.number, into: &findings) }
    if closure.isSingly {
      for member in closure.members {
        deliveries.decided(
          DeliveryID.single(member, channel: closure.channel), on: closure.channel, events: 1,
          by: decision.number, at: decision.time, isWithin: !isBehind)
      }
    }
    guard let delivery = closure.delivery else { return }
    deliveries.decided(
      delivery, on: closure.channel, events: closure.members.count, by: decision.number, at: decision.time,
      isWithin: !isBehind)
  }
}
