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
  private let factory: any MetricsFactory
  private let delivered: Counter
  private let failures: Counter
  private let dead: Counter
  private let inFlight: Gauge
  private let latency: Timer
  private let storing: Timer
  private var lags: [Int32: Lag] = [:]
  /// The time of the record read last, per partition, in milliseconds since the epoch.
  private var times: [Int32: Int64] = [:]
  /// When the items of the batch were accepted, in milliseconds since the epoch.
  private var acceptances: [Int64] = []
  private var nextLag = ContinuousClock.now

  init(group: String, topic: String, factory: any MetricsFactory) {
    self.group = group
    self.topic = topic
    self.factory = factory
    let channel = [("channel", "inapp")]
    delivered = Counter(label: "tidings_sink_delivered_total", dimensions: channel, factory: factory)
    failures = Counter(label: "tidings_sink_failed_total", dimensions: channel, factory: factory)
    dead = Counter(label: "tidings_sink_dead_lettered_total", dimensions: channel, factory: factory)
    inFlight = Gauge(label: "tidings_sink_in_flight", dimensions: channel, factory: factory)
    latency = Timer(label: "tidings_delivery_latency_seconds", dimensions: channel, factory: factory)
    storing = Timer(label: "tidings_inbox_store_seconds", factory: factory)
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

  /// Sets the lag of each partition, at most every 2 s.
  ///
  /// - Parameters:
  ///   - positions: behind all that is stored.
  ///   - ends: where partitions ended when they were read to their ends.
  ///   - isPaused: whether nothing is fetched.
  func updateLag(
    of partitions: Set<Int32>, at positions: [Int32: Int64], atEnd ends: [Int32: Int64],
    from consumer: any GroupConsumer, isPaused: Bool
  ) {
    guard nextLag <= .now else { return }
    nextLag = .now + .seconds(2)
    // A question that has no answer takes its time, in which nobody polls: the others are not asked in this look.
    var isBrokerAsked = isPaused
    for partition in partitions {
      let gauges = lag(of: partition)
      let place = TopicPartition(topic: topic, partition: partition)
      let position = positions[partition]
      var records: Int64?
      if !isPaused {
        records = Self.recordsFetched(behind: position, of: place, atEnd: ends[partition], from: consumer)
      } else if isBrokerAsked {
        records = Self.recordsAtBroker(behind: position, of: place, from: consumer)
        isBrokerAsked = records != nil
      }
      let now = InboxStore.now()
      if records == 0 {
        // What is appended from here on has waited since then, however old the record is that was read last.
        times[partition] = now
        gauges.records.record(0)
        gauges.seconds.record(0)
        continue
      }
      if let records {
        gauges.records.record(records)
        if times[partition] == nil { times[partition] = now }
      }
      if let time = times[partition] { gauges.seconds.record(Double(max(0, now - time)) / 1000) }
    }
  }

  /// How many records follow a position by the last fetch; nil when that is not known. Asking the broker for each
  /// partition would wait behind the fetches, and hold up reading for seconds.
  private static func recordsFetched(
    behind position: Int64?, of place: TopicPartition, atEnd end: Int64?, from consumer: any GroupConsumer
  ) -> Int64? {
    if let end, position ?? 0 >= end { return 0 }
    guard let position, let end = consumer.cachedHighWatermark(of: place) else { return nil }
    return max(0, end - position)
  }

  /// How many records follow a position; nil when the broker does not say. While nothing is fetched, only the broker
  /// knows what was appended. Without a position nothing of the partition was ever stored.
  private static func recordsAtBroker(
    behind position: Int64?, of place: TopicPartition, from consumer: any GroupConsumer
  ) -> Int64? {
    guard let (low, high) = try? consumer.watermarks(of: place, timeout: .milliseconds(500)) else {
      return nil
    }
    return max(0, high - (position ?? low))
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
      records: Gauge(label: "tidings_consumer_lag_records", dimensions: dimensions, factory: factory),
      seconds: Gauge(label: "tidings_consumer_lag_seconds", dimensions: dimensions, factory: factory))
    lags[partition] = made
    return made
  }
}
