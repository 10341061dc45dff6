import Contract
import Metrics
import Pipeline

/// A worker's metrics, by the conventions of `docs/metrics.md`. They are written per commit, not per record, so that
/// work that is aborted leaves no trace in them.
final class WorkerMetrics {
  enum Outcome: String, CaseIterable {
    case committed
    case aborted
    case unknown
  }

  /// How far a partition is behind, by topic; what is not known is left out.
  struct Lag {
    var partition: Int32
    var records: [InputTopic: Int64] = [:]
    var seconds: [InputTopic: Double] = [:]

    /// What a partition of another member is.
    static func none(_ partition: Int32) -> Lag {
      Lag(
        partition: partition, records: Dictionary(uniqueKeysWithValues: InputTopic.allCases.map { ($0, 0) }),
        seconds: Dictionary(uniqueKeysWithValues: InputTopic.allCases.map { ($0, 0) }))
    }
  }

  private let configuration: ProcessorConfiguration
  private let factory: any MetricsFactory
  private let worker: (String, String)
  private let transactionSeconds: Timer
  private let endToEnd: [Timer]
  private var counters: [String: Counter] = [:]
  private var gauges: [String: Gauge] = [:]
  /// The partitions that were published last.
  private var published: Set<Int32> = []

  init(
    configuration: ProcessorConfiguration, worker number: Int,
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.configuration = configuration
    self.factory = factory
    worker = ("worker", "\(number)")
    transactionSeconds = Timer(label: "tidings_transaction_seconds", dimensions: [], factory: factory)
    endToEnd = Channel.allCases.map {
      Timer(label: "tidings_end_to_end_seconds", dimensions: [("channel", $0.name)], factory: factory)
    }
    // A counter that appears with its first increment hides that increment from rates.
    count(from: Counters(), to: Counters())
    for outcome in Outcome.allCases { add("tidings_transactions_total", [("outcome", outcome.rawValue)], 0) }
    for kind in Engagement.Kind.allCases { add("tidings_engagement_total", [("kind", kind.rawValue)], 0) }
    for reason in RejectionReason.allCases { add("tidings_rejected_total", [("reason", reason.rawValue)], 0) }
  }

  /// Counts what a confirmed commit added.
  func count(from before: Counters, to after: Counters) {
    add("tidings_records_consumed_total", [], after.consumed - before.consumed)
    add("tidings_records_forwarded_total", [], after.forwards - before.forwards)
    add("tidings_facts_refused_total", [], after.factsRefused - before.factsRefused)
    let fanOuts: [(String, Int64)] = [
      ("fannedOut", after.fanOuts - before.fanOuts),
      ("nobody", after.withoutFollowers - before.withoutFollowers),
      ("duplicate", after.repeatedFanOuts - before.repeatedFanOuts),
    ]
    for (outcome, increase) in fanOuts {
      add("tidings_audience_events_total", [("outcome", outcome)], increase)
    }
    for channel in Channel.allCases {
      let old = before[channel]
      let new = after[channel]
      let label = ("channel", channel.name)
      add("tidings_notifications_accepted_total", [label], new.accepted - old.accepted)
      add("tidings_caught_up_total", [label], new.caughtUp - old.caughtUp)
      let outcomes: [(String, Int64)] = [
        ("delivered", new.delivered - old.delivered), ("expired", new.expired - old.expired),
        ("retracted", new.retracted - old.retracted), ("collapsed", new.collapsed - old.collapsed),
      ]
      for (outcome, increase) in outcomes {
        add("tidings_decisions_total", [label, ("outcome", outcome), ("reason", "")], increase)
      }
      for reason in SuppressionReason.allCases {
        add(
          "tidings_decisions_total",
          [label, ("outcome", "suppressed"), ("reason", reason.literal.description)],
          new.suppressed[reason] - old.suppressed[reason])
      }
    }
  }

  /// Counts what a confirmed commit rejected, by the index of the reason.
  func countRejections(from before: [Int64], to after: [Int64]) {
    guard before != after else { return }
    for (reason, (old, new)) in zip(RejectionReason.allCases, zip(before, after)) {
      add("tidings_rejected_total", [("reason", reason.rawValue)], new - old)
    }
  }

