import Contract
import Pipeline

/// What a repair costs, in words: which records are skipped, read again or lost, and what is forgotten. The recipients'
/// topic costs nothing wherever it goes on: it is read whole before anything is decided.
extension InputAgreement {
  /// Where the topic does not hold the offset that was decided for.
  func costs(ofUnreachable wanted: Int64) -> [String] {
    if wanted < low {
      return [
        "\(place): \(Self.range(wanted, low)) are gone, retention has deleted them: what was not decided of them is "
          + "lost. Reading goes on at \(low)"
      ]
    }
    if wanted > high {
      return [
        "\(place) ends at offset \(high), before \(wanted): it was deleted and created again. It is read from its "
          + "beginning, \(low)"
      ]
    }
    return []
  }

  /// Where the state goes on at the group's offset.
  func costsOfAdoptingGroup(_ target: Int64, _ tool: StateTool) -> [String] {
    guard !topic.isTable, let state, state <= high else { return [] }
    if target > max(state, low) {
      return [
        "\(place): \(Self.range(max(state, low), target)) are skipped: what this state has not decided of them is "
          + "never delivered"
      ]
    }
    guard target < state else { return [] }
    let hours = tool.configuration.dedupHorizon.milliseconds / 3_600_000
    return [
      "\(place): \(Self.range(target, state)) are read again: repeats of what was decided within the dedup horizon "
        + "(\(hours) h) are found and suppressed, older ones are delivered again"
    ]
  }

  /// Where the group goes on at the state's offset.
  func costsOfAdoptingState(_ target: Int64) -> [String] {
    guard !topic.isTable, let group, group <= high else { return [] }
    if target > group {
      return ["\(place): \(Self.range(group, target)) are not read: this state has decided them"]
    }
    guard target < group else { return [] }
    return [
      "\(place): \(Self.range(target, group)) are read: this state has not decided them. If another state had (this "
        + "one was put back from an older copy), they are delivered again"
    ]
  }

  /// Where a state that knows nothing goes on at an offset. The old state, as far as it is known, had decided all
  /// before its own.
  func costsOfReading(from target: Int64) -> [String] {
    guard !topic.isTable, let known = state ?? group else { return [] }
    let (from, to) = (max(min(target, known), low), min(max(target, known), high))
    guard from < to else { return [] }
    return [
      target < known
        ? "\(place): \(Self.range(from, to)) are read again and delivered again, since no id is remembered"
        : "\(place): \(Self.range(from, to)) are skipped: nothing of them is delivered"
    ]
  }

  private static func range(_ from: Int64, _ to: Int64) -> String {
    "offsets \(from) to \(max(from, to - 1)) (\(max(0, to - from)))"
  }
}

extension RestoredState {
  /// The number of open windows of which a condition holds, and when the last of them is due.
  func windows(where holds: (OpenWindow) -> Bool) -> (count: Int, lastDue: Int64) {
    var count = 0
    var last = Int64.min
    pipeline.forEachOpenWindow { window in
      guard holds(window) else { return }
      count += 1
      last = max(last, window.due)
    }
    return (count, last)
  }

  /// The number of counts of throttles and budgets whose period ends after an instant.
  func limitCounts(endingAfter instant: Int64) -> Int {
    var count = 0
    pipeline.forEachFact { fact in
      if fact.isLimitCount, let until = fact.until, until > instant { count += 1 }
    }
    return count
  }

  /// What is lost with the state.
  ///
  /// - Parameter decisions: the number of the last decision, where it is known.
  func costsOfForgetting(decisions: UInt64?) -> [String] {
    var costs: [String] = []
    if let (fault, offset) = fault {
      costs.append(
        "the log can be read only up to offset \(offset) (\(fault)): more may be lost than is counted here")
    }
    if exists || fault != nil {
      var members = 0
      pipeline.forEachOpenWindow { members += $0.memberCount }
      costs.append(
        "ids are forgotten: \(pipeline.idCount). An event that was decided before and comes again is delivered again"
      )
      costs.append(
        "open windows are forgotten: \(pipeline.openWindowCount), with \(members) notifications that are never "
          + "delivered")
      var facts = ForgottenFacts()
      pipeline.forEachFact { facts.add($0) }
      costs += facts.costs
      if pipeline.fanOutCount > 0 {
        costs.append(
          "fan-outs to audiences are forgotten: \(pipeline.fanOutCount). Who was not served yet is never told"
        )
      }
      costs.append("the counters of the conservation law begin at 0")
    } else {
      costs.append(
        "the log holds no state: how many ids, open windows and facts about recipients were lost with it is not known. "
          + "What was decided before and comes again is delivered again, and mail goes again to who had unsubscribed"
      )
    }
    costs.append(
      decisions.map { "decisions are numbered on after \($0)" }
        ?? "decisions are numbered from 1: no earlier one is known")
    return costs
  }
}

/// What is lost with the facts about recipients, in words.
struct ForgottenFacts {
  /// How many hold for good, by the names of their kinds.
  private var endless: [String: Int] = [:]
  private var passing = 0

  /// Counts a fact.
  mutating func add(_ fact: RememberedFact) {
    if fact.until == nil {
      endless[fact.kind, default: 0] += 1
    } else {
      passing += 1
    }
  }

  /// A sentence for each sort of facts.
  var costs: [String] {
    var costs: [String] = []
    if !endless.isEmpty {
      let kinds = endless.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
      costs.append(
        "facts about recipients that hold for good are forgotten: \(endless.values.reduce(0, +)) "
          + "(\(kinds.joined(separator: ", "))). Mail goes to them again, unless their records say otherwise")
    }
    if passing > 0 {
      costs.append(
        "facts about recipients that end by themselves are forgotten: \(passing). Throttles and budgets count anew, and "
          + "what was seen or taken back may be delivered")
    }
    return costs
  }
}
