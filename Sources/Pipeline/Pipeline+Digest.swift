import Contract
import Policy

extension Pipeline {
  /// Puts a notification into the open window of its recipient, channel and digest key, or opens one.
  mutating func collect(
    _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, _ profile: RecipientAddressing,
    _ grounds: inout DecisionGrounds?, _ codecs: inout Codecs
  ) -> ChannelOutcome {
    let event = arrival.event
    let options = catalog.options(rule.options)
    digestKey.removeAll()
    // It stays there until the window is open.
    if rule.window == .quietHours { digestKey.append(DigestRule.quietGroup) }
    digestKey.append(rule.group.map { catalog.text($0) } ?? arrival.category)
    let groupLength = digestKey.count
    if !options.key.isEmpty, !configuration.flaws.contains(.keyPassedOver) {
      codecs.fields.append(valuesOf: options.key, of: arrival, to: &digestKey)
    }
    let key: Hash128
    if let planned = arrival.planned[channel], planned.group == rule.group, options.key.isEmpty,
      rule.window != .quietHours
    {
      key = planned.key
    } else {
      key = WindowID.hash(
        tenant: event.tenant, recipient: arrival.recipient, channel: channel, digestKey: digestKey.view,
        openedMilliseconds: -1)
    }
    var waiting = windows.find(key)
    // A window takes nothing that comes when it is due, whether a tick has closed it yet or not.
    if let found = waiting, windows[found].due <= arrival.now {
      close(found, at: arrival.now)
      // Where it holds too few, it is due later instead.
      waiting = windows.find(key)
    }
    let slot: UInt32
    var isHeld = false
    if let found = waiting {
      slot = found
      isHeld = self.isHeld(windows[slot])
      if rule.window == .quietHours { grounds?.isQuiet = true }
    } else {
      let plain = due(rule.window, openedAt: arrival.now, profile, codecs)
      let due = outsideQuietHours(plain, arrival, profile, codecs)
      if due != plain { grounds?.isQuiet = true }
      slot = open(key, arrival, on: channel, rule, options, groupLength: groupLength, due: due)
      if options.leadingEdge {
        let isQuiet = outsideQuietHours(arrival.now, arrival, profile, codecs) > arrival.now
        if isQuiet, !configuration.flaws.contains(.leadingEdgeInQuietHours) {
          grounds?.isQuiet = true
        } else if isDeliveredOnOpening(arrival, on: channel) {
          return deliver(arrival, on: channel, profile)
        }
      }
    }
    if collapse(arrival, in: slot) { return .collapsed }
    if isHeld {
      let due = outsideQuietHours(
        due(rule.window, openedAt: arrival.now, profile, codecs), arrival, profile, codecs)
      reschedule(slot, due: min(due, windows[slot].opened + WindowRules.longestHold))
    } else if arrival.priority == .critical {
      let due = due(rule.window, openedAt: arrival.now, profile, codecs)
      if due < windows[slot].due { reschedule(slot, due: due) }
    }
    join(slot, arrival, &codecs)
    if let due = dueAfterJoining(windows[slot], arrival, profile, codecs) { reschedule(slot, due: due) }
    return .open(window: windows[slot].id, untilMilliseconds: windows[slot].due)
  }

  private mutating func join(_ slot: UInt32, _ arrival: Arrival, _ codecs: inout Codecs) {
    let event = arrival.event
    let window = windows[slot]
    guard let head = window.head else { return }
    var member = WindowMember(
      notification: arrival.notification,
      actor: event.actor.isEmpty ? 0 : max(1, Hash128(of: event.actor).low),
      expiry: event.expiryMilliseconds ?? Int64.max, collapseKey: Self.collapseKey(of: event),
      time: event.timeMilliseconds ?? Int64.min,
      skipIfSeen: arrival.rules.channels[head.channel]?.skipIfSeen ?? false, fragment: .empty)
    if case .top(let text) = head.rules.selection, let pointer = JSONPointer(text.string),
      !configuration.flaws.contains(.topItemsUnranked)
    {
      member.rank = codecs.fields.number(at: pointer, in: event)
    }
    appendItem(of: arrival, to: window, head)
    member.fragment = memberScratch.view
    digestKey.removeAll()
    if window.isAloneNeeded(head) { appendLoneItem(of: arrival) }
    member.alone = digestKey.view
    let fragmentBytes = memberScratch.count
    undo.append(.windowAppended(slot: slot, blockCount: window.block.count, fragmentBytes: fragmentBytes))
    let bytes = Change.append(member, toWindow: window.key, in: &changes)
    windows.append(changes.view.slice(bytes), fragmentBytes: fragmentBytes, to: slot)
    trim(slot)
  }

