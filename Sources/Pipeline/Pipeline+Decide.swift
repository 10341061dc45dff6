import Contract
import Policy

/// An arrival: one event for one recipient, in the recipient's home.
private struct Arrival {
  var event: EventView
  var recipient: ByteView
  var notification: Hash128
  var rules: TypeRules
  var category: ByteView
  var appended: Int64
  var now: Int64
}

extension Pipeline {
  /// Decides what becomes of an event for its one recipient, on every channel of its type.
  mutating func decide(_ event: EventView, _ record: PartitionRecord, now: Int64, using codecs: inout Codecs)
  {
    let recipient = event.recipient(at: 0)
    let rules = catalog.typeIndex(named: event.type).map { catalog.rules(at: $0) } ?? catalog.defaultRules
    let arrival = Arrival(
      event: event, recipient: recipient,
      notification: NotificationID.hash(
        tenant: event.tenant, source: event.source, id: event.id, recipient: recipient),
      rules: rules, category: event.category.isEmpty ? catalog.text(rules.category) : event.category,
      appended: record.appended, now: max(now, ledger.timerClock))
    var minute = max(ledger.inputClock, record.appended) / 60_000
    if configuration.flaws.contains(.dedupByWallClock) { minute = arrival.now / 60_000 }
    let isDuplicate = ids.contains(
      arrival.notification, at: configuration.flaws.contains(.dedupHorizonShort) ? minute + 1 : minute)
    if !isDuplicate { remember(arrival.notification, minute: minute) }
    scratch.removeAll()
    RecipientKey.append(tenant: event.tenant, recipient: recipient, to: &scratch)
    let entry = isDuplicate ? nil : recipients.find(Hash128(of: scratch.view))
    var outcomes = ChannelOutcomes()
    for channel in Channel.allCases {
      guard let rule = rules.channels[channel] else { continue }
      ledger.counters[channel].accepted += 1
      let outcome = isDuplicate ? .suppressed(.duplicate) : decide(arrival, on: channel, rule, entry, codecs)
      if !isDuplicate || !configuration.flaws.contains(.duplicatesNotCounted) { count(outcome, on: channel) }
      outcomes[channel] = outcome
    }
    ledger.counters.decided += 1
    ledger.decisions += 1
    decisions.append(
      arrival: ArrivalDecision(
        tenant: event.tenant, recipient: recipient, source: event.source, event: event.id, type: event.type,
        category: arrival.category, notification: arrival.notification, topic: codecs.name(of: record.topic),
        offset: record.offset, catalog: catalog.version, isDuplicate: isDuplicate, channels: outcomes),
      head: DecisionHead(
        partition: configuration.partition, number: ledger.decisions, timeMilliseconds: arrival.now))
  }

  private mutating func remember(_ notification: Hash128, minute: Int64) {
    let (entry, replaced) = ids.insert(notification, minute: minute, confirmedMinute: confirmedMinute)
    undo.append(.idInserted(entry, replaced: replaced))
    Change.idAdded(entry).append(to: &changes)
  }

  private mutating func count(_ outcome: ChannelOutcome, on channel: Channel) {
    switch outcome {
    case .open: ledger.counters[channel].open += 1
    case .delivered: ledger.counters[channel].delivered += 1
    case .suppressed(let reason): ledger.counters[channel].suppressed[reason] += 1
    case .expired: ledger.counters[channel].expired += 1
    case .retracted: ledger.counters[channel].retracted += 1
    case .collapsed: ledger.counters[channel].collapsed += 1
    }
  }

  private mutating func decide(
    _ arrival: Arrival, on channel: Channel, _ rule: ChannelRule, _ entry: RecipientTable.Entry?,
    _ codecs: borrowing Codecs
  ) -> ChannelOutcome {
    if let expiry = arrival.event.expiryMilliseconds, expiry <= arrival.now { return .expired }
    let profile = RecipientAddressing(entry)
    let refusal = profile.withView { view -> SuppressionReason? in
      if !rule.mandatory, view?.optsOut(of: arrival.category, channel) ?? false,
        !configuration.flaws.contains(.optOutIgnoredByDigests) || rule.policy == .immediate
      {
        return .optedOut
      }
      if channel.needsAddress, view?.address(for: channel) == nil { return .noAddress }
      return nil
    }
    if let refusal { return .suppressed(refusal) }
    switch rule.policy {
    case .immediate: return deliver(arrival, on: channel, profile)
    case .digest(let digest): return collect(arrival, on: channel, digest, profile, codecs)
    }
  }

