import Kafka
import Pipeline

/// What the worker says of itself.
extension Worker {
  /// Publishes the status, at most every half second unless something just changed for good.
  func publishStatus(force: Bool = false) {
    let now = monotonic
    let isTime = now - lastStatus >= Self.statusInterval
    guard force || isTime else { return }
    var worker = ProcessorStatus.Worker()
    worker.partitions = ownedHomes.map { home in
      ProcessorStatus.Partition(
        partition: home.partition, isRunning: home.isRunning, restoreProgress: home.restoreProgress,
        restoredRecords: home.restoredRecords, restoreTimeLeft: home.restoreTimeLeft(now: now),
        counters: home.pipeline.confirmedCounters, openWindows: home.pipeline.openWindowCount,
        ids: home.pipeline.idCount, fanOuts: home.pipeline.fanOutCount,
        isIdle: home.isRunning && home.isAtEnd.allSatisfy { $0 } && !home.pipeline.hasUncommittedWork
          && home.pipeline.fanOutCount == 0
          && inFlight == nil)
    }
    worker.isReady = hasJoined && !areTimersStopped && ownedHomes.allSatisfy(\.isRunning)
    worker.clockSkew = clockGuard.skew(drift: clock.drift())
    worker.areTimersStopped = areTimersStopped
    worker.catalogVersion = catalog.version
    status.set(worker, number: number)
    // While work goes on, gauges at the interval are soon enough: a scrape comes every few seconds.
    guard isTime || workSince == nil else { return }
    lastStatus = now
    metrics.publish(ownedHomes.map { self.lag(of: $0) }, worker: worker)
  }

  private func lag(of home: HomePartition) -> WorkerMetrics.Lag {
    var lag = WorkerMetrics.Lag(partition: home.partition)
    // Until the group has said where it stands nothing is known, which is not 0.
    guard home.phase != .assigned else { return lag }
    for topic in InputTopic.allCases {
      let position =
        home.isRunning
        ? home.pipeline.confirmedPositions[topic]
        : home.groupOffsets[topic] ?? home.inputStarts[topic, default: 0]
      let isAtEnd = home.isRunning && home.isAtEnd[topic.index]
      let end = max(
        consumer.cachedHighWatermark(of: topicPartition(topic, home.partition)) ?? 0,
        home.inputEnds[topic, default: 0])
      let records = isAtEnd ? 0 : max(0, end - position)
      lag.records[topic] = records
      // What nothing is known of has waited since the assignment at least.
      let age =
        home.inputAges.age(topic, now: instants.wallMilliseconds) ?? max(0, monotonic - home.assignedAt)
      lag.seconds[topic] = records == 0 ? 0 : Double(age) / 1000
    }
    return lag
  }
}
