import Contract
import Policy

extension Pipeline {
  /// The digest in which a notification waits that would be delivered at once, because as many were delivered in this
  /// period as may be; nil where it is to be delivered, which counts then.
  ///
  /// What is critical is neither held back nor counted. Where a count cannot be remembered, nothing is held back.
  mutating func overflow(_ arrival: Arrival, _ rule: ChannelRule) -> DigestRule? {
    guard let throttle = rule.throttle, isLimited(arrival) else { return nil }
    let key = throttleKey(arrival, rule.channel)
    if isSpent(throttle, key, at: arrival.now) { return throttle.overflow }
    spend(throttle, .throttle, key, at: arrival.now)
    return nil
  }

  private func isLimited(_ arrival: Arrival) -> Bool {
    arrival.priority != .critical || configuration.flaws.contains(.throttleHoldsCritical)
  }

  private func isSpent(_ limit: DeliveryLimit, _ key: Hash128, at now: Int64) -> Bool {
    if configuration.flaws.contains(.throttleIgnored) { return false }
    return spent(key, at: now).map { $0.value.number >= UInt64(limit.count) } ?? false
  }

  private mutating func spend(_ limit: DeliveryLimit, _ kind: FactKind, _ key: Hash128, at now: Int64) {
    let known = spent(key, at: now)
    var until = known?.until ?? now + limit.periodMilliseconds
    if configuration.flaws.contains(.throttlePeriodRenewed) { until = now + limit.periodMilliseconds }
    remember(Fact(kind, key: key, until: until, value: FactValue((known?.value.number ?? 0) + 1)))
  }

  private func spent(_ key: Hash128, at now: Int64) -> Fact? {
    fact(key, at: FactClocks(input: ledger.inputClock, timer: now))
  }

  private mutating func throttleKey(_ arrival: Arrival, _ channel: Channel) -> Hash128 {
    scratch.removeAll()
    scratch.append(byte: FactKind.throttle.rawValue)
    scratch.append(byte: channel.rawValue)
    for field in [arrival.event.tenant, arrival.recipient, arrival.category] {
      scratch.append(lengthPrefixed: field)
    }
    return Hash128(of: scratch.view)
  }
}
