import Contract

/// What the recipients of a home were delivered at once, of all categories together, as docs/catalog.md describes it.
struct BudgetModel {
  /// By channel and recipient: how many, and until when they count.
  private var spent: [String: (count: Int, until: Int64)] = [:]

  /// Takes an outcome: what is delivered at once is within the budget and counts for it, and what is held back by the
  /// budget is beyond it. What is critical is neither.
  ///
  /// - Returns: whether nothing more may be delivered at once.
  mutating func take(
    _ outcome: DecisionRecord.Outcome, _ question: WishQuestion, _ arrival: DecisionRecord.Arrival,
    _ decision: DecisionRecord, _ place: String
  ) throws(Violation) -> Bool {
    let isHeldBack = arrival.policies[question.channel] == "budget"
    guard let limit = question.budget, !question.event.isCritical else {
      try require(!isHeldBack, .onceOnly, "\(place): \(arrival.event) is held back by no budget")
      return false
    }
    let key = "\(question.channel) \(decision.recipientKey)"
    var known = spent[key] ?? (0, Int64.min)
    if known.until <= decision.time { known = (0, decision.time + limit.period) }
    let state = "\(place): \(key) has had \(known.count) of \(limit.count) at once"
    if case .delivered = outcome {
      try require(known.count < limit.count, .onceOnly, "\(state), and \(arrival.event) besides")
      known.count += 1
      spent[key] = known
      return false
    }
    let isSpent = known.count >= limit.count
    try require(isSpent || !isHeldBack, .onceOnly, "\(state), and \(arrival.event) is held back")
    return isSpent
  }
}
