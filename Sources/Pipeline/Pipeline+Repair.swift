import Contract

/// What an operator may change of a state by hand (`tidings state …`). Never called while the partition decides.
extension Pipeline {
  /// Moves the positions of all topics, also back. A fan-out in the middle goes on only if its record comes next.
  public mutating func adopt(_ positions: InputPositions) {
    ledger.positions = positions
    if let fanOut = ledger.fanOut, positions[fanOut.topic] != fanOut.offset { ledger.fanOut = nil }
  }

  /// Sets the clock by which windows close, also back, in milliseconds since the epoch. See
  /// ``rescheduleWindows(openedAfter:from:byteLimit:)`` and ``endFacts(endingAfter:from:byteLimit:)`` for what was written
  /// by the old one.
  public mutating func setTimerClock(_ milliseconds: Int64) { ledger.timerClock = milliseconds }

  /// Sets the clock by which ids are remembered, also back, in milliseconds since the epoch.
  public mutating func setInputClock(_ milliseconds: Int64) { ledger.inputClock = milliseconds }

  /// Lets decisions be numbered on from where they were, so that their ids stay unique in a state that begins anew.
  public mutating func continueDecisions(after number: UInt64) { ledger.decisions = number }

  /// Makes windows that were opened after an instant wait from that instant on, as long as they were to wait: a
  /// clock that ran ahead would hold them until it has come true. One that slides closes at once, since its longest wait
  /// counts from its opening; one that is held waits for its next notification as before.
  ///
  /// - Parameters:
  ///   - instant: in milliseconds since the epoch.
  ///   - prefix: the first key prefix (16 bits) to look at, 0 at first; moved on. All is done when it is 65,536.
  ///   - byteLimit: about how many bytes of changes one state record may hold.
  /// - Returns: the number of windows that are due earlier.
  public mutating func rescheduleWindows(
    openedAfter instant: Int64, from prefix: inout UInt32, byteLimit: Int
  ) -> Int {
    var count = 0
    while prefix < 65_536, changes.count < byteLimit {
      for (key, slot) in windows.entries(prefixes: prefix..<prefix + 256) {
        let window = windows[slot]
        guard window.opened > instant else { continue }
        if isHeld(window) { continue }
        let slides = window.hasRules && window.head?.rules.slide != nil
        let due = slides ? instant : instant + max(0, window.due - window.opened)
        guard due < window.due else { continue }
        undo.append(.windowRescheduled(slot: slot, due: window.due))
        windows.setDue(due, of: slot)
        Change.windowRescheduled(key: key, due: due).append(to: &changes)
        count += 1
      }
      prefix += 256
    }
    return count
  }

  /// Ends what is remembered by the timer clock until a time after an instant: by a clock that ran ahead, what somebody
  /// took back ended then, and counts of throttles and budgets would hold until it has come true.
  ///
  /// - Parameters: as of ``rescheduleWindows(openedAfter:from:byteLimit:)``.
  /// - Returns: the number of facts that have ended.
  public mutating func endFacts(
    endingAfter instant: Int64, from prefix: inout UInt32, byteLimit: Int
  ) -> Int {
    var count = 0
    // Also what has ended by the clock that was wrong.
    let all = FactClocks(input: .min, timer: .min)
    while prefix < 65_536, changes.count < byteLimit {
      for fact in facts.entries(prefixes: prefix..<prefix + 256, all)
      where fact.isByTimer && fact.until > instant && fact.until < .max {
        var ended = fact
        ended.until = instant
        remember(ended)
        count += 1
      }
      prefix += 256
    }
    return count
  }
}
