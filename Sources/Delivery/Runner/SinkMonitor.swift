import Contract
import Foundation
import Kafka
import Metrics
import Synchronization

/// What a sink tells the outside: metrics, counters and status. Any thread may write and read.
final class SinkMonitor: Sendable {
  private struct State {
    var counters = SinkCounters()
    var status = SinkStatus()
    var outages: [Obstacle: String] = [:]
    var lag: [Int32: LagGauges] = [:]
  }

  private struct LagGauges {
    let records: Gauge
    let seconds: Gauge
    let untried: Gauge
  }

  /// Of the thread that consumes.
  let pulse = Pulse()
  private let state = Mutex(State())
  private let delivered: Counter
  private let failed: Counter
  private let deadLettered: Counter
  private let inFlight: Gauge
  private let latency: Metrics.Timer
  private let group: String
  private let topic: String

  init(_ options: SinkOptions) {
    let dimensions = [("channel", options.channel.name)]
    delivered = Counter(label: "tidings_sink_delivered_total", dimensions: dimensions)
    failed = Counter(label: "tidings_sink_failed_total", dimensions: dimensions)
    deadLettered = Counter(label: "tidings_sink_dead_lettered_total", dimensions: dimensions)
    inFlight = Gauge(label: "tidings_sink_in_flight", dimensions: dimensions)
    latency = Metrics.Timer(label: "tidings_delivery_latency_seconds", dimensions: dimensions)
    group = options.group
    topic = options.topic
  }

  var counters: SinkCounters { state.withLock { $0.counters } }

  var status: SinkStatus { state.withLock { $0.status } }

  /// Counts a delivery that was handed over. Its latency counts from the acceptance of its last item.
  func recordDelivered(_ delivery: Delivery) {
    state.withLock { state in
      state.counters.delivered += 1
      state.counters.deliveredEvents += delivery.totalEvents
    }
    delivered.increment()
    if let accepted = delivery.items.map(\.acceptedAtMilliseconds).max() {
      latency.recordMilliseconds(max(0, Self.nowMilliseconds - accepted))
    }
  }

  func recordFailedAttempt() {
    state.withLock { $0.counters.failedAttempts += 1 }
    failed.increment()
  }

  func recordDeadLetter() {
    state.withLock { $0.counters.deadLettered += 1 }
    deadLettered.increment()
  }

  func recordSkipped() { state.withLock { $0.counters.skipped += 1 } }

  func record(inFlight count: Int) { inFlight.record(count) }

  func update(_ change: (inout SinkStatus) -> Void) { state.withLock { change(&$0.status) } }

  /// What may stand in the way of deliveries.
  enum Obstacle {
    /// The sink hands nothing over.
    case sink
    /// The dead-letter topic takes nothing.
    case deadLetters
  }

  /// Notes whether something stands in the way, and says whether that is news.
  func record(_ obstacle: Obstacle, outage: String?) -> Bool {
    state.withLock { state in
      let before = state.outages[obstacle]
      state.outages[obstacle] = outage
      state.status.outage = state.outages[.sink] ?? state.outages[.deadLetters]
      return (before == nil) != (outage == nil)
    }
  }

  /// Notes the lag of a partition: in records, and the age of the oldest record that is not dealt with, and of the oldest
  /// that nobody has tried.
  func record(lag: Int64, age: Duration, untried: Duration, partition: Int32) {
    let gauges = state.withLock { state in
      if let gauges = state.lag[partition] { return gauges }
      let dimensions = [("group", group), ("topic", topic), ("partition", "\(partition)")]
      let gauges = LagGauges(
        records: Gauge(label: "tidings_consumer_lag_records", dimensions: dimensions),
        seconds: Gauge(label: "tidings_consumer_lag_seconds", dimensions: dimensions),
        untried: Gauge(label: "tidings_sink_untried_seconds", dimensions: dimensions))
      state.lag[partition] = gauges
      return gauges
    }
    gauges.records.record(lag)
    gauges.seconds.record(age.seconds)
    gauges.untried.record(untried.seconds)
  }

  /// Ends the lag series of partitions that are not assigned any more: another member reports them.
  func forgetLag(of partitions: [Int32]) {
    let gone = state.withLock { state in partitions.compactMap { state.lag.removeValue(forKey: $0) } }
    for gauges in gone {
      gauges.records.destroy()
      gauges.seconds.destroy()
      gauges.untried.destroy()
    }
  }

  static var nowMilliseconds: Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded()) }
}
