import Pipeline

/// Fan-outs to audiences go on beside everything else: a batch has so much room for them, and what comes in has the rest.
extension Worker {
  /// Whether the batch has room for another step.
  private var hasRoomForFanOuts: Bool {
    ownedHomes.reduce(0) { $0 + $1.batch.fanOutBytes } < configuration.fanOutBytes && !isFullOfInput
  }

  /// Whether a fan-out waits for nothing but the next turn.
  var canContinueFanOuts: Bool {
    hasRoomForFanOuts && ownedHomes.contains { $0.isRunning && $0.pipeline.fanOutCount > 0 }
  }

  /// Serves the followers of audiences as far as the batch has room, the partitions in turn.
  func continueFanOuts() {
    while hasRoomForFanOuts, let home = nextFanOutHome() {
      nextFanOutPartition = home.partition + 1
      let before = home.pipeline.pendingBytes
      let now = areTimersStopped ? home.pipeline.timerClock : clock.now()
      home.pipeline.continueFanOut(now: now, using: codecs)
      observer?.continuedFanOut(now: now, in: home.partition)
      home.batch.fanOutBytes += home.pipeline.pendingBytes - before
      home.batch.noteWork(at: monotonic)
    }
  }

  private func nextFanOutHome() -> HomePartition? {
    let waiting = ownedHomes.filter { $0.isRunning && $0.pipeline.fanOutCount > 0 }
    return waiting.first { $0.partition >= nextFanOutPartition } ?? waiting.first
  }
}
