import CoreMetrics
import Foundation
import Logging
import Synchronization
import Testing

@testable import Operations

@Suite("The Prometheus registry")
struct PrometheusRegistryTests {
  private static let declarations = [
    MetricDeclaration("jobs_total", .counter, unit: "jobs", labels: ["kind"], help: "Jobs done."),
    MetricDeclaration("depth", .gauge, unit: "items", help: "Items that wait."),
    MetricDeclaration("step_seconds", .histogram(buckets: [0.1, 1]), unit: "seconds", help: "A step."),
  ]

  private func lines(_ registry: PrometheusRegistry) -> [String] {
    registry.render().split(separator: "\n").map(String.init)
  }

  @Test("a counter renders help, type and one line per set of labels")
  func counter() {
    let registry = PrometheusRegistry(declarations: Self.declarations)
    Counter(label: "jobs_total", dimensions: [("kind", "b")], factory: registry).increment(by: 2)
    Counter(label: "jobs_total", dimensions: [("kind", "a")], factory: registry).increment()
    FloatingPointCounter(label: "jobs_total", dimensions: [("kind", "a")], factory: registry).increment(
      by: 0.5)
    #expect(
      lines(registry) == [
        "# HELP jobs_total Jobs done.", "# TYPE jobs_total counter", "jobs_total{kind=\"a\"} 1.5",
        "jobs_total{kind=\"b\"} 2",
      ])
  }

  @Test(
    "a histogram's buckets are cumulative, a bound belongs to its bucket, and count equals the last bucket")
  func histogram() {
    let registry = PrometheusRegistry(declarations: Self.declarations)
    let timer = Timer(label: "step_seconds", factory: registry)
    timer.recordNanoseconds(100_000_000)
    timer.recordNanoseconds(100_000_001)
    timer.recordSeconds(5)
    let text = lines(registry)
    #expect(text.contains("step_seconds_bucket{le=\"0.1\"} 1"))
    #expect(text.contains("step_seconds_bucket{le=\"1\"} 2"))
    #expect(text.contains("step_seconds_bucket{le=\"+Inf\"} 3"))
    #expect(text.contains("step_seconds_count 3"))
    #expect(text.contains { $0.hasPrefix("step_seconds_sum 5.2") })
  }

  @Test("quotes, backslashes and line feeds in a label are escaped, also behind a carriage return")
  func escaping() {
    let registry = PrometheusRegistry(declarations: Self.declarations)
    Counter(label: "jobs_total", dimensions: [("kind", "a\"b\\c\r\nd")], factory: registry).increment()
    #expect(lines(registry).contains("jobs_total{kind=\"a\\\"b\\\\c\r\\nd\"} 1"))
  }

  @Test("a gauge that was destroyed is no longer rendered")
  func destroyed() {
    let registry = PrometheusRegistry(declarations: Self.declarations)
    let gauge = Gauge(label: "depth", factory: registry)
    gauge.record(3)
    #expect(lines(registry).contains("depth 3"))
    gauge.destroy()
    #expect(registry.render().isEmpty)
  }

  @Test("label sets beyond the bound count in one series, nothing is lost, and it is logged once")
  func overflow() {
    let log = LogRecorder()
    let registry = PrometheusRegistry(declarations: Self.declarations, seriesLimit: 3, logger: log.logger)
    for index in 0..<100 {
      Counter(label: "jobs_total", dimensions: [("kind", "\(index)")], factory: registry).increment()
    }
    let series = lines(registry).filter { $0.hasPrefix("jobs_total") }
    #expect(series.count == 4)
    #expect(series.contains("jobs_total{kind=\"overflow\"} 97"))
    #expect(log.lines.count == 1)
  }

  @Test("a use against the declaration is not exported and is logged once")
  func mismatch() {
    let log = LogRecorder()
    let registry = PrometheusRegistry(declarations: Self.declarations, logger: log.logger)
    for _ in 0..<3 { Counter(label: "depth", factory: registry).increment() }
    #expect(registry.render().isEmpty)
    #expect(log.lines.count == 1)
  }

  @Test("increments from several threads are all counted")
  func concurrency() async {
    let registry = PrometheusRegistry(declarations: Self.declarations)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let counter = FloatingPointCounter(
            label: "jobs_total", dimensions: [("kind", "x")], factory: registry)
          let timer = Timer(label: "step_seconds", factory: registry)
          for _ in 0..<5_000 {
            counter.increment(by: 0.5)
            timer.recordNanoseconds(1)
          }
        }
      }
    }
    let text = lines(registry)
    #expect(text.contains("jobs_total{kind=\"x\"} 20000"))
    #expect(text.contains("step_seconds_count 40000"))
  }

  @Test("the process metrics read this process")
  func processMetrics() throws {
    try #require(ProcessMetrics.read() != nil, "needs /proc")
    let registry = PrometheusRegistry()
    ProcessMetrics.install(in: registry)
    let values = Dictionary(
      lines(registry).filter { !$0.hasPrefix("#") }.map { line in
        let parts = line.split(separator: " ")
        return (String(parts[0]), Double(parts[1]) ?? .nan)
      }, uniquingKeysWith: { first, _ in first })
    #expect(values["process_resident_memory_bytes", default: 0] > 1_000_000)
    #expect(values["process_open_fds", default: 0] >= 3)
    #expect(values["process_max_fds", default: 0] >= values["process_open_fds", default: 0])
    let start = values["process_start_time_seconds", default: 0]
    #expect(abs(start - Date().timeIntervalSince1970) < 3600 * 24)
  }

  @Test(
    "promtool finds nothing to say about the whole catalogue",
    .enabled(if: ExternalTool("promtool") != nil, "promtool is not installed (Debian: prometheus)"))
  func promtool() throws {
    let registry = PrometheusRegistry()
    for metric in MetricCatalogue.all {
      let dimensions = metric.labels.map { ($0, "a \"b\" \\ c\nd") }
      switch metric.kind {
      case .counter: Counter(label: metric.name, dimensions: dimensions, factory: registry).increment()
      case .gauge: Meter(label: metric.name, dimensions: dimensions, factory: registry).set(0.25)
      case .histogram: Timer(label: metric.name, dimensions: dimensions, factory: registry).recordSeconds(1)
      }
    }
    Timer(label: "http.server-duration", dimensions: [("a.b", "c")], factory: registry).recordSeconds(1)
    let tool = try #require(ExternalTool("promtool"))
    let result = try tool.run(["check", "metrics"], input: registry.render())
    // The unit of a foreign timer is not in its name, which is all that promtool may remark.
    #expect(result.status == 0, "\(result.output)")
  }
}

/// A log handler that keeps what was logged.
final class LogRecorder: Sendable {
  private let kept = Mutex<[String]>([])

  var lines: [String] { kept.withLock { $0 } }

  var logger: Logger {
    Logger(label: "test") { label in
      ConsoleLogHandler(label: label, format: .text, level: .debug) { line in
        self.kept.withLock { $0.append(line.string) }
      }
    }
  }
}
