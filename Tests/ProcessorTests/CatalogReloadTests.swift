import Foundation
import Logging
import Metrics
import MetricsTestKit
import Policy
import ServiceLifecycle
import Testing

@testable import Processor

@Suite(.serialized) final class CatalogReloadTests {
  private let file = FileManager.default.temporaryDirectory.appending(
    path: "tidings-reload-\(UUID().uuidString).yaml")
  private let log = CollectedLog()
  private let registry = TestMetrics()

  deinit { try? FileManager.default.removeItem(at: file) }

  private static let other = """
    types:
      card.moved: { title: a card moved, channels: { inapp: { policy: immediate } } }
    """

  private func write(_ yaml: String) throws { try Data(yaml.utf8).write(to: file, options: .atomic) }

  private func gauge(_ label: String, _ dimensions: [(String, String)] = []) throws -> Double? {
    try registry.expectGauge(label, dimensions).lastValue
  }

  /// A processor with its reloader, until `body` has ended.
  private func run(
    _ harness: ProcessorHarness, _ body: (ProcessorService, CatalogReloader) async throws -> Void
  ) async throws {
    try write(ProcessorHarness.catalogYAML)
    let service = ProcessorService(
      cluster: harness.cluster, configuration: harness.configuration,
      catalog: try Catalog.load(path: file.path), logger: harness.logger)
    let reloader = CatalogReloader(path: file.path, processor: service, factory: registry, logger: log.logger)
    let group = ServiceGroup(services: [reloader, service], logger: harness.logger)
    let task = Task { try await group.run() }
    try await eventually("the processor decides") {
      service.status.isReady && service.status.runningPartitions > 0
    }
    try await body(service, reloader)
    await group.triggerGracefulShutdown()
    try await task.value
  }

  private func versions(of harness: ProcessorHarness) throws -> [String: String] {
    try harness.deliveries(.inapp).reduce(into: [:]) { versions, delivery in
      let item = try #require((delivery["items"] as? [[String: Any]])?.first)
      let id = try #require(item["id"] as? String)
      #expect(versions[id] == nil, "\(id) is delivered twice")
      versions[id] = try #require(delivery["catalog"] as? String)
    }
  }

  @Test(
    "SIGHUP makes a processor decide by the changed file, without a restart and without sending anything twice"
  )
  func signal() async throws {
    // Until the reloader listens, the signal would end the tests.
    let former = Foundation.signal(SIGHUP, SIG_IGN)
    defer { _ = Foundation.signal(SIGHUP, former) }
    let harness = try ProcessorHarness(partitionCount: 2)
    try await run(harness) { service, _ in
      let first = service.catalog.versionText
      let before = ["ann", "bob", "cay"].map { ProcessorHarness.event("1-\($0)", recipients: $0) }
      try await harness.publish(before)
      try await eventually("the first ones are delivered") { service.status.counters.inapp.delivered == 3 }
      try write(Self.other)
      let second = try Catalog.load(path: file.path)
      try await eventually("the workers decide by the other catalog") {
        kill(getpid(), SIGHUP)
        return service.status.workers.values.allSatisfy { $0.catalogVersion == second.version }
      }
      let after = ["ann", "bob", "cay"].map { ProcessorHarness.event("2-\($0)", recipients: $0) }
      // The first ones again: no catalog makes a repeat a new notification.
      try await harness.publish(after + before)
      try await eventually("the second ones are delivered, and no window is open") {
        service.status.counters.inapp.delivered == 6 && service.status.counters.total.open == 0
          && service.status.counters.inapp.suppressed[.duplicate] == 3
      }
      let versions = try versions(of: harness)
      #expect(versions.count == 6)
      for (id, version) in versions {
        #expect(version == (id.hasPrefix("1") ? first : second.versionText), "\(id)")
      }
      #expect(service.status.counters.difference == 0)
      #expect(log.contains("catalog reloaded", "former=\(first)", "version=\(second.versionText)"))
      #expect(try gauge("tidings_catalog_info", [("version", first)]) == 0)
      #expect(try gauge("tidings_catalog_info", [("version", second.versionText)]) == 1)
    }
  }

  @Test("a broken catalog is logged with its mistakes, and the one before stays in force")
  func broken() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    try await run(harness) { service, reloader in
      let version = service.catalog.version
      let text = service.catalog.versionText
      #expect(try gauge("tidings_catalog_last_reload_successful") == 1)
      try write("types:\n  card.moved: { titel: x }\n")
      guard case .refused(let problems) = await reloader.reload() else {
        Issue.record("the catalog was not refused")
        return
      }
      #expect(problems.problems.count == 2 && problems.problems[0].line == 2)
      #expect(service.catalog.version == version)
      #expect(log.contains("error", "stays in force", "2:17: types[\"card.moved\"].titel"))
      #expect(try gauge("tidings_catalog_last_reload_successful") == 0)
      try await harness.publish([ProcessorHarness.event("1", recipients: "ann")])
      try await eventually("it is delivered by the former catalog") {
        service.status.counters.inapp.delivered == 1
      }
      #expect(service.status.workers[0]?.catalogVersion == version)
      try write(Self.other)
      let other = try Catalog.load(path: file.path).versionText
      #expect(await reloader.reload() == .applied(from: text, to: other))
      #expect(try gauge("tidings_catalog_last_reload_successful") == 1)
      try write("# the same\n" + Self.other)
      #expect(await reloader.reload() == .unchanged)
    }
  }

  @Test("without a file there is nothing to read again")
  func noFile() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    let service = ProcessorService(
      cluster: harness.cluster, configuration: harness.configuration, catalog: .default,
      logger: harness.logger)
    let reloader = CatalogReloader(path: nil, processor: service, factory: registry, logger: log.logger)
    #expect(await reloader.reload() == .noFile)
    #expect(log.contains("warning", "processor.catalog is not set"))
  }
}