  // MARK: - Immediate

  private mutating func deliver(
    _ arrival: Arrival, on channel: Channel, _ profile: RecipientAddressing
  ) -> ChannelOutcome {
    let event = arrival.event
    let id = DeliveryID.single(arrival.notification, channel: channel)
    var head = DeliveryHead(
      id: id, timeMilliseconds: arrival.now, tenant: event.tenant, recipient: arrival.recipient,
      channel: channel,
      kind: .single, category: arrival.category, type: event.type,
      priority: event.priority ?? arrival.rules.priority,
      title: catalog.text(arrival.rules.title), catalog: catalog.version, totalEvents: 1,
      totalActors: event.actor.isEmpty ? 0 : 1)
    if let link = arrival.rules.link { head.link = catalog.text(link) }
    if let digestTitle = arrival.rules.digestTitle { head.digestTitle = catalog.text(digestTitle) }
    head.recipientRecord = profile.offset
    head.traceparent = event.traceparent
    head.tracestate = event.tracestate
    memberScratch.removeAll()
    memberScratch.append(
      deliveryItem: event, acceptedAtMilliseconds: arrival.appended, maxDataBytes: configuration.deliveryLimit
    )
    if memberScratch.count > configuration.deliveryLimit - 16_384 {
      memberScratch.removeAll()
      memberScratch.append(deliveryItem: event, acceptedAtMilliseconds: arrival.appended, maxDataBytes: -1)
    }
    write(&head, items: memberScratch.view, on: channel, profile, eventAppended: arrival.appended)
    return .delivered(delivery: id)
  }

  /// Puts a delivery into the outbox, with what the recipient's record says.
  mutating func write(
    _ head: inout DeliveryHead, items: ByteView, on channel: Channel, _ profile: RecipientAddressing,
    eventAppended: Int64
  ) {
    let keyStart = outbox.bytes.count
    RecipientKey.append(tenant: head.tenant, recipient: head.recipient, to: &outbox.bytes)
    let key = keyStart..<outbox.bytes.count
    profile.withView { view in
      if configuration.flaws.contains(.recipientRecordNotNamed) { head.recipientRecord = nil }
      head.address = view?.address(for: channel) ?? .empty
      head.locale = view?.locale ?? .empty
      head.timeZone = view?.timeZone ?? .empty
      outbox.bytes.append(delivery: head, items: items)
    }
    let value = key.upperBound..<outbox.bytes.count
    let headerStart = outbox.headerCount
    outbox.addHeader(name: "content-type", value: ByteView("application/cloudevents+json"))
    outbox.add(
      .delivery(channel), partition: configuration.partition, key: key, value: value,
      headers: headerStart..<outbox.headerCount, eventAppended: eventAppended)
  }

  // MARK: - Digest