  /// Makes the item's JSON in `memberScratch`; nothing where the digest is not going to carry it in full.
  private mutating func appendItem(of arrival: Arrival, to window: Window, _ head: WindowHead) {
    let limit = configuration.digestItemsLimit
    let title = catalog.text(arrival.rules.title)
    let link = arrival.rules.link.map { catalog.text($0) } ?? .empty
    let templates = title == head.title && link == head.link ? nil : (title, link)
    memberScratch.removeAll()
    let isLimited = head.rules.selection == .first
    let mayBeAlone = window.isAloneNeeded(head)
    if !isLimited || mayBeAlone || (Int(window.itemCount) < head.itemLimit && Int(window.itemBytes) < limit) {
      memberScratch.append(
        deliveryItem: arrival.event, acceptedAtMilliseconds: arrival.appended,
        maxDataBytes: configuration.itemDataLimit, templates: templates)
      if isLimited, Int(window.itemBytes) + memberScratch.count > limit { memberScratch.removeAll() }
    }
    // What may have to be delivered by itself needs an item, if need be without its data.
    if memberScratch.count == 0, mayBeAlone {
      memberScratch.append(
        deliveryItem: arrival.event, acceptedAtMilliseconds: arrival.appended, maxDataBytes: -1,
        templates: templates)
    }
  }

  private mutating func appendLoneItem(of arrival: Arrival) {
    LoneItem(
      category: arrival.category, type: arrival.event.type, title: catalog.text(arrival.rules.title),
      link: arrival.rules.link.map { catalog.text($0) } ?? .empty,
      priority: arrival.event.priority ?? arrival.rules.priority, catalogVersion: catalog.version,
      traceparent: arrival.event.traceparent, tracestate: arrival.event.tracestate
    ).append(to: &digestKey)
  }

  private mutating func trim(_ slot: UInt32) {
    guard windows[slot].hasRules else { return }
    let limit = configuration.digestItemsLimit
    guard let head = windows[slot].head, windows[slot].isWorthTrimming(head, byteLimit: limit),
      let before = windows.trim(slot, byteLimit: limit)
    else { return }
    undo.append(.windowTrimmed(slot: slot, before: before))
    Change.windowTrimmed(key: windows[slot].key, byteLimit: UInt32(clamping: limit)).append(to: &changes)
  }

  // MARK: - When it closes

  /// When a window closes that opens at an instant, both in milliseconds. It is stored with the window: neither a
  /// restore nor another zone in a later record of the recipient moves it.
  private mutating func due(
    _ window: WindowRule, openedAt opened: Int64, _ profile: RecipientAddressing, _ codecs: borrowing Codecs
  ) -> Int64 {
    switch window {
    case .length(let milliseconds): opened + milliseconds
    case .schedule(let id):
      catalog.schedule(id).next(after: opened, in: codecs.zone(of: profile.layers).zone)
    case .cadence(let cadence):
      cadence.schedule?.next(after: opened, in: codecs.zone(of: profile.layers).zone) ?? opened
    case .quietHours: opened
    }
  }

