import MarkedYAML
import Policy

/// The notification types that the benchmarks publish.
enum LoadCatalog {
  /// To the inbox at once: leaves an id and nothing else.
  static let immediate = "bench.immediate"
  /// Into a digest of the inbox: leaves an id, and an item in a window that outlasts the benchmark unless it is said
  /// when it is due.
  static let waiting = "bench.waiting"
  /// The same, in a window that is due at nine o'clock in UTC.
  static let scheduled = "bench.scheduled"
  /// The types of ``EventLoad``, with their shares of it in per cent.
  static let shares: [(type: String, percent: Int, isImmediateInInbox: Bool)] = [
    ("bench.now", 10, true), ("bench.now-and-digest", 40, true), ("bench.inbox-digest", 30, false),
    ("bench.digests", 20, false),
  ]

  /// - Parameters:
  ///   - windowSeconds: how long windows of ``waiting`` are open: seven days.
  ///   - time: when those of ``scheduled`` are due, in UTC.
  static func make(
    windowSeconds: Int = 604_800, scheduledAt time: String = "09:00"
  ) throws(YAMLProblems) -> Catalog {
    try Catalog.parse(
      yaml: """
        unknownTypes: reject
        types:
          \(immediate):
            category: bench
            title: "{{actor}} did {{data.what}}"
            channels:
              inapp: { policy: immediate }
          \(waiting):
            category: bench
            title: "{{actor}} did {{data.what}}"
            digestTitle: "{{totals.events}} events"
            channels:
              inapp: { policy: digest, window: \(windowSeconds)s, items: 10 }
          \(scheduled):
            category: bench-scheduled
            title: "{{actor}} did {{data.what}}"
            digestTitle: "{{totals.events}} events"
            channels:
              inapp: { policy: schedule, at: "\(time)", items: 10 }
          bench.now:
            category: now
            title: "{{actor}} did {{data.what}}"
            channels:
              inapp: { policy: immediate }
              email: { policy: immediate }
          bench.now-and-digest:
            category: now-and-digest
            title: "{{actor}} did {{data.what}}"
            digestTitle: "{{totals.events}} events"
            channels:
              inapp: { policy: immediate }
              email: { policy: digest, window: 5s, items: 10 }
          bench.inbox-digest:
            category: inbox-digest
            title: "{{actor}} did {{data.what}}"
            digestTitle: "{{totals.events}} events"
            channels:
              inapp: { policy: digest, window: 5s, items: 10 }
          bench.digests:
            category: digests
            title: "{{actor}} did {{data.what}}"
            digestTitle: "{{totals.events}} events"
            channels:
              inapp: { policy: digest, window: 5s, items: 10 }
              email: { policy: digest, window: 5s, items: 10 }
        """, file: "the catalog of the benchmark")
  }
}
