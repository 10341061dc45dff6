import ArgumentParser
import Contract
import Foundation
import Policy

/// `tidings catalog next`
struct CatalogNextCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "next",
    abstract: "Say when a type that is delivered by a schedule is due next.",
    discussion: """
      These are the times at which a digest of the type may be sent to a recipient in the zone; it is sent at one of them \
      only if something waits. docs/schedules.md says what happens where the clocks change.

      Examples:
        tidings catalog next board.card.moved --zone Europe/Berlin
        tidings catalog next board.card.moved --channel email -n 10 --catalog new.yaml
        tidings catalog next board.card.moved --zone America/New_York --from 2026-03-07T12:00:00-05:00
        tidings catalog next board.card.moved --json | jq -r '.channels[].due[].utc'

      Exit status: 0 done; 2 the type has no schedule there, the zone is not known, or the catalog has mistakes.
      """)

  @Argument(help: ArgumentHelp("The type, as events name it.", valueName: "type"))
  var type: String

  @Option(help: ArgumentHelp("Only this channel.", valueName: "channel"))
  var channel: String?

  @Option(help: ArgumentHelp("The recipient's zone, by its IANA name.", valueName: "zone"))
  var zone = "UTC"

  @Option(name: .customShort("n"), help: ArgumentHelp("How many times, 1 to 1,000.", valueName: "count"))
  var count = 5

  @Option(
    help: ArgumentHelp(
      "The times after this instant, such as 2026-03-07T12:00:00Z. (default: now)", valueName: "time"))
  var from: String?

  @Option(help: ArgumentHelp("The catalog, a file or a folder.", valueName: "path"))
  var catalog = "catalog.yaml"

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (1...1_000).contains(count) else { throw ValidationError("-n has to be from 1 to 1,000") }
    guard channel.map({ Channel(name: $0) != nil }) ?? true else {
      let names = Channel.allCases.map(\.name).joined(separator: " or ")
      throw ValidationError("--channel has to be \(names)")
    }
    _ = try start()
  }

  func run() throws {
    let times = try DueTimes(
      of: type, on: channel.flatMap { Channel(name: $0) }, in: try Catalog.load(path: catalog), file: catalog,
      zone: zone, count: count, after: try start())
    Terminal.output.write(json ? try times.json() : times.text)
  }

  private func start() throws -> Int64 {
    guard let from else { return Int64(Date().timeIntervalSince1970 * 1_000) }
    guard let instant = from.withByteView({ RFC3339.milliseconds(of: $0) }) else {
      throw ValidationError("--from has to be an instant such as 2026-03-07T12:00:00Z, but is \"\(from)\"")
    }
    return instant
  }
}