  /// When a window closes that took a notification; nil where that has not changed.
  private mutating func dueAfterJoining(
    _ window: Window, _ arrival: Arrival, _ profile: RecipientAddressing, _ codecs: borrowing Codecs
  ) -> Int64? {
    let rules = window.hasRules ? window.head?.rules ?? WindowRules() : WindowRules()
    // It does not close at the instant at which it was opened: the next one would have the same id.
    let earliest = max(arrival.now, window.opened + 1)
    let count = Int(window.memberCount)
    if count >= configuration.windowMemberLimit { return earliest < window.due ? earliest : nil }
    let delay = configuration.flaws.contains(.maxItemsOneLate) ? 1 : 0
    if let maxItems = rules.maxItems, count >= maxItems + delay {
      let due = outsideQuietHours(earliest, arrival, profile, codecs)
      return due < window.due ? due : nil
    }
    // What is critical never makes it later.
    guard let slide = rules.slide, arrival.priority != .critical else { return nil }
    let longest = configuration.flaws.contains(.maxWindowIgnored) ? .max : window.opened + slide.longest
    let slid = min(arrival.now + slide.step, longest)
    let due = outsideQuietHours(slid, arrival, profile, codecs)
    return due > window.due ? due : nil
  }

  /// Whether a window has closed with too few and waits for its next notification.
  private mutating func isHeld(_ window: Window) -> Bool {
    guard window.hasRules, window.due == window.opened + WindowRules.longestHold, let head = window.head
    else {
      return false
    }
    // Also one that everything was taken out of.
    guard let minItems = head.rules.minItems else { return false }
    return minItems.fewer == .hold && Int(window.memberCount) < minItems.count
  }

  mutating func reschedule(_ slot: UInt32, due: Int64) {
    if windows[slot].due == due { return }
    undo.append(.windowRescheduled(slot: slot, due: windows[slot].due))
    windows.setDue(due, of: slot)
    Change.windowRescheduled(key: windows[slot].key, due: due).append(to: &changes)
  }

  // MARK: - Open

  /// - Parameter groupLength: the bytes of `digestKey` that are the group; the rest are the values of the key's fields.
  private mutating func open(
    _ key: Hash128, _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, _ options: WindowOptions,
    groupLength: Int, due: Int64
  ) -> UInt32 {
    let event = arrival.event
    let digestKey = digestKey.view
    var rules = WindowRules()
    rules.slide = options.slide
    rules.maxItems = options.maxItems
    rules.minItems = options.minItems
    // The text of the pointer stays in place until the head is written.
    memberScratch.removeAll()
    if case .top(let pointer) = options.selection { memberScratch.append(text: pointer.description) }
    rules.selection =
      switch options.selection {
      case .first: .first
      case .last: .last
      case .top: .top(memberScratch.view)
      }
    rules.keyValues = digestKey.slice(groupLength..<digestKey.count)
    scratch.removeAll()
    WindowHead(
      tenant: event.tenant, recipient: arrival.recipient, channel: channel,
      group: digestKey.slice(0..<groupLength), category: arrival.category, type: event.type,
      title: catalog.text(arrival.rules.title),
      link: arrival.rules.link.map { catalog.text($0) } ?? .empty,
      digestTitle: arrival.rules.digestTitle.map { catalog.text($0) } ?? .empty,
      priority: arrival.priority, itemLimit: rule.itemLimit,
      catalogVersion: catalog.version, rules: rules
    ).append(to: &scratch)
    let opened = arrival.now
    let id = WindowID.hash(
      tenant: event.tenant, recipient: arrival.recipient, channel: channel, digestKey: digestKey,
      openedMilliseconds: configuration.flaws.contains(.catalogInDigestID)
        ? opened ^ Int64(catalog.version & 0xFF) : opened)
    let slot = windows.open(
      key: key, id: id, recipient: arrival.recipientKey, opened: opened, due: due, head: scratch.view,
      hasRules: !rules.isEmpty, expecting: Self.memberBytes(of: event, limit: configuration.itemDataLimit))
    undo.append(.windowOpened(slot: slot))
    Change.windowOpened(key: key, id: id, opened: opened, due: due, head: scratch.view).append(to: &changes)
    return slot
  }

  /// The bytes of an event as a member of a window, about.
  private static func memberBytes(of event: EventView, limit: Int) -> Int {
    let texts = event.source.count + event.id.count + event.type.count + event.time.count
    return 144 + texts + event.actor.count + event.subject.count + min(event.data.count, limit)
  }
}
