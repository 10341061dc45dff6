import Contract
import Policy

extension Pipeline {
  /// Closes a window that is due: it becomes a digest, or single deliveries, or waits on where it holds too few.
  mutating func close(_ slot: UInt32, at now: Int64) {
    let window = windows[slot]
    guard let head = window.head else { return }
    if waitsOn(window, head, at: now) {
      return reschedule(slot, due: window.opened + WindowRules.longestHold)
    }
    let hasTooFew = hasTooFew(window, head)
    let profile = addressing(window, head)
    // Whoever had an address when all of this came may have none any more.
    let isReachable =
      !head.channel.needsAddress || profile.layers.recipient?.address(for: head.channel) != nil
    closing.removeAll()
    memberScratch.removeAll()
    var lacksLoneItem = false
    // The first items are written as they are passed, unless the members may be delivered each by itself.
    let takesFirst = head.rules.selection == .first && !hasTooFew
    var itemsLeft = takesFirst ? head.itemLimit : 0
    var bytesLeft = configuration.digestItemsLimit
    for member in window.members {
      if member.alone.isEmpty { lacksLoneItem = true }
      if !isLive(member.expiry, at: now) {
        closing.expired.append(member.notification)
      } else if !isReachable {
        closing.suppressed.append(member.notification)
      } else {
        closing.members.append(member.notification)
        if member.actor != 0 { closing.actors.append(member.actor) }
        if member.isOfOtherCategory { closing.hasSeveralCategories = true }
      }
      if itemsLeft > 0, !member.fragment.isEmpty {
        itemsLeft -= 1
        bytesLeft -= member.fragment.count
        // As in `Window.fullItems`: what may have to be delivered by itself is kept beyond the bound.
        if bytesLeft < 0 { itemsLeft = 0 } else { writeItem(member.fragment, expiry: member.expiry, at: now) }
      }
    }
    undo.append(.windowClosed(slot: slot))
    windows.close(slot)
    Change.windowClosed(key: window.key).append(to: &changes)
    let channel = head.channel
    ledger.counters[channel].open -= Int64(closing.count)
    ledger.counters[channel].delivered += Int64(closing.members.count)
    ledger.counters[channel].expired += Int64(closing.expired.count)
    ledger.counters[channel].suppressed[.noAddress] += Int64(closing.suppressed.count)
    // One that came when there were enough has nothing to be delivered by itself with.
    let isSingly = hasTooFew && head.rules.minItems?.fewer == .single && !lacksLoneItem && isReachable
    if isSingly {
      writeSingly(window, head, profile, at: now)
    } else if !closing.members.isEmpty {
      if !takesFirst { writeItems(window, head, at: now) }
      writeDigest(window, head, profile, at: now)
    }
    decideClosure(window, head, at: now, isSingly: isSingly)
  }

  private mutating func hasTooFew(_ window: Window, _ head: WindowHead) -> Bool {
    window.hasTooFew(head)
      || configuration.flaws.contains(.minItemsOneMore)
        && Int(window.memberCount) == head.rules.minItems?.count
  }

  /// Whether a window that is due does not close, because it holds too few.
  mutating func waitsOn(_ window: Window, _ head: WindowHead, at now: Int64) -> Bool {
    head.rules.minItems?.fewer == .hold && hasTooFew(window, head)
      && !configuration.flaws.contains(.heldDeliveredWhenDue)
      && now < window.opened + WindowRules.longestHold
  }

  private func isLive(_ expiry: Int64, at now: Int64) -> Bool {
    expiry > now || configuration.flaws.contains(.expiredDelivered)
  }

  private mutating func addressing(_ window: Window, _ head: WindowHead) -> RecipientAddressing {
    RecipientAddressing(
      recipients.find(window.recipient), defaults: catalog.defaults(ofTenant: head.tenant))
  }

  // MARK: - One digest

  private mutating func writeItems(_ window: Window, _ head: WindowHead, at now: Int64) {
    for item in window.fullItems(head, byteLimit: configuration.digestItemsLimit) {
      writeItem(item.json, expiry: item.expiry, at: now)
    }
  }

