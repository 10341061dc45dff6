import Contract
import Policy

extension Pipeline {
  /// Puts a notification into the open window of its recipient, channel and digest key, or opens one.
  mutating func collect(
    _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, _ profile: RecipientAddressing,
    _ grounds: inout DecisionGrounds?, _ codecs: borrowing Codecs
  ) -> ChannelOutcome {
    let event = arrival.event
    // It stays there until the window is open.
    memberScratch.removeAll()
    if rule.window == .quietHours { memberScratch.append(DigestRule.quietGroup) }
    memberScratch.append(rule.group.map { catalog.text($0) } ?? arrival.category)
    let group = memberScratch.view
    let key = WindowID.hash(
      tenant: event.tenant, recipient: arrival.recipient, channel: channel, digestKey: group,
      openedMilliseconds: -1)
    let slot: UInt32
    if let found = windows.find(key) {
      slot = found
      if rule.window == .quietHours { grounds?.isQuiet = true }
    } else {
      let plain = due(rule.window, openedAt: arrival.now, profile, codecs)
      let due = outsideQuietHours(plain, arrival, profile, codecs)
      if due != plain { grounds?.isQuiet = true }
      slot = open(key, arrival, on: channel, rule, group: group, due: due)
    }
    if collapse(arrival, in: slot) { return .collapsed }
    if arrival.priority == .critical {
      let due = due(rule.window, openedAt: arrival.now, profile, codecs)
      if due < windows[slot].due { reschedule(slot, due: due) }
    }
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
      expiry: event.expiryMilliseconds ?? Int64.max, collapseKey: Self.collapseKey(of: event),
      time: event.timeMilliseconds ?? Int64.min, fragment: memberScratch.view
    ).append(to: &scratch)
    undo.append(.windowAppended(slot: slot, blockCount: window.block.count, fragmentBytes: fragmentBytes))
    windows.append(scratch.view, fragmentBytes: fragmentBytes, to: slot)
    Change.windowAppended(key: key, member: scratch.view).append(to: &changes)
    // At the bound the window closes early instead of growing on, but not at the instant at which it was opened: the
    // next one would have the same id.
    let earliest = max(arrival.now, window.opened + 1)
    if Int(window.memberCount) + 1 >= configuration.windowMemberLimit, window.due > earliest {
      reschedule(slot, due: earliest)
    }
    return .open(window: window.id, untilMilliseconds: window.due)
  }

  private mutating func reschedule(_ slot: UInt32, due: Int64) {
    undo.append(.windowRescheduled(slot: slot, due: windows[slot].due))
    windows.setDue(due, of: slot)
    Change.windowRescheduled(key: windows[slot].key, due: due).append(to: &changes)
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
    case .cadence(let cadence):
      cadence.schedule?.next(after: opened, in: profile.withView { codecs.zone(of: $0) }) ?? opened
    case .quietHours: opened
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
      priority: arrival.priority, itemLimit: rule.itemLimit,
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
