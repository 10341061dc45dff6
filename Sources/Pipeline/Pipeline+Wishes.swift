import Contract
import Policy

extension Pipeline {
  /// What the catalog and the recipient want done with an arrival on a channel.
  func resolve(_ arrival: Arrival, _ rule: ChannelRule, _ profile: RecipientAddressing) -> Resolution {
    let event = arrival.event
    let candidate = Candidate(
      rule: rule, category: arrival.category, subject: event.subject,
      isCritical: arrival.priority == .critical,
      isOwnAction: arrival.rules.ownAction == .skip && event.actor == arrival.recipient,
      instant: arrival.now)
    return profile.withView { recipient in
      let resolution = candidate.resolved(recipient, tenant: nil)
      if configuration.flaws.contains(.optOutIgnoredByDigests), rule.policy != .immediate,
        resolution.action == .suppress(.optedOut),
        !rule.channel.needsAddress || recipient?.address(for: rule.channel) != nil
      {
        return Resolution(action: .deliver(rule.policy))
      }
      return resolution
    }
  }
}
