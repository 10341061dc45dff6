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
        if pendingBytes < bound { close(slot, at: ledger.timerClock) } else { windows.push(slot) }
      }
    }
  }

  private func sortByRecipient(_ slots: inout [UInt32]) {
    slots.sort { left, right in
      guard let first = windows[left].head, let second = windows[right].head else { return left < right }
      if first.tenant != second.tenant { return first.tenant < second.tenant }
      if first.recipient != second.recipient { return first.recipient < second.recipient }
      if first.channel != second.channel { return first.channel.rawValue < second.channel.rawValue }
      if first.group != second.group { return first.group < second.group }
      return first.rules.keyValues < second.rules.keyValues
    }
  }
}
