import Contract
import Policy

extension Pipeline {
  /// What a notification waits in that would be delivered at once, because as many were delivered in a period as may be.
  struct Overflow {
    /// The limit that holds it back, as the decision names it.
    var policy: DecisionGrounds.Policy
    var digest: DigestRule
  }

  /// The overflow that a notification waits in which would be delivered at once: that of its throttle, else that of the
  /// budget of all categories; nil where it is to be delivered, which counts for both then.
  ///
  /// What is critical is neither held back nor counted. Where a count cannot be remembered, nothing is held back.
  mutating func overflow(_ arrival: Arrival, _ rule: ChannelRule) -> Overflow? {
    var throttleKey: Hash128?
    let throttle = rule.throttle.map { catalog.limit($0) }
    if let throttle, isLimited(arrival) {
      let key = limitKey(.throttle, arrival, rule.channel)
      if isSpent(throttle, key, at: arrival.now), !configuration.flaws.contains(.throttleIgnored) {
        return Overflow(policy: .throttle, digest: throttle.overflow)
      }
      throttleKey = key
    }
    if let digest = budgetOverflow(arrival, on: rule.channel) {
      return Overflow(policy: .budget, digest: digest)
    }
    if let throttle, let throttleKey {
      spend(throttle, .throttle, throttleKey, at: arrival.now)
    }
    return nil
  }

  /// The overflow of the budget, where it is used up; nil where a notification may be delivered at once, which counts for
  /// it then.
  mutating func budgetOverflow(_ arrival: Arrival, on channel: Channel) -> DigestRule? {
    guard let budget = catalog.budgets[channel], isLimited(arrival) else { return nil }
    let key = limitKey(.budget, arrival, channel)
    if isSpent(budget, key, at: arrival.now), !configuration.flaws.contains(.budgetIgnored) {
      return budget.overflow
    }
    spend(budget, .budget, key, at: arrival.now)
    return nil
  }

  /// Whether what opens a window with a leading edge is delivered at once, outside quiet hours; it counts for the budget
  /// then.
  mutating func isDeliveredOnOpening(_ arrival: Arrival, on channel: Channel) -> Bool {
    if catchUp(arrival, on: channel) != nil { return false }
    return budgetOverflow(arrival, on: channel) == nil
      || configuration.flaws.contains(.budgetForgetsLeadingEdge)
  }

  private mutating func isLimited(_ arrival: Arrival) -> Bool {
    arrival.priority != .critical || configuration.flaws.contains(.throttleHoldsCritical)
  }

  private mutating func isSpent(_ limit: DeliveryLimit, _ key: Hash128, at now: Int64) -> Bool {
    spent(key, at: now).map { $0.value.number >= UInt64(limit.count) } ?? false
  }

  private mutating func spend(_ limit: DeliveryLimit, _ kind: FactKind, _ key: Hash128, at now: Int64) {
    let known = spent(key, at: now)
    var until = known?.until ?? now + limit.periodMilliseconds
    if configuration.flaws.contains(.throttlePeriodRenewed) { until = now + limit.periodMilliseconds }
    remember(Fact(kind, key: key, until: until, value: FactValue((known?.value.number ?? 0) + 1)))
  }

  private mutating func spent(_ key: Hash128, at now: Int64) -> Fact? {
    fact(key, at: FactClocks(input: ledger.inputClock, timer: now))
  }

  /// The key of a count: of a category with its throttle, of all categories together with the budget.
  private mutating func limitKey(_ kind: FactKind, _ arrival: Arrival, _ channel: Channel) -> Hash128 {
    scratch.removeAll()
    scratch.append(byte: kind.rawValue)
    scratch.append(byte: channel.rawValue)
    scratch.append(lengthPrefixed: arrival.event.tenant)
    scratch.append(lengthPrefixed: arrival.recipient)
    let isByCategory = kind == .throttle || configuration.flaws.contains(.budgetByCategory)
    if isByCategory { scratch.append(lengthPrefixed: arrival.category) }
    return Hash128(of: scratch.view)
  }
}
