import Foundation
import Testing

@testable import Operations

@Suite("The metric catalogue")
struct MetricCatalogueTests {
  @Test("every name is declared once, and counters end in _total")
  func names() {
    let names = MetricCatalogue.all.map(\.name)
    #expect(Set(names).count == names.count)
    for metric in MetricCatalogue.all {
      #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
    }
  }

  @Test("docs/metrics.md is the catalogue")
  func page() throws {
    let file = Checkout.root.appendingPathComponent("docs/metrics.md")
    if ProcessInfo.processInfo.environment["UPDATE_DOCS"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(MetricCatalogue.markdown.utf8).write(to: file)
    }
    #expect(
      try String(contentsOf: file, encoding: .utf8) == MetricCatalogue.markdown,
      "run UPDATE_DOCS=1 swift test --filter OperationsTests to write the page anew")
  }

  @Test("every metric that the sources, the alerts and the dashboard name is declared")
  func uses() throws {
    let sources = try FileManager.default.subpathsOfDirectory(
      atPath: Checkout.root.appendingPathComponent("Sources").path
    ).filter { $0.hasSuffix(".swift") }.map { "Sources/" + $0 }
    // In the sources a metric is a whole string literal; elsewhere any word of the form is one.
    let literal = /"(?<name>tidings_[a-z_]+)"/
    let word = /\b(?<name>tidings_[a-z_]+)/
    var found = 0
    for path in sources {
      for match in try Checkout.text(path).matches(of: literal) {
        found += 1
        #expect(MetricCatalogue.byName[String(match.name)] != nil, "\(match.name) in \(path)")
      }
    }
    for path in ["deploy/prometheus/alerts.yml", "deploy/grafana/tidings.json"] {
      for match in try Checkout.text(path).matches(of: word) {
        found += 1
        let name = String(match.name)
        let base = name.hasSuffix("_bucket") ? String(name.dropLast("_bucket".count)) : name
        #expect(MetricCatalogue.byName[base] != nil, "\(name) in \(path)")
      }
    }
    #expect(found > 40)
  }

  @Test("the dashboard is JSON with a title and an expression on every panel")
  func dashboard() throws {
    let text = try Checkout.text("deploy/grafana/tidings.json")
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let panels = try #require(document["panels"] as? [[String: Any]])
    #expect(panels.count > 15)
    for panel in panels where panel["type"] as? String != "row" {
      let targets = panel["targets"] as? [[String: Any]] ?? []
      #expect(!targets.isEmpty && targets.allSatisfy { $0["expr"] is String }, "\(panel["title"] ?? "?")")
    }
  }

  @Test(
    "promtool accepts the rules, the scrape example, and the rules' own tests",
    .enabled(if: ExternalTool("promtool") != nil, "promtool is not installed (Debian: prometheus)"),
    arguments: [
      ["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"],
      ["test", "rules", "alerts_test.yml"],
    ])
  func rules(arguments: [String]) throws {
    let tool = try #require(ExternalTool("promtool"))
    let folder = Checkout.root.appendingPathComponent("deploy/prometheus").path
    let file = try #require(arguments.last)
    let result = try tool.run(arguments.dropLast() + ["\(folder)/\(file)"])
    #expect(result.status == 0, "\(result.output)")
  }

  @Test("every alert has a test that expects it to fire")
  func alertsAreTested() throws {
    let rules = try Checkout.text("deploy/prometheus/alerts.yml")
    let tests = try Checkout.text("deploy/prometheus/alerts_test.yml")
    for match in rules.matches(of: /alert: (?<name>\w+)/) {
      #expect(
        tests.contains("alertname: \(match.name)\n        exp_alerts:"),
        "\(match.name) has no test that fires")
    }
  }
}
