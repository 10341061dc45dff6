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
    var records: [InputTopic: Int64] = [:]
    for topic in InputTopic.allCases where home.isRunning {
      let partition = topicPartition(topic, home.partition)
      let end = home.isAtEnd[topic.index] ? nil : consumer.cachedHighWatermark(of: partition)
      records[topic] = end.map { max(0, $0 - home.pipeline.confirmedPositions[topic]) } ?? 0
    }
    let isBehind = records.values.contains { $0 > 0 }
    let seconds =
      isBehind && home.lastAppended > 0
      ? Double(max(0, instants.wallMilliseconds - home.lastAppended)) / 1000 : 0
    return WorkerMetrics.Lag(partition: home.partition, records: records, seconds: seconds)
  }
}
