import Contract

/// What an operator may change of a state by hand (`tidings state …`). Never called while the partition decides.
extension Pipeline {
  /// Moves the positions of all topics, also back. A fan-out in the middle goes on only if its record comes next.
  public mutating func adopt(_ positions: InputPositions) {
    ledger.positions = positions
    if let fanOut = ledger.fanOut, positions[fanOut.topic] != fanOut.offset { ledger.fanOut = nil }
  }

  /// Sets the clock by which windows close, also back, in milliseconds since the epoch. See
  /// ``rescheduleWindows(openedAfter:from:byteLimit:)`` for the windows that were opened by the old one.
  public mutating func setTimerClock(_ milliseconds: Int64) { ledger.timerClock = milliseconds }

  /// Sets the clock by which ids are remembered, also back, in milliseconds since the epoch.
  public mutating func setInputClock(_ milliseconds: Int64) { ledger.inputClock = milliseconds }

  /// Lets decisions be numbered on from where they were, so that their ids stay unique in a state that begins anew.
  public mutating func continueDecisions(after number: UInt64) { ledger.decisions = number }

  /// Makes windows that were opened after an instant wait from that instant on, as long as they were to wait: a
  /// clock that ran ahead would hold them until it has come true.
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
        let due = instant + max(0, window.due - window.opened)
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
}
