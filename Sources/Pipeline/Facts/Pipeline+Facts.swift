import Contract

extension Pipeline {
  /// The clocks by which facts may be forgotten: those of the last confirmed commit.
  var confirmedClocks: FactClocks {
    FactClocks(input: confirmedLedger.inputClock, timer: confirmedLedger.timerClock)
  }

  /// The fact of a key, if it holds at these instants.
  mutating func fact(_ key: Hash128, at clocks: FactClocks) -> Fact? {
    guard let fact = facts.find(key), fact.holds(at: clocks) else { return nil }
    return fact
  }

  /// Remembers a fact in place of the one of its key.
  ///
  /// At the bound, what has expired is dropped first, once in some seconds. If that does not help, the fact is not
  /// remembered and counted in `Counters.factsRefused`. What holds for good has as much room as all that expires, and
  /// neither takes the other's.
  ///
  /// - Returns: whether it is remembered.
  @discardableResult
  mutating func remember(_ fact: Fact) -> Bool {
    let before = facts.find(fact.key)
    if before == fact { return true }
    if before == nil {
      if isFull(for: fact) { facts.sweepAll(confirmedClocks) }
      guard !isFull(for: fact) else {
        ledger.counters.factsRefused += 1
        return false
      }
    }
    facts.set(fact)
    if let before { undo.append(.factReplaced(before)) } else { undo.append(.factAdded(fact.key)) }
    Change.factSet(fact).append(to: &changes)
    return true
  }

  private func isFull(for fact: Fact) -> Bool {
    let others = fact.isEndless ? facts.endlessCount : facts.count - facts.endlessCount
    return others >= configuration.factLimit
  }
}

// MARK: - What tools look at

/// A fact as a tool sees it.
public struct RememberedFact: Sendable, Equatable {
  /// A hash of its kind and subject.
  public let key: Hash128
  /// The name of its kind; its number for one that this version does not know.
  public let kind: String
  /// When it ends, in milliseconds since the epoch; nil if never.
  public let until: Int64?
  /// The first 8 bytes of its value as a number; nil where it has none.
  public let number: UInt64?
  /// Whether it counts what was delivered in a period, for a throttle or a budget.
  public let isLimitCount: Bool

  init(_ fact: Fact) {
    key = fact.key
    kind = FactKind(rawValue: fact.kind)?.name ?? "\(fact.kind)"
    until = fact.isEndless ? nil : fact.until
    isLimitCount = [FactKind.throttle.rawValue, FactKind.budget.rawValue].contains(fact.kind)
    number = fact.value.count >= 8 ? fact.value.number : nil
  }
}

extension Pipeline {
  /// Facts in memory.
  public var factCount: Int { facts.count }

  /// The facts that hold, in the order of their keys.
  public func forEachFact<Failure: Error>(
    _ body: (RememberedFact) throws(Failure) -> Void
  ) throws(Failure) {
    // In parts: the list of all at once would be as long as the state.
    for start in stride(from: UInt32(0), to: 65_536, by: 1024) {
      for fact in facts.entries(prefixes: start..<start + 1024, confirmedClocks) {
        try body(RememberedFact(fact))
      }
    }
  }
}
