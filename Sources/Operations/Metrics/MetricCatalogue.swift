/// Every metric that a process of Tidings exports: declared here and nowhere else.
///
/// `docs/metrics.md` is this catalogue as a page (``markdown``); a test compares the two, and another one
/// looks up every metric name in the sources here.
public enum MetricCatalogue {
  /// Bounds for work that takes milliseconds, in seconds.
  static let shortDurations: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  /// Bounds for the way of a notification, which may wait in a window for a day, in seconds.
  static let longDurations: [Double] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400,
  ]

  /// The declarations, grouped by the process that exports them.
  public static let all: [MetricDeclaration] = consumption + processor + sinks + email + inbox + process

  /// What every process that consumes exports.
  static let consumption: [MetricDeclaration] = [
    MetricDeclaration(
      "tidings_consumer_lag_records", .gauge, unit: "records", labels: ["group", "topic", "partition"],
      help: "Offsets between the group's committed position and the end of the partition; 0 when idle."),
    MetricDeclaration(
      "tidings_consumer_lag_seconds", .gauge, unit: "seconds", labels: ["group", "topic", "partition"],
      help:
        "Age of the first record that the group has not committed; 0 when there is none. A mail that is tried again holds it for as long as that takes."
    ),
  ]

  /// What a processor exports.
  static let processor: [MetricDeclaration] = [
    MetricDeclaration(
      "tidings_records_consumed_total", .counter, unit: "records",
      help: "Input records whose transaction was confirmed."),
    MetricDeclaration(
      "tidings_records_forwarded_total", .counter, unit: "records",
      help: "Records written to the routed topic or republished at home, one per recipient."),
    MetricDeclaration(
      "tidings_notifications_accepted_total", .counter, unit: "notifications", labels: ["channel"],
      help: "Channels of decided arrivals, duplicates included: the left side of the conservation law."),
    MetricDeclaration(
      "tidings_decisions_total", .counter, unit: "notifications", labels: ["channel", "outcome", "reason"],
      help: "Confirmed outcomes of notifications; the reason is empty unless the outcome is suppressed."),
    MetricDeclaration(
      "tidings_open_notifications", .gauge, unit: "notifications", labels: ["partition"],
      help: "Notifications that wait in a window for their delivery."),
    MetricDeclaration(
      "tidings_audience_events_total", .counter, unit: "events", labels: ["outcome"],
      help: "Events for an audience by what became of them: fannedOut, nobody (nobody follows it), duplicate."
    ),
    MetricDeclaration(
      "tidings_pending_fan_outs", .gauge, unit: "events", labels: ["partition"],
      help: "Events for an audience whose followers are not all served yet."),
    MetricDeclaration(
      "tidings_caught_up_total", .counter, unit: "notifications", labels: ["channel"],
      help: "Notifications that were too late to be delivered at once and went into the digest of catchUp."),
    MetricDeclaration(
      "tidings_engagement_total", .counter, unit: "records", labels: ["kind"],
      help: "Engagement records that were applied, by kind: seen, read, clicked, unsubscribed and so on."),
    MetricDeclaration(
      "tidings_facts_refused_total", .counter, unit: "facts",
      help: "Facts about recipients that were not remembered, since their partition held as many as it may."),
    MetricDeclaration(
      "tidings_conservation_difference", .gauge, unit: "notifications", labels: ["partition"],
      help: "Accepted less all outcomes and open ones of a home partition; must be 0."),
    MetricDeclaration(
      "tidings_transaction_seconds", .histogram(buckets: shortDurations), unit: "seconds",
      help: "Time from the begin of sending offsets to the confirmed commit."),
    MetricDeclaration(
      "tidings_transactions_total", .counter, unit: "transactions", labels: ["outcome"],
      help: "Transactions by outcome: committed, aborted, unknown."),
    MetricDeclaration(
      "tidings_rejected_total", .counter, unit: "records", labels: ["reason"],
      help: "Records that broke the contract and went to the rejected topic."),
    MetricDeclaration(
      "tidings_end_to_end_seconds", .histogram(buckets: longDurations), unit: "seconds", labels: ["channel"],
      help:
        "Time from the append of an event to the confirmed commit of its delivery record; what waited in a window is not counted."
    ),
    MetricDeclaration(
      "tidings_restore_progress_ratio", .gauge, unit: "ratio", labels: ["partition"],
      help: "Part of the state log that is read, 0 to 1; 1 when the partition is restored."),
    MetricDeclaration(
      "tidings_restore_records", .gauge, unit: "records", labels: ["partition"],
      help: "Records that the partition's last restore has read."),
    MetricDeclaration(
      "tidings_restore_left_seconds", .gauge, unit: "seconds", labels: ["partition"],
      help: "How long the restore takes if it goes on as it did; -1 while nothing is known."),
    MetricDeclaration(
      "tidings_catalog_info", .gauge, unit: "boolean", labels: ["version"],
      help: "1 for the version of the catalog in force, 0 for those before it in this process."),
    MetricDeclaration(
      "tidings_catalog_last_reload_successful", .gauge, unit: "boolean",
      help: "1 when the last reading of the catalog, at the start or by SIGHUP, found no mistake, else 0."),
    MetricDeclaration(
      "tidings_catalog_last_reload_success_timestamp_seconds", .gauge, unit: "seconds",
      help: "When a catalog without mistakes was read last, since the epoch."),
    MetricDeclaration(
      "tidings_clock_skew_seconds", .gauge, unit: "seconds", labels: ["worker"],
      help:
        "How far the wall clock or the broker's is ahead of the clock that closes windows, negative where it is behind; beyond 60 s of either none is closed."
    ),
    MetricDeclaration(
      "tidings_assigned_partitions", .gauge, unit: "partitions", labels: ["worker"],
      help: "Home partitions that a worker of this process owns."),
  ]

  /// What every sink exports, the inbox included.
  static let sinks: [MetricDeclaration] = [
    MetricDeclaration(
      "tidings_sink_delivered_total", .counter, unit: "deliveries", labels: ["channel"],
      help: "Deliveries that were handed over: mail accepted by the server, row stored in the inbox."),
    MetricDeclaration(
      "tidings_sink_failed_total", .counter, unit: "attempts", labels: ["channel"],
      help:
        "Attempts to hand a delivery over that failed, each retry included, and those that ended in a refusal for good."
    ),
    MetricDeclaration(
      "tidings_sink_dead_lettered_total", .counter, unit: "deliveries", labels: ["channel"],
      help: "Deliveries that were given up and went to the dead-letter topic with the reason."),
    MetricDeclaration(
      "tidings_sink_in_flight", .gauge, unit: "deliveries", labels: ["channel"],
      help: "Deliveries that were read and are not yet handed over."),
    MetricDeclaration(
      "tidings_delivery_latency_seconds", .histogram(buckets: longDurations), unit: "seconds",
      labels: ["channel"],
      help: "Time from the acceptance of an item to the hand-over of its delivery."),
    MetricDeclaration(
      "tidings_engagement_published_total", .counter, unit: "records", labels: ["channel", "kind"],
      help: "Records that the sink wrote to the engagement topic: seen, read, clicked, bounced, unsubscribed."
    ),
  ]

  /// What the email sink exports besides what every sink does.
  static let email: [MetricDeclaration] = [
    MetricDeclaration(
      "tidings_sink_untried_seconds", .gauge, unit: "seconds", labels: ["group", "topic", "partition"],
      help:
        "Age of the oldest delivery that waits for its first attempt, not counting those behind one of the same recipient that was tried; 0 when there is none."
    )
  ]

  /// What the inbox exports besides what every sink does.
  static let inbox: [MetricDeclaration] = [
    MetricDeclaration(
      "tidings_inbox_event_streams", .gauge, unit: "connections",
      help: "Clients that follow an inbox over Server-Sent Events."),
    MetricDeclaration(
      "tidings_inbox_store_seconds", .histogram(buckets: shortDurations), unit: "seconds",
      help: "Time of one database transaction that stores a batch of deliveries with its offsets."),
  ]

  /// What every process exports about itself, by the names of the Prometheus client libraries.
  static let process: [MetricDeclaration] = [
    MetricDeclaration(
      "tidings_ready", .gauge, unit: "boolean",
      help: "1 when the process answers ready at /readyz, else 0."),
    MetricDeclaration(
      "process_start_time_seconds", .gauge, unit: "seconds",
      help: "Start of the process since the epoch."),
    MetricDeclaration(
      "process_cpu_seconds_total", .counter, unit: "seconds",
      help: "User and system time that the process has spent."),
    MetricDeclaration(
      "process_resident_memory_bytes", .gauge, unit: "bytes",
      help: "Memory of the process that is in RAM."),
    MetricDeclaration(
      "process_open_fds", .gauge, unit: "descriptors",
      help: "Open file descriptors of the process."),
    MetricDeclaration(
      "process_max_fds", .gauge, unit: "descriptors",
      help: "The most file descriptors that the process may have open."),
  ]

  /// The declaration by name.
  static let byName: [String: MetricDeclaration] = Dictionary(
    all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}

