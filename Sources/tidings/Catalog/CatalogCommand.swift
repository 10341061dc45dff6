import ArgumentParser

/// `tidings catalog`
struct CatalogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog",
    abstract: "Check a catalog, and say when what it schedules is due.",
    discussion: """
      The catalog says how each type of notification is delivered: docs/catalog.md. No Kafka is needed, no
      configuration is read, and nothing is sent. What a catalog would send is told by `tidings simulate`.

      Examples:
        tidings catalog check catalog.yaml
        tidings catalog next board.card.moved --zone Europe/Berlin -n 5
        tidings catalog check catalog.yaml --json | jq '.problems[].line'
      """,
    subcommands: [CatalogCheckCommand.self, CatalogNextCommand.self])
}
