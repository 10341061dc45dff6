import Contract
import Policy

/// Why a notification leaves its window before that closes.
struct WithdrawalCause {
  var outcome: WithdrawalDecision.Outcome
  /// The event that is the cause.
  var source: ByteView
  var event: ByteView
  /// The timer clock.
  var now: Int64
}

extension Pipeline {
  /// Takes the notification that an event names in `retracts` out of every window it waits in, and remembers that it
  /// was taken back, for the dedup horizon: it may come later, or again.
  mutating func retract(_ arrival: Arrival, inputMinute: Int64) -> Hash128 {
    let event = arrival.event
    let notification = NotificationID.hash(
      tenant: event.tenant, source: event.source, id: event.retracts, recipient: arrival.recipient)
    let cause = WithdrawalCause(
      outcome: .retracted, source: event.source, event: event.id, now: arrival.now)
    for slot in waitingWindows(of: arrival.recipientKey, at: arrival.now) {
      withdraw(from: slot, cause) { $0.notification == notification }
    }
    if configuration.flaws.contains(.retractionsForgotten) { return notification }
    remember(
      Fact(.retraction, key: FactKey.retraction(notification), until: horizonEnd(inputMinute)))
    return notification
  }

  /// When what holds for the dedup horizon ends, in milliseconds of the input clock: as late as the id of an event that
  /// came in this minute.
  func horizonEnd(_ inputMinute: Int64) -> Int64 { (inputMinute + ids.horizonMinutes + 1) * 60_000 }

  /// The windows of a recipient, by the hash of their key, of which something can still be taken out: what is due has
  /// left already, whether a tick has closed it yet or not, unless it waits on.
  ///
  /// It is the ticks that close what is due: they are bounded, however many windows of a recipient that are.
  mutating func waitingWindows(of recipientKey: Hash128, at now: Int64) -> [UInt32] {
    windows.slots(ofRecipient: recipientKey).filter { slot in
      let window = windows[slot]
      return window.due > now || window.hasRules && window.head.map { waitsOn(window, $0, at: now) } ?? false
    }
  }

  /// Whether a notification was taken back before it came.
  @inline(__always)
  mutating func isRetracted(_ notification: Hash128, at clocks: FactClocks) -> Bool {
    facts.count > 0 && fact(FactKey.retraction(notification), at: clocks) != nil
  }

  /// The hash of an event's collapse key; 0 where it has none.
  static func hash(ofCollapseKey key: ByteView) -> UInt64 {
    key.isEmpty ? 0 : max(1, Hash128(of: key).low)
  }

  /// Takes the notification with the event's collapse key out of a window, if the event is newer: by CloudEvents
  /// `time` where both have one, else by its arrival.
  ///
  /// - Returns: whether the event itself is the older one, and gives way to what waits.
  mutating func collapse(_ arrival: Arrival, in slot: UInt32) -> Bool {
    let key = Self.hash(ofCollapseKey: arrival.event.collapseKey)
    guard key != 0, !configuration.flaws.contains(.collapsedMembersStay),
      let place = windows[slot].place(where: { $0.collapseKey == key }),
      let waiting = windows[slot].member(at: place)
    else { return false }
    if let time = arrival.event.timeMilliseconds, waiting.time != Int64.min, time < waiting.time {
      return true
    }
    withdraw(
      at: place, from: slot,
      WithdrawalCause(
        outcome: .collapsed, source: arrival.event.source, event: arrival.event.id, now: arrival.now))
    return false
  }

  /// Takes the members out of a window of which a condition holds.
  ///
  /// - Parameter bound: the bytes of waiting decisions from which on no more are taken out.
  /// - Returns: whether all of them are out.
  @discardableResult
  mutating func withdraw(
    from slot: UInt32, _ cause: WithdrawalCause, upTo bound: Int = .max, where leaves: (WindowMember) -> Bool
  ) -> Bool {
    var position: Int?
    while let place = windows[slot].place(from: position, where: leaves) {
      guard decisions.count < bound else { return false }
      // One that is due and waits on does so before it holds even fewer.
      if windows[slot].due <= cause.now { close(slot, at: cause.now) }
      withdraw(at: place, from: slot, cause)
      position = place.lowerBound
    }
    return true
  }

  /// Takes the member at a place out of a window, and writes the decision. The window stays open, also without members:
  /// what comes until it is due is still in it.
  mutating func withdraw(at place: Range<Int>, from slot: UInt32, _ cause: WithdrawalCause) {
    let window = windows[slot]
    guard let head = window.head, let notification = window.member(at: place)?.notification else { return }
    ledger.counters[head.channel].open -= 1
    switch cause.outcome {
    case .retracted: ledger.counters[head.channel].retracted += 1
    case .collapsed: ledger.counters[head.channel].collapsed += 1
    case .suppressed(let reason): ledger.counters[head.channel].suppressed[reason] += 1
    }
    ledger.decisions += 1
    decisions.append(
      withdrawal: WithdrawalDecision(
        tenant: head.tenant, recipient: head.recipient, channel: head.channel, window: window.id,
        notification: notification, outcome: cause.outcome, causeSource: cause.source, causeEvent: cause.event
      ),
      head: DecisionHead(
        partition: configuration.partition, number: ledger.decisions, timeMilliseconds: cause.now))
    Change.memberWithdrawn(key: window.key, notification: notification).append(to: &changes)
    undo.append(
      .memberWithdrawn(
        slot: slot, at: place.lowerBound, bytes: Array(window.block.view.slice(place).buffer)))
    windows.withdraw(at: place, from: slot)
  }

  /// The hash by which a recipient's record and windows are found.
  mutating func recipientKey(_ tenant: ByteView, _ recipient: ByteView) -> Hash128 {
    if tenant.equals(RecipientKey.defaultTenant) { return Hash128(of: recipient) }
    scratch.removeAll()
    RecipientKey.append(tenant: tenant, recipient: recipient, to: &scratch)
    return Hash128(of: scratch.view)
  }
}
