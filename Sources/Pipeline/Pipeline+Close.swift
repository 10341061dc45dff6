import Contract
import Policy

extension Pipeline {
  /// Closes a window that is due: it becomes a digest, or single deliveries, or waits on where it holds too few.
  mutating func close(_ slot: UInt32, at now: Int64) {
    let window = windows[slot]
    guard let head = window.head else { return }
    let flaws = configuration.flaws
    let hasTooFew =
      window.hasTooFew(head)
      || flaws.contains(.minItemsOneMore) && Int(window.memberCount) == head.rules.minItems?.count
    let isHeld = hasTooFew && head.rules.minItems?.fewer == .hold && !flaws.contains(.heldDeliveredWhenDue)
    if isHeld, now < window.opened + WindowRules.longestHold {
      return reschedule(slot, due: window.opened + WindowRules.longestHold)
    }
    var members: [Hash128] = []
    var expired: [Hash128] = []
    var actors: Set<UInt64> = []
    var lacksLoneItem = false
    window.forEachMember { member in
      if member.alone.isEmpty { lacksLoneItem = true }
      guard isLive(member.expiry, at: now) else { return expired.append(member.notification) }
      members.append(member.notification)
      if member.actor != 0 { actors.insert(member.actor) }
    }
    undo.append(.windowClosed(slot: slot))
    windows.close(slot)
    Change.windowClosed(key: window.key).append(to: &changes)
    let channel = head.channel
    ledger.counters[channel].open -= Int64(members.count + expired.count)
    ledger.counters[channel].delivered += Int64(members.count)
    ledger.counters[channel].expired += Int64(expired.count)
    // One that came when there were enough has nothing to be delivered by itself with.
    let isSingly = hasTooFew && head.rules.minItems?.fewer == .single && !lacksLoneItem
    if isSingly {
      writeSingly(window, head, at: now)
    } else if !members.isEmpty {
      writeDigest(window, head, at: now, events: members.count, actors: actors.count)
    }
    decideClosure(window, head, at: now, members: members, expired: expired, isSingly: isSingly)
  }

  private func isLive(_ expiry: Int64, at now: Int64) -> Bool {
    expiry > now || configuration.flaws.contains(.expiredDelivered)
  }

  private mutating func addressing(_ head: WindowHead) -> RecipientAddressing {
    scratch.removeAll()
    RecipientKey.append(tenant: head.tenant, recipient: head.recipient, to: &scratch)
    return RecipientAddressing(
      recipients.find(Hash128(of: scratch.view)), defaults: catalog.defaults(ofTenant: head.tenant))
  }

  // MARK: - One digest

  private mutating func writeDigest(
    _ window: Window, _ head: WindowHead, at now: Int64, events: Int, actors: Int
  ) {
    memberScratch.removeAll()
    for item in window.fullItems(head, byteLimit: configuration.digestItemsLimit)
    where isLive(item.expiry, at: now) {
      if memberScratch.count > 0 { memberScratch.append(byte: UInt8(ascii: ",")) }
      memberScratch.append(item.json)
    }
    let profile = addressing(head)
    var delivery = DeliveryHead(
      id: window.id, timeMilliseconds: now, tenant: head.tenant, recipient: head.recipient,
      channel: head.channel, kind: .digest, category: head.category, type: head.type, priority: head.priority,
      title: head.title, catalog: head.catalogVersion, totalEvents: events, totalActors: actors)
    delivery.link = head.link
    delivery.digestTitle = head.digestTitle
    delivery.recipientRecord = profile.offset
    delivery.window = DeliveryHead.Window(
      id: window.id, openedMilliseconds: window.opened, dueMilliseconds: window.due)
    write(&delivery, items: memberScratch.view, on: head.channel, profile, eventAppended: 0)
  }

  // MARK: - Too few for a digest

  /// Delivers each member by itself, as its own type and the catalog of its arrival said.
  private mutating func writeSingly(_ window: Window, _ head: WindowHead, at now: Int64) {
    let profile = addressing(head)
    window.forEachMember { member in
      guard isLive(member.expiry, at: now), let item = LoneItem(member.alone) else { return }
      var delivery = DeliveryHead(
        id: DeliveryID.single(member.notification, channel: head.channel), timeMilliseconds: now,
        tenant: head.tenant, recipient: head.recipient, channel: head.channel, kind: .single,
        category: item.category, type: item.type, priority: item.priority, title: item.title,
        catalog: item.catalogVersion, totalEvents: 1, totalActors: member.actor == 0 ? 0 : 1)
      delivery.link = item.link
      delivery.recipientRecord = profile.offset
      delivery.traceparent = item.traceparent
      delivery.tracestate = item.tracestate
      write(&delivery, items: member.fragment, on: head.channel, profile, eventAppended: 0)
    }
  }

  private mutating func decideClosure(
    _ window: Window, _ head: WindowHead, at now: Int64, members: [Hash128], expired: [Hash128],
    isSingly: Bool
  ) {
    ledger.decisions += 1
    members.withUnsafeBufferPointer { members in
      expired.withUnsafeBufferPointer { expired in
        decisions.append(
          closure: ClosureDecision(
            tenant: head.tenant, recipient: head.recipient, channel: head.channel, window: window.id,
            delivery: members.isEmpty || isSingly ? nil : window.id, isSingly: isSingly, members: members,
            expired: expired),
          head: DecisionHead(
            partition: configuration.partition, number: ledger.decisions, timeMilliseconds: now))
      }
    }
  }
}