  private mutating func collect(
    _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, _ profile: RecipientAddressing,
    _ codecs: borrowing Codecs
  ) -> ChannelOutcome {
    let event = arrival.event
    let group = rule.group.map { catalog.text($0) } ?? arrival.category
    let key = WindowID.hash(
      tenant: event.tenant, recipient: arrival.recipient, channel: channel, digestKey: group,
      openedMilliseconds: -1)
    let slot =
      windows.find(key)
      ?? open(
        key, arrival, on: channel, rule, group: group,
        due: due(rule.window, openedAt: arrival.now, profile, codecs))
    let window = windows[slot]
    let limit = configuration.digestItemsLimit
    memberScratch.removeAll()
    if let head = window.head, Int(window.itemCount) < head.itemLimit, Int(window.itemBytes) < limit {
      let title = catalog.text(arrival.rules.title)
      let link = arrival.rules.link.map { catalog.text($0) } ?? .empty
      memberScratch.append(
        deliveryItem: event, acceptedAtMilliseconds: arrival.appended,
        maxDataBytes: configuration.itemDataLimit,
        templates: title == head.title && link == head.link ? nil : (title, link))
      if Int(window.itemBytes) + memberScratch.count > limit { memberScratch.removeAll() }
    }
    scratch.removeAll()
    let fragmentBytes = memberScratch.count
    WindowMember(
      notification: arrival.notification,
      actor: event.actor.isEmpty ? 0 : max(1, Hash128(of: event.actor).low),
      expiry: event.expiryMilliseconds ?? Int64.max, fragment: memberScratch.view
    ).append(to: &scratch)
    undo.append(.windowAppended(slot: slot, blockCount: window.block.count, fragmentBytes: fragmentBytes))
    windows.append(scratch.view, fragmentBytes: fragmentBytes, to: slot)
    Change.windowAppended(key: key, member: scratch.view).append(to: &changes)
    // At the bound the window closes early instead of growing on, but not at the instant at which it was opened: the
    // next one would have the same id.
    let earliest = max(arrival.now, window.opened + 1)
    if Int(window.memberCount) + 1 >= configuration.windowMemberLimit, window.due > earliest {
      undo.append(.windowRescheduled(slot: slot, due: window.due))
      windows.setDue(earliest, of: slot)
      Change.windowRescheduled(key: key, due: earliest).append(to: &changes)
    }
    return .open(window: window.id, untilMilliseconds: window.due)
  }

  /// When a window closes that opens at an instant, both in milliseconds. It is stored with the window: neither a
  /// restore nor another zone in a later record of the recipient moves it.
  private func due(
    _ window: WindowRule, openedAt opened: Int64, _ profile: RecipientAddressing, _ codecs: borrowing Codecs
  ) -> Int64 {
    switch window {
    case .length(let milliseconds): opened + milliseconds
    case .schedule(let id):
      catalog.schedule(id).next(after: opened, in: profile.withView { codecs.zone(of: $0) })
    }
  }

  private mutating func open(
    _ key: Hash128, _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, group: ByteView, due: Int64
  ) -> UInt32 {
    let event = arrival.event
    scratch.removeAll()
    WindowHead(
      tenant: event.tenant, recipient: arrival.recipient, channel: channel, group: group,
      category: arrival.category, type: event.type,
      title: catalog.text(arrival.rules.title),
      link: arrival.rules.link.map { catalog.text($0) } ?? .empty,
      digestTitle: arrival.rules.digestTitle.map { catalog.text($0) } ?? .empty,
      priority: event.priority ?? arrival.rules.priority, itemLimit: rule.itemLimit,
      catalogVersion: catalog.version
    ).append(to: &scratch)
    let opened = arrival.now
    let id = WindowID.hash(
      tenant: event.tenant, recipient: arrival.recipient, channel: channel, digestKey: group,
      openedMilliseconds: configuration.flaws.contains(.catalogInDigestID)
        ? opened ^ Int64(catalog.version & 0xFF) : opened)
    let slot = windows.open(key: key, id: id, opened: opened, due: due, head: scratch.view)
    undo.append(.windowOpened(slot: slot))
    Change.windowOpened(key: key, id: id, opened: opened, due: due, head: scratch.view).append(to: &changes)
    return slot
  }
}

extension Channel {
  /// Whether nothing can be delivered there without an address.
  var needsAddress: Bool { self == .email }
}

/// What a recipient's record says about reaching them, at the moment of a decision.
struct RecipientAddressing {
  private let profile: [UInt8]?
  /// The offset of the record; nil where there is none.
  let offset: Int64?

  init(_ entry: RecipientTable.Entry?) {
    profile = entry?.profile
    offset = entry?.offset
  }

  func withView<Result>(_ body: (RecipientProfileView?) -> Result) -> Result {
    guard let profile else { return body(nil) }
    return profile.withUnsafeBytes { body(RecipientProfileView(ByteView($0))) }
  }
}