  /// Counts the engagement records that a confirmed commit applied, by the index of their kind.
  func countEngagements(from before: [Int64], to after: [Int64]) {
    guard before != after else { return }
    for (kind, (old, new)) in zip(Engagement.Kind.allCases, zip(before, after)) {
      add("tidings_engagement_total", [("kind", kind.rawValue)], new - old)
    }
  }

  /// Counts a transaction.
  func transaction(_ outcome: Outcome, milliseconds: Int64 = 0) {
    add("tidings_transactions_total", [("outcome", outcome.rawValue)], 1)
    if outcome == .committed { transactionSeconds.recordMilliseconds(milliseconds) }
  }

  /// Records the latency of the immediate deliveries that a commit made visible.
  ///
  /// - Parameter appendTimes: those of their events, in milliseconds since the epoch, as is `now`.
  func delivered(_ appendTimes: [Int64], on channel: Channel, now: Int64) {
    for appended in appendTimes { endToEnd[Int(channel.rawValue)].recordMilliseconds(max(0, now - appended)) }
  }

  /// Sets what is true at the moment. What another member has is 0 here, or its last value would stand for ever.
  func publish(_ lags: [Lag], worker: ProcessorStatus.Worker) {
    let owned = Set(worker.partitions.map(\.partition))
    let gone = published.subtracting(owned)
    published = owned
    for partition in gone {
      let label = ("partition", "\(partition)")
      set("tidings_open_notifications", [label], 0)
      set("tidings_pending_fan_outs", [label], 0)
      set("tidings_restore_progress_ratio", [label], 1)
      set("tidings_restore_left_seconds", [label], 0)
      set("tidings_restore_records", [label], 0)
      set("tidings_conservation_difference", [label], 0)
    }
    for lag in lags + gone.map(Lag.none) {
      for topic in InputTopic.allCases {
        let labels = [
          ("group", configuration.groupID), ("topic", configuration.topic(topic.name)),
          ("partition", "\(lag.partition)"),
        ]
        if let records = lag.records[topic] { set("tidings_consumer_lag_records", labels, Double(records)) }
        if let seconds = lag.seconds[topic] { set("tidings_consumer_lag_seconds", labels, seconds) }
      }
    }
    for partition in worker.partitions {
      let number = partition.partition
      let label = ("partition", "\(number)")
      set("tidings_restore_progress_ratio", [label], partition.restoreProgress)
      set("tidings_restore_records", [label], Double(partition.restoredRecords))
      set("tidings_restore_left_seconds", [label], Double(partition.restoreTimeLeft ?? -1000) / 1000)
      set("tidings_conservation_difference", [label], Double(partition.counters.difference))
      set("tidings_open_notifications", [label], Double(partition.counters.total.open))
      set("tidings_pending_fan_outs", [label], Double(partition.fanOuts))
    }
    set("tidings_assigned_partitions", [self.worker], Double(worker.partitions.count))
    set("tidings_clock_skew_seconds", [self.worker], Double(worker.clockSkew) / 1000)
  }

  private func add(_ name: String, _ labels: [(String, String)], _ increase: Int64) {
    guard increase >= 0 else { return }
    let key = Self.key(name, labels)
    let counter = counters[key] ?? Counter(label: name, dimensions: labels, factory: factory)
    counters[key] = counter
    counter.increment(by: increase)
  }

  private func set(_ name: String, _ labels: [(String, String)], _ value: Double) {
    let key = Self.key(name, labels)
    let gauge = gauges[key] ?? Gauge(label: name, dimensions: labels, factory: factory)
    gauges[key] = gauge
    gauge.record(value)
  }

  private static func key(_ name: String, _ labels: [(String, String)]) -> String {
    labels.reduce(into: name) { $0 += "\u{0}\($1.1)" }
  }
}

extension Timer {
  fileprivate func recordMilliseconds(_ milliseconds: Int64) {
    recordNanoseconds(milliseconds * 1_000_000)
  }
}
