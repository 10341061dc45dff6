import ArgumentParser
import Audit
import Contract
import Foundation
import Kafka
import MarkedYAML
import Policy
import Settings

/// `tidings catalog show`
struct CatalogShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Say what would happen to an event of a type for a recipient, channel by channel.",
    discussion: """
      The processor's own state machine decides it, by the catalog and the recipient's record, as if nothing had come \
      before. The record is read from the recipients' topic of the configured cluster, or from a file with --recipients; \
      then no Kafka is needed, and no configuration is read.

      Examples:
        tidings catalog show board.card.moved --recipient ada
        tidings catalog show board.card.moved --recipient ada --catalog new.yaml --recipients people.ndjson
        tidings catalog show build.failed --recipient ada --tenant acme --priority critical --json

      Exit status: 0 done; 2 wrong usage, or the catalog has mistakes; 75 the cluster cannot be reached.
      """)

  @OptionGroup var settings: SettingsOptions

  @Argument(help: ArgumentHelp("The type, as events name it.", valueName: "type"))
  var type: String

  @Option(help: ArgumentHelp("The recipient's id.", valueName: "id"))
  var recipient: String

  @Option(help: ArgumentHelp("The recipient's tenant.", valueName: "tenant"))
  var tenant = RecipientKey.defaultTenant.description

  @Option(
    help: ArgumentHelp(
      "The catalog, a file or a folder. (default: processor.catalog; with --recipients: catalog.yaml)",
      valueName: "path"))
  var catalog: String?

  @Option(
    help: ArgumentHelp(
      "Records of recipients, as `tidings publish recipients` takes them, in place of the topic.",
      valueName: "file"))
  var recipients: String?

  @Option(help: ArgumentHelp("The event's own category. (default: the catalog's)", valueName: "category"))
  var category: String?

  @Option(help: ArgumentHelp("The event's own priority: normal or critical.", valueName: "priority"))
  var priority: String?

  @Option(help: ArgumentHelp("The event's subject, which recipients may mute.", valueName: "subject"))
  var subject: String?

  @Option(help: ArgumentHelp("Who causes the event.", valueName: "id"))
  var actor: String?

  @Option(
    help: ArgumentHelp(
      "When it comes, such as 2026-03-07T12:00:00Z. (default: now)", valueName: "time"))
  var at: String?

  @Option(
    help: ArgumentHelp(
      "The zone of a recipient whose record names none. (default: processor.timeZone)", valueName: "zone"))
  var zone: String?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard priority.map({ Priority(name: $0) != nil }) ?? true else {
      throw ValidationError(
        "--priority has to be \(Priority.allCases.map(\.name).joined(separator: " or "))")
    }
    if let problem = zone.flatMap({ ZoneDatabase.system.problem(with: $0) }) {
      throw ValidationError("--zone: \(problem)")
    }
    _ = try instant()
  }

  func run() throws {
    var question = Forecast.Question(type: type, recipient: recipient, at: try instant())
    question.tenant = tenant
    question.category = category
    question.subject = subject
    question.actor = actor
    question.priority = priority.flatMap { Priority(name: $0) }
    question.timeZone = zone ?? ""
    let shown = try recipients.map { try forecast(question, recordsIn: $0) } ?? forecast(question)
    Terminal.output.write(json ? try JSONDocument.text(shown, as: .indented) : shown.text)
  }

  /// By a record from a file.
  private func forecast(_ question: Forecast.Question, recordsIn path: String) throws -> Forecast {
    let catalog = try Catalog.load(path: catalog ?? "catalog.yaml")
    return try Forecast(
      question, record: try RecipientFile(path: path).record(of: recipient, tenant: tenant), catalog: catalog)
  }

  /// By the record in the topic.
  private func forecast(_ question: Forecast.Question) throws -> Forecast {
    let settings = try settings.loadWithLogging()
    var question = question
    question.timeZone = zone ?? settings.processor.timeZone
    question.recordLimit = settings.processor.recordLimit
    let catalog = try (catalog ?? settings.processor.catalog).map { try Catalog.load(path: $0) } ?? .default
    let cluster = try settings.makeCluster(clientID: "tidings-catalog-show")
    var progress = ProgressBar(delay: .seconds(1))
    defer { progress.clear() }
    let found = try RecipientRecordReader(cluster: cluster, topics: AuditTopics(settings)) {
      progress.show($0)
    }.read(tenant: tenant, recipient: recipient)
    let record = found.map {
      Forecast.Record(at: $0.at, appended: $0.appended, value: String(decoding: $0.value, as: UTF8.self))
    }
    return try Forecast(question, record: record, catalog: catalog)
  }

  private func instant() throws -> Int64 {
    guard let at else { return Int64(Date().timeIntervalSince1970 * 1_000) }
    guard let instant = at.withByteView({ RFC3339.milliseconds(of: $0) }) else {
      throw ValidationError("--at has to be an instant such as 2026-03-07T12:00:00Z, but is \"\(at)\"")
    }
    return instant
  }
}
