import MarkedYAML
import Policy

/// The notification types that the benchmarks publish.
enum LoadCatalog {
  /// To the inbox at once: leaves an id and nothing else.
  static let immediate = "bench.immediate"
  /// Into a digest of the inbox: leaves an id, and an item in a window that outlasts every benchmark.
  static let waiting = "bench.waiting"

  static func make() throws(YAMLProblems) -> Catalog {
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
              inapp: { policy: digest, window: 7d, items: 10 }
        """, file: "the catalog of the benchmark")
  }
}
