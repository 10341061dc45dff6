import ArgumentParser
import Delivery
import Inbox
import Operations
import Settings

/// `tidings inbox`
struct InboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inbox",
    abstract: "Run the inbox: stores what the processor delivers in-app, and serves it over HTTP.",
    discussion: """
      One process per database. The page and the API ask for no password: leave inbox.host on the loopback address \
      unless something in front of it does.

      Examples:
        tidings inbox
        tidings inbox --set inbox.database=/var/lib/tidings/inbox.sqlite --set inbox.port=8081
      """)

  @OptionGroup var options: SettingsOptions

  func run() async throws {
    let process = try ServiceProcess("inbox", options)
    let settings = process.settings
    let cluster = try settings.makeCluster(clientID: "tidings-inbox")
    let store = try InboxStore(path: settings.inbox.database)
    let signals = InboxSignals()
    let health = process.health
    let consumer = InboxConsumer(
      cluster: cluster, store: store, signals: signals,
      options: InboxConsumerOptions(prefix: settings.topics.prefix), logger: process.logger,
      onHealth: { reason in
        health.report("store", reason.map { .failing(reason: $0) } ?? .passing)
      })
    consumer.addChecks(to: health)
    let logger = process.logger
    let host = settings.inbox.host
    let server = InboxServer(
      store: store, signals: signals, host: host, ports: [settings.inbox.port], logger: logger,
      onListening: { logger.info("the inbox listens", metadata: ["address": "http://\(host):\($0)"]) })
    let publisher = EngagementPublisher(cluster: cluster, prefix: settings.topics.prefix)
    defer { publisher.close() }
    let engagement = InboxEngagement(store: store, publisher: publisher, logger: logger)
    try await process.run([engagement, server, consumer])
  }
}
