import Logging

/// The clocks and their guard (design §3).
extension Worker {
  /// Stops the timers when the clocks differ too much, and starts them again when they agree.
  func checkClocks() {
    let skew = clockGuard.skew(drift: clock.drift())
    let mustStop = skew.magnitude > ClockGuard.bound
    guard mustStop != areTimersStopped else { return }
    areTimersStopped = mustStop
    if mustStop {
      logger.error(
        """
        the clocks differ by more than \(ClockGuard.bound / 1000) s: no window is closed until they agree. \
        Look at the time service of this machine and of the brokers
        """, metadata: clockMetadata)
    } else {
      logger.notice("the clocks agree again", metadata: clockMetadata)
    }
    publishStatus(force: true)
  }

  private var clockMetadata: Logger.Metadata {
    [
      "wall-ahead-of-timers": "\(clock.drift()) ms",
      "broker-ahead-of-timers": "\(clockGuard.brokerLead.map { "\($0) ms" } ?? "unknown")",
    ]
  }

  /// Compares the clocks with the broker's, which has just told its time by a state record of a commit.
  ///
  /// - Parameter start: the timer clock when the commit began.
  func compareClocks(since start: Int64) {
    guard reportedAppendTime != nil || !clockGuard.isVerified else { return }
    let now = clock.now()
    clockGuard.compare(appended: reportedAppendTime, sent: start, confirmed: now)
    guard let appended = reportedAppendTime,
      clockGuard.skew(drift: clock.drift()).magnitude > ClockGuard.bound
    else { return }
    // Two against one: the timer clock is wrong when the wall clock and the broker's agree.
    let wall = instants.wallMilliseconds
    let wallLead = ClockGuard.lead(of: appended, sent: wall - (now - start), confirmed: wall)
    guard wallLead.magnitude <= ClockGuard.bound else { return }
    logger.notice("the timer clock follows the wall clock and the broker's", metadata: clockMetadata)
    clock.realign()
    clockGuard.compare(appended: appended, sent: clock.now() - (now - start), confirmed: clock.now())
  }

  /// A persisted clock far ahead would hold every window, and expire or keep every id, until the world has caught up.
  func checkPersistedClocks(of home: HomePartition) throws {
    // Whoever wrote it was at most the bound ahead of the broker, and this process is at most as far behind.
    let now = clock.now() + (clockGuard.brokerLead ?? 0)
    for (name, instant) in [("timer", home.pipeline.timerClock), ("input", home.pipeline.inputClock)]
    where instant - now > 2 * ClockGuard.bound {
      throw ProcessorFault.clockAhead(
        topic: configuration.stateTopic, partition: home.partition, clock: name, instant: instant, now: now)
    }
  }

  // MARK: - Timers

  /// Closes windows that are due, as far as the batch has room.
  ///
  /// - Parameter share: the bytes of the batch that they may take, about.
  func closeDueWindows(upTo share: Int) {
    guard !areTimersStopped else { return }
    let now = clock.now()
    for _ in ownedHomes {
      guard dueBytes < share, !hasReached(configuration.backlogBytes), let home = mostOverdue(at: now) else {
        return
      }
      let before = home.pipeline.pendingBytes
      home.pipeline.tick(now: now)
      home.batch.dueBytes += home.pipeline.pendingBytes - before
      observer?.ticked(now: now, in: home.partition)
      home.batch.noteWork(at: monotonic)
    }
  }

  /// The partition with what was due first: where a full batch leaves some for later, none waits behind the others for
  /// good.
  private func mostOverdue(at now: Int64) -> HomePartition? {
    var found: (home: HomePartition, due: Int64)?
    for home in ownedHomes where home.isRunning {
      // The partition's own clock may be ahead of this process's, if another machine's was.
      guard let due = home.pipeline.nextDue(), due <= max(now, home.pipeline.timerClock) else { continue }
      if due < found?.due ?? Int64.max { found = (home, due) }
    }
    return found?.home
  }
}
