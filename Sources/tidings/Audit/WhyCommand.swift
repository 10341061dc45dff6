import ArgumentParser
import Audit
import Foundation
import Kafka
import Settings

/// `tidings why`
struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Say in plain words what became of a recipient's notifications.",
    discussion: """
      For each: when it came, what decided it, which digest holds it, its delivery record, and whether the sink handed \
      it over or gave it up. It reads only the recipient's home partition, and only from --since on. docs/why.md says \
      what is not recorded.

      Examples:
        tidings why --recipient ada
        tidings why --recipient ada --tenant acme --event order-17 --since 3d
        tidings why --recipient ada --since 2026-03-01T08:00:00Z --json | jq '.notifications[].channels'

      Exit status: 0 something was found; 1 nothing was, and the output says what may be the reason; 2 wrong usage or \
      configuration; 75 the cluster cannot be reached, or retention or a transaction was in the way: try again later.
      """)

  @OptionGroup var options: SettingsOptions

  @Option(help: ArgumentHelp("The recipient's id.", valueName: "id"))
  var recipient: String

  @Option(help: ArgumentHelp("The recipient's tenant.", valueName: "tenant"))
  var tenant = "default"

  @Option(help: ArgumentHelp("Only events of this id.", valueName: "id"))
  var event: String?

  @Option(help: ArgumentHelp("Only events of this source.", valueName: "source"))
  var source: String?

  @Option(
    help: ArgumentHelp(
      "How far back: 30m, 2h, 7d, or an instant such as 2026-03-01T08:00:00Z.", valueName: "time"))
  var since: LookBack = LookBack(seconds: 86_400)

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let settings = try options.loadWithLogging()
    let cluster = try settings.makeCluster(clientID: "tidings-why")
    var progress = ProgressBar(delay: .seconds(1))
    defer { progress.clear() }
    let question = AccountQuestion(
      tenant: tenant, recipient: recipient, event: event, source: source,
      sinceMilliseconds: since.milliseconds(now: Int64(Date().timeIntervalSince1970 * 1000)))
    let account = try AccountReader(cluster: cluster, topics: AuditTopics(settings)) { progress.show($0) }
      .read(question)
    progress.clear()
    Terminal.output.write(json ? try account.json() : account.text)
    if account.isEmpty { throw CommandEnd(.failed) }
  }
}
