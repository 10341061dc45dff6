import Foundation
import Logging
import MarkedYAML
import Metrics
import Policy
import ServiceLifecycle
import UnixSignals

/// Reads the catalog again at each SIGHUP, and lets the workers decide by it if it is sound: a service beside the
/// processor.
///
/// A catalog with mistakes changes nothing: they are logged, and the one before stays in force.
public struct CatalogReloader: Service {
  /// What came of a reload.
  public enum Outcome: Equatable, Sendable {
    /// Workers decide by the new one from their next record on.
    case applied(from: String, to: String)
    /// It says the same as before.
    case unchanged
    /// It has mistakes.
    case refused(YAMLProblems)
    /// There is no file: the processor runs with the built-in catalog.
    case noFile
  }

  private let path: String?
  private let processor: ProcessorService
  private let metrics: CatalogMetrics
  private let logger: Logger

  /// A reloader of a processor's catalog.
  ///
  /// - Parameter path: the file or folder that the processor's catalog was read from; nil where it has none.
  public init(
    path: String?, processor: ProcessorService, factory: any MetricsFactory = MetricsSystem.factory,
    logger: Logger
  ) {
    self.path = path
    self.processor = processor
    self.logger = logger
    metrics = CatalogMetrics(factory)
    metrics.applied(processor.catalog, former: nil)
  }

  /// Waits for signals until a graceful shutdown.
  public func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown()
    for await _ in signals { await reload() }
  }

  /// Reads the catalog once more. Calls must not overlap.
  @discardableResult
  public func reload() async -> Outcome {
    guard let path else {
      logger.warning("no catalog to read again: processor.catalog is not set")
      return .noFile
    }
    let former = processor.catalog
    let catalog: Catalog
    do {
      catalog = try await onThread("tidings catalog") { try Catalog.load(path: path) }
    } catch let problems as YAMLProblems {
      metrics.refused()
      logger.error(
        "the catalog has mistakes; version \(former.versionText) stays in force:\n\(problems)",
        metadata: ["catalog": "\(path)"])
      return .refused(problems)
    } catch {
      // The thread throws nothing else.
      logger.error("the catalog was not read: \(error)", metadata: ["catalog": "\(path)"])
      return .unchanged
    }
    for warning in catalog.warnings { logger.warning("\(warning)") }
    metrics.applied(catalog, former: former)
    guard catalog.version != former.version else {
      logger.info(
        "the catalog says the same as before",
        metadata: ["catalog": "\(path)", "version": "\(former.versionText)"])
      return .unchanged
    }
    processor.use(catalog)
    logger.info(
      "catalog reloaded",
      metadata: [
        "catalog": "\(path)", "version": "\(catalog.versionText)", "former": "\(former.versionText)",
        "types": "\(catalog.typeCount)",
      ])
    return .applied(from: former.versionText, to: catalog.versionText)
  }
}

/// Which catalog is in force, and whether the last try to read it succeeded, by the names that Prometheus has for its own
/// configuration.
private struct CatalogMetrics: Sendable {
  private let factory: any MetricsFactory

  init(_ factory: any MetricsFactory) { self.factory = factory }

  func applied(_ catalog: Catalog, former: Catalog?) {
    if let former { info(former).record(0) }
    info(catalog).record(1)
    successful.record(1)
    Gauge(label: "tidings_catalog_last_reload_success_timestamp_seconds", dimensions: [], factory: factory)
      .record(Date().timeIntervalSince1970)
  }

  func refused() { successful.record(0) }

  private var successful: Gauge {
    Gauge(label: "tidings_catalog_last_reload_successful", dimensions: [], factory: factory)
  }

  private func info(_ catalog: Catalog) -> Gauge {
    Gauge(label: "tidings_catalog_info", dimensions: [("version", catalog.versionText)], factory: factory)
  }
}
