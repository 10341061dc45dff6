import ArgumentParser
import Delivery
import EmailSink
import Operations
import ServiceLifecycle
import Settings

/// `tidings sink`
struct SinkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sink", abstract: "Run the sink of a channel.", subcommands: [Email.self])

  /// `tidings sink email`
  struct Email: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "email",
      abstract: "Run the email sink: sends what the processor delivers by email.",
      discussion: """
        Any number of sinks share the work as one consumer group. A mail server that is away stops nothing: the \
        deliveries wait in their topic.

        Examples:
          tidings sink email --set email.smtp.host=mail.example.org --set email.smtp.tls=required
          tidings sink email --set email.transport=maildir --set email.maildir.path=./mail
        """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
      let process = try ServiceProcess("email", options)
      let settings = process.settings
      let cluster = try settings.makeCluster(clientID: "tidings-email")
      let prefix = settings.topics.prefix
      let publisher = EngagementPublisher(cluster: cluster, prefix: prefix)
      defer { publisher.close() }
      let links = settings.email.makeUnsubscribeLinks()
      let runner = SinkRunner(
        cluster: cluster,
        sink: try settings.email.makeSink(
          engagement: publisher, unsubscribeLinks: links, logger: process.logger),
        options: SinkOptions(
          channel: .email, topic: "\(prefix).delivery.email", group: "\(prefix)-email",
          concurrency: settings.email.concurrency,
          // About an hour: greylisting and full mailboxes refuse for minutes (RFC 5321 §4.5.4.1).
          retry: RetryPolicy(
            initialDelay: .seconds(2), maximumDelay: .seconds(600), attemptLimit: 14),
          drainTimeout: ServiceProcess.drainTime),
        logger: process.logger)
      process.health.add("sink", for: .readiness) {
        let status = runner.status
        if let outage = status.outage { return .failing(reason: "nothing can be handed over: \(outage)") }
        return status.isAssigned ? .passing : .failing(reason: "the group has given no partitions yet")
      }
      process.health.watch("consumer") { runner.silence }
      var services: [any Service] = [runner]
      if let links {
        let (unsubscribe, logger) = (settings.email.unsubscribe, process.logger)
        services.insert(
          UnsubscribeServer(
            links: links, engagement: publisher, host: unsubscribe.host, port: unsubscribe.port,
            logger: logger,
            onListening: { logger.info("unsubscribing is served", metadata: ["port": "\($0)"]) }), at: 0)
      }
      try await process.run(services)
    }
  }
}
