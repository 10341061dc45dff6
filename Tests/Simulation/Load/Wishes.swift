/// What the checkers know of precedence, held against docs/recipients.md and not against the policy's code.
struct WishQuestion {
  var channel: String
  var category: String
  var event: EventFact
  var type: CatalogSpec.TypeSpec
  var rule: CatalogSpec.ChannelSpec
  /// The defaults of the event's tenant.
  var tenant: RecipientFact?
  /// How many the catalog lets through to a recipient on the channel.
  var budget: CatalogSpec.LimitSpec?
  /// What the catalog says of what is late on the channel.
  var catchUp: CatchUpSpec?
  /// When it is decided, in milliseconds since the epoch.
  var time: Int64
  /// What has passed since the event was appended first, in milliseconds.
  var age: Int64

  /// Whether it is too late to be delivered at once.
  var isLate: Bool { catchUp.map { age > $0.after && !event.isCritical } ?? false }

  /// Why the channel gets nothing, if these are the circumstances.
  func refusal(_ known: Circumstances) -> String? {
    let record = known.record?.fact
    if !rule.isMandatory {
      if event.actor == event.recipients[0], !type.tellsActor { return "ownAction" }
      if setting(record) == "off" { return "optedOut" }
      if known.engagement.isUnsubscribed(category, channel) { return "unsubscribed" }
      if known.engagement.hasComplained(channel) { return "complained" }
      if let subject = event.subject, let until = record?.mutes[subject], time < until { return "muted" }
    }
    if channel == "email", record?.email == nil { return "noAddress" }
    if known.engagement.hasBounced(record?.email, channel) { return "bounced" }
    return rule.skipsSeen && known.isSeen ? "seen" : nil
  }

  /// When to send what is due at an instant, if the recipient's record is this one.
  func unquiet(_ due: Int64, _ record: RecipientFact?) -> Int64 {
    guard !event.isCritical, let quietHours = record?.quietHours ?? tenant?.quietHours else { return due }
    return MinuteTimes.end(of: quietHours, at: due, in: zone(record))
  }

  /// When a window is due that it opens, by one of the rules that count.
  func due(_ rule: CatalogSpec.Rule, _ record: RecipientFact?) -> Int64 {
    unquiet(rule.due(openedAt: time, in: zone(record)), record)
  }

  /// The rule that counts, if the recipient's record is this one.
  func effective(_ record: RecipientFact?) -> CatalogSpec.Rule {
    let rule = chosen(record)
    if let catchUp, isLate, rule == .immediate { return catchUp.rule }
    return rule == .immediate && unquiet(time, record) > time ? .quiet(category: category) : rule
  }

  /// The recipient's, or where they have none their tenant's.
  private func setting(_ record: RecipientFact?) -> String? {
    record?.setting(category, channel) ?? tenant?.setting(category, channel)
  }

  /// The first that is a zone; nil for the deployment's.
  private func zone(_ record: RecipientFact?) -> String? {
    [record?.timeZone, tenant?.timeZone].compactMap(\.self).first(where: MinuteTimes.knownZones.contains)
  }

  /// The same for a notification whose decision names a policy: what is beyond a limit goes to its overflow.
  func effective(_ record: RecipientFact?, by policy: String?) -> CatalogSpec.Rule {
    let rule = effective(record)
    guard rule == .immediate, !event.isCritical else { return rule }
    switch policy {
    case "throttle": return self.rule.throttle?.overflow("throttle") ?? rule
    case "budget": return budget?.overflow("budget") ?? rule
    default: return rule
    }
  }

  /// The options of the windows of a rule.
  func options(under rule: CatalogSpec.Rule) -> WindowOptionsSpec {
    if case .overflow("catchUp", _, _, _) = rule { return catchUp?.options ?? WindowOptionsSpec() }
    if case .overflow("budget", _, _, _) = rule { return budget?.options ?? WindowOptionsSpec() }
    return self.rule.options(under: rule)
  }

  private func chosen(_ record: RecipientFact?) -> CatalogSpec.Rule {
    let cadences = ["instant", "hourly", "daily", "weekly"]
    guard !event.isCritical, let setting = setting(record),
      let wanted = cadences.firstIndex(of: setting)
    else { return rule.rule }
    let allowed = rule.choices ?? (rule.isMandatory ? [] : cadences)
    let rarer = cadences[wanted...].first(where: allowed.contains)
    guard let choice = rarer ?? cadences.last(where: allowed.contains) else { return rule.rule }
    if choice == "instant" { return .immediate }
    let isImmediate = rule.rule == .immediate
    return .cadence(
      choice, items: isImmediate ? 10 : rule.rule.items, group: "\(choice):\(rule.rule.group ?? category)")
  }
}

extension RecipientFact {
  /// An opt-out, else what names category and channel, else the category, else the channel, else all.
  func setting(_ category: String, _ channel: String) -> String? {
    if optsOut(of: category, channel) { return "off" }
    return preferences[category]?[channel] ?? preferences[category]?["*"] ?? preferences["*"]?[channel]
      ?? preferences["*"]?["*"]
  }
}
