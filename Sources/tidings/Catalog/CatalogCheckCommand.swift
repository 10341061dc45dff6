import ArgumentParser

/// `tidings catalog check`
struct CatalogCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say all that is wrong in a catalog, each with line, column and what was probably meant.",
    discussion: """
      It reads the file as a process does at its start; a process does not start with what is refused here. Of a folder
      all files *.yaml are one catalog. What it says in vain, such as defaults that no type falls back to, is a
      warning.

      Examples:
        tidings catalog check catalog.yaml
        tidings catalog check catalogs/
        tidings catalog check catalog.yaml --json | jq '.problems[] | [.line, .message]'

      Exit status: 0 the catalog is sound; 1 it is, but there are warnings; 2 it has mistakes, or cannot be read.
      """)

  @Argument(help: ArgumentHelp("The catalog, a file or a folder.", valueName: "path"))
  var path: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let check = CatalogCheck(path: path)
    Terminal.output.write(json ? try check.json() : check.text)
    if !check.isSound { throw CommandEnd(.usage) }
    if !check.warnings.isEmpty { throw CommandEnd(.failed) }
  }
}