extension MetricCatalogue {
  /// The catalogue as the page `docs/metrics.md`.
  public static var markdown: String {
    let sections: [(title: String, metrics: [MetricDeclaration])] = [
      ("Every process that consumes", consumption), ("Processor", processor), ("Sinks", sinks),
      ("Email sink", email), ("Inbox", inbox), ("Every process", process),
    ]
    var page = """
      # Metrics

      Each process serves its metrics at `/metrics` in the Prometheus text format 0.0.4. This page is
      generated from `Sources/Operations/Metrics/MetricCatalogue.swift`; change it there. To write the page
      anew, run `UPDATE_DOCS=1 swift test --filter OperationsTests`.

      """
    for section in sections {
      page += "\n## \(section.title)\n\n| Metric | Type | Unit | Labels | Meaning |\n|---|---|---|---|---|\n"
      for metric in section.metrics {
        let labels = metric.labels.isEmpty ? "" : metric.labels.map { "`\($0)`" }.joined(separator: ", ")
        page += "| `\(metric.name)` | \(metric.kind.name) | \(metric.unit) | \(labels) | \(metric.help) |\n"
      }
    }
    page += "\n## Buckets\n\n"
    for metric in all {
      guard case .histogram(let buckets) = metric.kind else { continue }
      let bounds = buckets.map { PrometheusText.number($0) }.joined(separator: ", ")
      page += "- `\(metric.name)`: \(bounds)\n"
    }
    return page
  }
}
