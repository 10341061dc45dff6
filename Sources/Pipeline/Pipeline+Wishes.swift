import Contract
import Policy

extension Pipeline {
  /// What the catalog and the recipient want done with an arrival on a channel.
  @inline(__always)
  mutating func resolve(_ arrival: Arrival, _ rule: ChannelRule, _ profile: RecipientAddressing) -> Resolution
  {
    let event = arrival.event
    let flaws = configuration.flaws
    let candidate = Candidate(
      rule: rule, category: arrival.category, subject: event.subject,
      isCritical: arrival.priority == .critical && !flaws.contains(.criticalWaits),
      isOwnAction: arrival.rules.ownAction == .skip && event.actor == arrival.recipient
        && !flaws.contains(.ownActionDelivered),
      engagement: engagement(of: arrival, on: rule),
      instant: flaws.contains(.mutesNeverEnd) ? 0 : arrival.now)
    let recipient = profile.layers.recipient
    let resolution = candidate.resolved(
      recipient, tenant: flaws.contains(.tenantDefaultsIgnored) ? nil : profile.layers.tenant)
    if flaws.contains(.optOutIgnoredByDigests), rule.policy != .immediate,
      resolution.action == .suppress(.optedOut),
      !rule.channel.needsAddress || recipient?.address(for: rule.channel) != nil
    {
      return Resolution(action: .deliver(rule.policy))
    }
    return resolution
  }

  /// Whose time zone is passed over by what decides when to deliver by a policy, because there is no such zone.
  @inline(__always)
  mutating func unknownZone(
    _ policy: ChannelPolicy, _ profile: RecipientAddressing, _ codecs: borrowing Codecs
  ) -> DecidingPreference.Level? {
    guard policy.goesByClock || profile.hasQuietHours else { return nil }
    return switch codecs.zone(of: profile.layers).unknown {
    case .recipient: .recipient
    case .tenant: .tenant
    // A process does not start with an unknown zone of its own.
    case .deployment, .utc, nil: nil
    }
  }

  /// When to send what is due at an instant, both in milliseconds: then, or when the quiet hours that it lies in are
  /// over. What is critical is not held back.
  @inline(__always)
  mutating func outsideQuietHours(
    _ due: Int64, _ arrival: Arrival, _ profile: RecipientAddressing, _ codecs: borrowing Codecs
  ) -> Int64 {
    let flaws = configuration.flaws
    guard arrival.priority != .critical || flaws.contains(.criticalWaits) else { return due }
    guard profile.hasQuietHours else { return due }
    return profile.layers.quietHours.end(
      at: due, in: flaws.contains(.quietHoursByUTC) ? .utc : codecs.zone(of: profile.layers).zone)
  }
}
