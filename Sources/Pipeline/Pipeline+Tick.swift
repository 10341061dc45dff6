import Contract
import Policy

extension Pipeline {
  /// Bytes of output, decisions and changes after which a tick leaves the rest of what is due to the next one. With
  /// a full backlog before it, the batch still fits the records of the decisions and state topics.
  private static var tickBytes: Int { 2 << 20 }

  /// Closes the windows that are due, in the order of (due time, recipient), each into one digest.
  ///
  /// A tick is bounded: when much is due at once, `nextDue` still lies in the past afterwards, and the next tick
  /// goes on.
  ///
  /// - Parameter now: the timer clock, in milliseconds since the epoch; it never goes back.
  public mutating func tick(now: Int64) {
    advanceTimerClock(to: now)
    var slots: [UInt32] = []
    let bound = pendingBytes + Self.tickBytes
    while pendingBytes < bound {
      let early: Int64 = configuration.flaws.contains(.windowsCloseEarly) ? 700 : 0
      windows.popDue(at: ledger.timerClock + early, into: &slots)
      if slots.isEmpty { return }
      if slots.count > 1 { sortByRecipient(&slots) }
      for slot in slots {
        // What is due at the same instant, but beyond the bound, is sorted again with the next tick.
        if pendingBytes < bound { close(slot) } else { windows.push(slot) }
      }
    }
  }

  private func sortByRecipient(_ slots: inout [UInt32]) {
    slots.sort { left, right in
      guard let first = windows[left].head, let second = windows[right].head else { return left < right }
      if first.tenant != second.tenant { return first.tenant < second.tenant }
      if first.recipient != second.recipient { return first.recipient < second.recipient }
      if first.channel != second.channel { return first.channel.rawValue < second.channel.rawValue }
      return first.group < second.group
    }
  }

  private mutating func close(_ slot: UInt32) {
    let window = windows[slot]
    guard let head = window.head else { return }
    let now = ledger.timerClock
    var members: [Hash128] = []
    var expired: [Hash128] = []
    var actors: Set<UInt64> = []
    memberScratch.removeAll()
    window.forEachMember { member in
      guard member.expiry > now || configuration.flaws.contains(.expiredDelivered) else {
        return expired.append(member.notification)
      }
      members.append(member.notification)
      if member.actor != 0 { actors.insert(member.actor) }
      guard !member.fragment.isEmpty else { return }
      if memberScratch.count > 0 { memberScratch.append(byte: UInt8(ascii: ",")) }
      memberScratch.append(member.fragment)
    }
    undo.append(.windowClosed(slot: slot))
    windows.close(slot)
    Change.windowClosed(key: window.key).append(to: &changes)
    let channel = head.channel
    ledger.counters[channel].open -= Int64(members.count + expired.count)
    ledger.counters[channel].delivered += Int64(members.count)
    ledger.counters[channel].expired += Int64(expired.count)
    if !members.isEmpty { writeDigest(window, head, events: members.count, actors: actors.count) }
    decideClosure(window, head, members: members, expired: expired)
  }

  private mutating func writeDigest(_ window: Window, _ head: WindowHead, events: Int, actors: Int) {
    scratch.removeAll()
    RecipientKey.append(tenant: head.tenant, recipient: head.recipient, to: &scratch)
    let profile = RecipientAddressing(recipients.find(Hash128(of: scratch.view)))
    var delivery = DeliveryHead(
      id: window.id, timeMilliseconds: ledger.timerClock, tenant: head.tenant, recipient: head.recipient,
      channel: head.channel, kind: .digest, category: head.category, type: head.type, priority: head.priority,
      title: head.title, catalog: head.catalogVersion, totalEvents: events, totalActors: actors)
    delivery.link = head.link
    delivery.digestTitle = head.digestTitle
    delivery.recipientRecord = profile.offset
    delivery.window = DeliveryHead.Window(
      id: window.id, openedMilliseconds: window.opened, dueMilliseconds: window.due)
    write(&delivery, items: memberScratch.view, on: head.channel, profile, eventAppended: 0)
  }

  private mutating func decideClosure(
    _ window: Window, _ head: WindowHead, members: [Hash128], expired: [Hash128]
  ) {
    ledger.decisions += 1
    members.withUnsafeBufferPointer { members in
      expired.withUnsafeBufferPointer { expired in
        decisions.append(
          closure: ClosureDecision(
            tenant: head.tenant, recipient: head.recipient, channel: head.channel, window: window.id,
            delivery: members.isEmpty ? nil : window.id, members: members, expired: expired),
          head: DecisionHead(
            partition: configuration.partition, number: ledger.decisions, timeMilliseconds: ledger.timerClock)
        )
      }
    }
  }
}
