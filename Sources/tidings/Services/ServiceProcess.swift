import Foundation
import Logging
import Metrics
import Operations
import ServiceLifecycle
import Settings

/// What every long-running process has in common: metrics and health over HTTP, and an end in order.
struct ServiceProcess {
  /// The process's settings.
  let settings: TidingsSettings
  /// What its parts report their health to.
  let health = HealthState()

  /// How long a process may take to end; whoever stops it allows a minute (docs/operations.md).
  private static let shutdownPatience: Duration = .seconds(57)
  /// How much of that a sink may spend on what is in progress.
  static let drainTime: Duration = .seconds(50)

  private let name: String
  private let registry = PrometheusRegistry()

  /// Prepares a process: reads the configuration, and takes the metrics of all libraries. Once per process.
  ///
  /// - Throws: `SettingsProblems`.
  init(_ name: String, _ options: SettingsOptions) throws {
    self.name = name
    // It says that the catalog is to be read again: who has none takes no notice, and is not ended by it (signal(7)). The
    // processor's reloader takes it from here.
    signal(SIGHUP, SIG_IGN)
    FileDescriptors.raiseLimit()
    settings = try options.loadWithLogging()
    MetricsSystem.bootstrap(registry)
    ProcessMetrics.install(in: registry)
  }

  /// A logger of the process.
  var logger: Logger { Logger(label: "tidings.\(name)") }

  /// Runs services until SIGINT or SIGTERM, or until one of them fails. They are started in this order, and stopped in
  /// the reverse one; metrics and health are there first and last.
  ///
  /// - Throws: the error of the service that failed.
  func run(_ services: [any Service]) async throws {
    let logger = logger
    let metrics = settings.metrics
    let operations = OperationsServer(
      host: metrics.host, port: metrics.port, registry: registry, health: health, logger: logger,
      onListening: { port in
        logger.info(
          "started", metadata: ["process": "\(name)", "metrics": "http://\(metrics.host):\(port)/metrics"])
      })
    var configuration = ServiceGroupConfiguration(
      services: [operations] + services, gracefulShutdownSignals: [.sigint, .sigterm],
      logger: Self.quiet(logger))
    configuration.maximumGracefulShutdownDuration = Self.shutdownPatience
    try await ServiceGroup(configuration: configuration).run()
    logger.info("stopped", metadata: ["process": "\(name)"])
  }

  /// The logger for the library that runs services: it tells of each of its steps, which concerns nobody. What fails is
  /// thrown.
  static func quiet(_ logger: Logger) -> Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .warning)
    return logger
  }
}
