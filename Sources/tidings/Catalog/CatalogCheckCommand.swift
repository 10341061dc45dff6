import ArgumentParser

/// `tidings catalog check`
struct CatalogCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say all that is wrong in a catalog, each with line, column and what was probably meant.",
    discussion: """
      It reads the file as a process does at its start; a process does not start with what is refused here. Of a folder \
      all files *.yaml are one catalog. What it says in vain, such as defaults that no type falls back to, is a \
      warning: a process starts with it.

      Examples:
        tidings catalog check catalog.yaml
        tidings catalog check --strict catalogs/
        tidings catalog check catalog.yaml --json | jq '.problems[] | [.line, .message]'

      Exit status: 0 the catalog is sound; 1 it is, but with --strict there are warnings; 2 it has mistakes, or cannot be \
      read.
      """)

  @Argument(help: ArgumentHelp("The catalog, a file or a folder.", valueName: "path"))
  var path: String

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Let warnings count, too.")
  var strict = false

  func run() throws {
    let check = CatalogCheck(path: path)
    Terminal.output.write(json ? try check.json() : check.text)
    let status = check.status(isStrict: strict)
    if status != .done { throw CommandEnd(status) }
  }
}
