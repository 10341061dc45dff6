import Foundation
import Kafka
import Metrics

/// The metrics of the inbox's consumer. Confined to its thread.
final class InboxMetrics {
  private struct Lag {
    let records: Gauge
    let seconds: Gauge
  }

  private let group: String
  private let topic: String
  private let delivered = Counter(label: "tidings_sink_delivered_total", dimensions: [("channel", "inapp")])
  private let failures = Counter(label: "tidings_sink_failed_total", dimensions: [("channel", "inapp")])
  private let dead = Counter(label: "tidings_sink_dead_lettered_total", dimensions: [("channel", "inapp")])
  private let inFlight = Gauge(label: "tidings_sink_in_flight", dimensions: [("channel", "inapp")])
  private let latency = Timer(label: "tidings_delivery_latency_seconds", dimensions: [("channel", "inapp")])
  private let storing = Timer(label: "tidings_inbox_store_seconds")
  private var lags: [Int32: Lag] = [:]
  /// The time of the record read last, per partition, in milliseconds since the epoch.
  private var times: [Int32: Int64] = [:]
  /// When the items of the batch were accepted, in milliseconds since the epoch.
  private var acceptances: [Int64] = []
  private var nextLag = ContinuousClock.now

  init(group: String, topic: String) {
    self.group = group
    self.topic = topic
  }

  func seen(_ record: ConsumedRecord) {
    if record.timestampMilliseconds > 0 { times[record.partition] = record.timestampMilliseconds }
  }

  func accepted(at instants: [Int64]) {
    acceptances.append(contentsOf: instants)
  }

  func stored(_ applied: InboxApplied, in duration: Duration) {
    delivered.increment(by: applied.inserted)
    storing.record(duration: duration)
    let now = InboxStore.now()
    for instant in acceptances { latency.recordMilliseconds(max(0, now - instant)) }
    acceptances.removeAll(keepingCapacity: true)
    inFlight.record(0)
  }

  func failed() {
    failures.increment()
    inFlight.record(acceptances.count)
  }

  func deadLettered(_ count: Int) { dead.increment(by: count) }

  /// Sets the lag of each partition, at most every 2 s. The ends are those of the last fetch: a request for each
  /// partition would wait behind the fetches, and hold up reading for seconds.
  func updateLag(
    of partitions: Set<Int32>, at positions: [Int32: Int64], atEnd ends: [Int32: Int64],
    from consumer: any GroupConsumer
  ) {
    guard nextLag <= .now else { return }
    nextLag = .now + .seconds(2)
    let now = InboxStore.now()
    for partition in partitions {
      let gauges = lag(of: partition)
      if let end = ends[partition], positions[partition] ?? 0 >= end {
        gauges.records.record(0)
        gauges.seconds.record(0)
        continue
      }
      if let time = times[partition] { gauges.seconds.record(Double(max(0, now - time)) / 1000) }
      guard let position = positions[partition] else { continue }
      let place = TopicPartition(topic: topic, partition: partition)
      guard let end = consumer.cachedHighWatermark(of: place) else { continue }
      gauges.records.record(max(0, end - position))
    }
  }

  /// Takes the lag of partitions away that are another member's, and what was read of them.
  func forget(_ partitions: Set<Int32>) {
    for partition in partitions {
      if let gauges = lags.removeValue(forKey: partition) {
        gauges.records.destroy()
        gauges.seconds.destroy()
      }
    }
    times.removeAll()
    acceptances.removeAll()
  }

  private func lag(of partition: Int32) -> Lag {
    if let known = lags[partition] { return known }
    let dimensions = [("group", group), ("topic", topic), ("partition", "\(partition)")]
    let made = Lag(
      records: Gauge(label: "tidings_consumer_lag_records", dimensions: dimensions),
      seconds: Gauge(label: "tidings_consumer_lag_seconds", dimensions: dimensions))
    lags[partition] = made
    return made
  }
}
