import Contract
import Policy

extension Pipeline {
  /// Puts a notification into the open window of its recipient, channel and digest key, or opens one.
  mutating func collect(
    _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, _ profile: RecipientAddressing,
    _ grounds: inout DecisionGrounds?, _ codecs: inout Codecs
  ) -> ChannelOutcome {
    let isUntilQuietHoursEnd = if case .quietHours = rule.window { true } else { false }
    let key: Hash128
    var groupLength: Int?
    // Most windows are open already: the digest key is made where it is needed.
    if let planned = arrival.planned[channel], planned.group == rule.group, rule.groupPrefix == nil,
      !hasKey(rule)
    {
      key = planned.key
    } else {
      groupLength = makeDigestKey(arrival, rule, &codecs)
      key = WindowID.hash(
        tenant: arrival.event.tenant, recipient: arrival.recipient, channel: channel,
        digestKey: digestKey.view,
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
      if windows[slot].hasRules { isHeld = self.isHeld(windows[slot]) }
      if isUntilQuietHoursEnd { grounds?.isQuiet = true }
    } else {
      let plain = due(rule.window, openedAt: arrival.now, profile, codecs)
      let due = outsideQuietHours(plain, arrival, profile, codecs)
      if due != plain { grounds?.isQuiet = true }
      slot = open(
        key, arrival, on: channel, rule, groupLength: groupLength ?? makeDigestKey(arrival, rule, &codecs),
        due: due)
      if hasLeadingEdge(rule) {
        let isQuiet = outsideQuietHours(arrival.now, arrival, profile, codecs) > arrival.now
        if isQuiet, !configuration.flaws.contains(.leadingEdgeInQuietHours) {
          grounds?.isQuiet = true
        } else if isDeliveredOnOpening(arrival, on: channel) {
          return deliver(arrival, on: channel, profile)
        }
      }
    }
    if !arrival.event.collapseKey.isEmpty, collapse(arrival, in: slot) { return .collapsed }
    if isHeld {
      let due = outsideQuietHours(
        due(rule.window, openedAt: arrival.now, profile, codecs), arrival, profile, codecs)
      reschedule(slot, due: min(due, windows[slot].opened + WindowRules.longestHold))
    } else if arrival.priority == .critical {
      let due = due(rule.window, openedAt: arrival.now, profile, codecs)
      if due < windows[slot].due { reschedule(slot, due: due) }
    }
    join(slot, arrival, on: channel, rule, &codecs)
    if windows[slot].hasRules || Int(windows[slot].memberCount) >= configuration.windowMemberLimit,
      let due = dueAfterJoining(windows[slot], arrival, profile, codecs)
    {
      reschedule(slot, due: due)
    }
    return .open(window: windows[slot].id, untilMilliseconds: windows[slot].due)
  }

  /// Whether fields of the event tell windows of one group apart.
  private mutating func hasKey(_ rule: DigestRule) -> Bool {
    guard let options = rule.options else { return false }
    return !catalog.options(options).key.isEmpty
  }

  private mutating func hasLeadingEdge(_ rule: DigestRule) -> Bool {
    guard let options = rule.options else { return false }
    return catalog.options(options).leadingEdge
  }

  /// Makes the digest key of an arrival, which stays until the window is open.
  ///
  /// - Returns: the bytes of it that are the group; the rest are the values of the key's fields.
  private mutating func makeDigestKey(
    _ arrival: Arrival, _ rule: DigestRule, _ codecs: inout Codecs
  ) -> Int {
    digestKey.removeAll()
    if let prefix = rule.groupPrefix { digestKey.append(prefix) }
    digestKey.append(rule.group.map { catalog.text($0) } ?? arrival.category)
    let groupLength = digestKey.count
    if hasKey(rule), !configuration.flaws.contains(.keyPassedOver) {
      codecs.fields.append(valuesOf: catalog.options(rule.options).key, of: arrival, to: &digestKey)
    }
    return groupLength
  }

  private mutating func join(
    _ slot: UInt32, _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, _ codecs: inout Codecs
  ) {
    var member = WindowMember(
      notification: arrival.notification,
      actor: arrival.event.actor.isEmpty ? 0 : max(1, Hash128(of: arrival.event.actor).low),
      expiry: arrival.event.expiryMilliseconds ?? Int64.max,
      collapseKey: Self.hash(ofCollapseKey: arrival.event.collapseKey),
      time: arrival.event.timeMilliseconds ?? Int64.min,
      skipIfSeen: arrival.rules.channels.skipsSeen(on: channel), fragment: .empty)
    member.isOfOtherCategory = isOfOtherCategory(arrival, rule, slot)
    if windows[slot].hasRules {
      guard complete(&member, of: arrival, in: slot, &codecs) else { return }
    } else if member.skipIfSeen || windows[slot].itemCount < windows[slot].outline.itemLimit,
      Int(windows[slot].itemBytes) < configuration.digestItemsLimit
    {
      // Those that come first may leave when they are seen, and this one be shown in the place of one of them.
      let item = item(
        of: arrival, maxDataBytes: configuration.itemDataLimit, templates: ownTemplates(of: arrival, in: slot)
      )
      if Int(windows[slot].itemBytes) + item.count <= configuration.digestItemsLimit {
        member.fragment = item
      }
    }
    undo.append(
      .windowAppended(
        slot: slot, blockCount: windows[slot].block.count, fragmentBytes: member.fragment.count))
    let start = Change.append(member, toWindow: windows[slot].key, in: &changes)
    windows.append(changes.view.slice(start..<changes.count), fragmentBytes: member.fragment.count, to: slot)
    if windows[slot].hasRules { trim(slot) }
  }

  /// Whether the category of an arrival is another than that which its window was opened with.
  private mutating func isOfOtherCategory(_ arrival: Arrival, _ rule: DigestRule, _ slot: UInt32) -> Bool {
    // Most windows are found by the category alone.
    if rule.group == nil, rule.groupPrefix == nil, windows[slot].outline.isOfCategory { return false }
    return windows[slot].head.map { $0.category != arrival.category } ?? false
  }

  /// The templates of an arrival's type, unless the window has the same.
  private mutating func ownTemplates(
    of arrival: Arrival, in slot: UInt32
  ) -> (title: ByteView, link: ByteView)? {
    let title = catalog.text(arrival.rules.title)
    let link = arrival.rules.link.map { catalog.text($0) } ?? .empty
    return windows[slot].hasTemplates(title: title, link: link) ? nil : (title, link)
  }

  /// Adds what the rules of a window want of a member: its rank, its item, and what it needs to be delivered by itself.
  ///
  /// - Returns: false where the window has no head.
  private mutating func complete(
    _ member: inout WindowMember, of arrival: Arrival, in slot: UInt32, _ codecs: inout Codecs
  ) -> Bool {
    let window = windows[slot]
    guard let head = window.head else { return false }
    if case .top(let text) = head.rules.selection, let pointer = JSONPointer(text.string),
      !configuration.flaws.contains(.topItemsUnranked)
    {
      member.rank = codecs.fields.number(at: pointer, in: arrival.event)
    }
    member.isCritical = head.rules.slide != nil && arrival.priority == .critical
    let templates = ownTemplates(of: arrival, in: slot)
    let limit = configuration.digestItemsLimit
    let isLimited = head.rules.selection == .first
    let mayBeAlone = window.isAloneNeeded(head)
    let isShown = member.skipIfSeen || Int(window.itemCount) < head.itemLimit
    if !isLimited || mayBeAlone || (isShown && Int(window.itemBytes) < limit) {
      let item = item(of: arrival, maxDataBytes: configuration.itemDataLimit, templates: templates)
      if !isLimited || Int(window.itemBytes) + item.count <= limit { member.fragment = item }
    }
    guard mayBeAlone else { return true }
    // What may have to be delivered by itself needs an item, if need be without its data.
    if member.fragment.isEmpty { member.fragment = item(of: arrival, maxDataBytes: -1, templates: templates) }
    digestKey.removeAll()
    appendLoneItem(of: arrival)
    member.alone = digestKey.view
    return true
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
    // It does not close at the instant at which it was opened: the next one would have the same id. After a clock that
    // ran ahead was set back, that instant is still to come.
    let earliest = max(arrival.now, min(window.opened, arrival.now) + 1)
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
    var due = outsideQuietHours(slid, arrival, profile, codecs)
    // Nor do quiet hours hold it back, whoever comes after it.
    if due > slid, due > window.due, window.place(where: { $0.isCritical }) != nil { due = slid }
    return due > window.due ? due : nil
  }

  /// Whether a window has closed with too few and waits for its next notification.
  mutating func isHeld(_ window: Window) -> Bool {
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
    _ key: Hash128, _ arrival: Arrival, on channel: Channel, _ rule: DigestRule, groupLength: Int, due: Int64
  ) -> UInt32 {
    let digestKey = digestKey.view
    var rules = WindowRules()
    if let options = rule.options.map({ catalog.options($0) }) {
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
    }
    rules.keyValues = digestKey.slice(groupLength..<digestKey.count)
    scratch.removeAll()
    let head = WindowHead(
      tenant: arrival.event.tenant, recipient: arrival.recipient, channel: channel,
      group: digestKey.slice(0..<groupLength), category: arrival.category, type: arrival.event.type,
      title: catalog.text(arrival.rules.title),
      link: arrival.rules.link.map { catalog.text($0) } ?? .empty,
      digestTitle: rule.isOfAllTypes
        ? .empty : arrival.rules.digestTitle.map { catalog.text($0) } ?? .empty,
      priority: arrival.priority, itemLimit: rule.itemLimit,
      catalogVersion: catalog.version, rules: rules)
    head.append(to: &scratch)
    let opened = arrival.now
    let id = WindowID.hash(
      tenant: arrival.event.tenant, recipient: arrival.recipient, channel: channel, digestKey: digestKey,
      openedMilliseconds: configuration.flaws.contains(.catalogInDigestID)
        ? opened ^ Int64(catalog.version & 0xFF) : opened)
    let slot = windows.open(
      key: key, id: id, opened: opened, due: due, head: scratch.view,
      WindowOutline(head, recipient: arrival.recipientKey),
      expecting: Self.memberBytes(of: arrival.event, limit: configuration.itemDataLimit))
    undo.append(.windowOpened(slot: slot))
    Change.append(opened: (key, id, opened, due), head: scratch.view, to: &changes)
    return slot
  }

  /// The bytes of an event as a member of a window, about.
  private static func memberBytes(of event: EventView, limit: Int) -> Int {
    let texts = event.source.count + event.id.count + event.type.count + event.time.count
    return 144 + texts + event.actor.count + event.subject.count + min(event.data.count, limit)
  }
}
