import ArgumentParser

/// `tidings catalog`
struct CatalogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog",
    abstract: "Check a catalog, and say what it does.",
    discussion: """
      The catalog says how each type of notification is delivered: docs/catalog.md. Nothing is sent, and no Kafka is \
      needed, but for a recipient's record in `show`. What a catalog would send is told by `tidings simulate`.

      Examples:
        tidings catalog check catalog.yaml
        tidings catalog show board.card.moved --recipient ada
        tidings catalog next board.card.moved --zone Europe/Berlin -n 5
        tidings catalog check catalog.yaml --json | jq '.problems[].line'
      """,
    subcommands: [CatalogCheckCommand.self, CatalogShowCommand.self, CatalogNextCommand.self])
}
