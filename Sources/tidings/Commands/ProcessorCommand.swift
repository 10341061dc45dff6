import ArgumentParser
import Operations
import Policy
import Processor
import Settings

/// `tidings processor`
struct ProcessorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "processor",
    abstract: "Run the stream processor: decides what becomes of each notification.",
    discussion: """
      Any number of processors share the work as one consumer group. Stop one with SIGINT or SIGTERM: it commits what \
      it has decided. A broken catalog or configuration ends it at the start, with file, line and key.

      SIGHUP makes it read the catalog again, without a restart; a broken one is logged and changes nothing.

      Examples:
        tidings processor
        tidings processor --config production.yaml --set processor.instance=0 --set metrics.port=9465
      """)

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    let process = try ServiceProcess("processor", options)
    let settings = process.settings
    if let problem = ZoneDatabase.system.problem(with: settings.processor.timeZone) {
      throw CommandEnd(.usage, "processor.timeZone: \(problem)")
    }
    let catalog = try settings.processor.catalog.map { try Catalog.load(path: $0) }
    for warning in catalog?.warnings ?? [] { process.logger.warning("\(warning)") }
    let cluster = try settings.makeCluster(clientID: "tidings-processor")
    let service = ProcessorService(
      cluster: cluster, configuration: ProcessorConfiguration(settings), catalog: catalog ?? .default,
      logger: process.logger)
    service.status.addChecks(to: process.health)
    // The reloader first, so that it is there to take a SIGHUP from the first moment on.
    let reloader = CatalogReloader(
      path: settings.processor.catalog, processor: service, logger: process.logger)
    try await process.run([reloader, service])
  }
}