  /// The digest, with the items that were written before.
  private mutating func writeDigest(
    _ window: Window, _ head: WindowHead, _ profile: RecipientAddressing, at now: Int64
  ) {
    var delivery = DeliveryHead(
      id: window.id, timeMilliseconds: now, tenant: head.tenant, recipient: head.recipient,
      channel: head.channel, kind: .digest, category: head.category, type: head.type, priority: head.priority,
      title: head.title, catalog: head.catalogVersion, totalEvents: closing.members.count,
      totalActors: closing.distinctActors())
    delivery.hasSeveralCategories = closing.hasSeveralCategories
    delivery.link = head.link
    delivery.digestTitle = head.digestTitle
    delivery.recipientRecord = profile.offset
    delivery.window = DeliveryHead.Window(
      id: window.id, openedMilliseconds: window.opened, dueMilliseconds: window.due)
    write(&delivery, items: memberScratch.view, on: head.channel, profile, eventAppended: 0)
  }

  private mutating func writeItem(_ json: ByteView, expiry: Int64, at now: Int64) {
    guard isLive(expiry, at: now) else { return }
    if memberScratch.count > 0 { memberScratch.append(byte: UInt8(ascii: ",")) }
    memberScratch.append(json)
  }

  // MARK: - Too few for a digest

  /// Delivers each member by itself, as its own type and the catalog of its arrival said.
  private mutating func writeSingly(
    _ window: Window, _ head: WindowHead, _ profile: RecipientAddressing, at now: Int64
  ) {
    for member in window.members {
      guard isLive(member.expiry, at: now), let item = LoneItem(member.alone) else { continue }
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

  private mutating func decideClosure(_ window: Window, _ head: WindowHead, at now: Int64, isSingly: Bool) {
    ledger.decisions += 1
    let head = (
      tenant: head.tenant, recipient: head.recipient, channel: head.channel,
      decision: DecisionHead(
        partition: configuration.partition, number: ledger.decisions, timeMilliseconds: now)
    )
    closing.members.withUnsafeBufferPointer { members in
      closing.expired.withUnsafeBufferPointer { expired in
        closing.suppressed.withUnsafeBufferPointer { suppressed in
          decisions.append(
            closure: ClosureDecision(
              tenant: head.tenant, recipient: head.recipient, channel: head.channel, window: window.id,
              delivery: members.isEmpty || isSingly ? nil : window.id, isSingly: isSingly, members: members,
              expired: expired, suppressed: suppressed, because: .noAddress),
            head: head.decision)
        }
      }
    }
  }
}

/// The notifications of the window that closes. The memory is used again for the next one.
struct ClosingMembers {
  /// What is delivered.
  var members: [Hash128] = []
  /// What is left out, because it has expired.
  var expired: [Hash128] = []
  /// What is left out, because the recipient has no address any more.
  var suppressed: [Hash128] = []
  /// The hashes of the actors of what is delivered.
  var actors: [UInt64] = []
  /// Whether what is delivered has other categories than the one that the window was opened with.
  var hasSeveralCategories = false

  /// All of them.
  var count: Int { members.count + expired.count + suppressed.count }

  mutating func removeAll() {
    hasSeveralCategories = false
    if !suppressed.isEmpty { suppressed.removeAll(keepingCapacity: true) }
    if !members.isEmpty { members.removeAll(keepingCapacity: true) }
    if !expired.isEmpty { expired.removeAll(keepingCapacity: true) }
    if !actors.isEmpty { actors.removeAll(keepingCapacity: true) }
  }

  /// The number of different actors; afterwards they may be in another order.
  mutating func distinctActors() -> Int {
    if actors.count < 2 { return actors.count }
    // Most windows have few: each is compared with those before it.
    if actors.count <= 8 {
      var count = 0
      for index in 0..<actors.count {
        var isNew = true
        for earlier in 0..<index where actors[earlier] == actors[index] { isNew = false }
        if isNew { count += 1 }
      }
      return count
    }
    actors.sort()
    var count = 0
    var last: UInt64 = 0
    for actor in actors where actor != last {
      count += 1
      last = actor
    }
    return count
  }
}
