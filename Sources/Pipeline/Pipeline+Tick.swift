extension Pipeline {
  /// Closes the windows that are due, in the order of (due time, recipient), each into one digest.
  ///
  /// A tick is bounded: when much is due at once, `nextDue` still lies in the past afterwards, and the next tick
  /// goes on.
  ///
  /// - Parameter now: the timer clock, in milliseconds since the epoch; it never goes back.
  public mutating func tick(now: Int64) {
    advanceTimerClock(to: now)
    let bound = pendingBytes + configuration.tickBytes
    let early: Int64 = configuration.flaws.contains(.windowsCloseEarly) ? 700 : 0
    while pendingBytes < bound, let slot = windows.popDue(at: ledger.timerClock + early) {
      close(slot, at: ledger.timerClock)
    }
  }
}
