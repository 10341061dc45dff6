import ArgumentParser
import Settings

/// `tidings config`
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print every setting, with its value in force and where that came from.",
    discussion: """
      What is printed is itself a configuration file, with secrets masked.

      Examples:
        tidings config
        tidings config --config production.yaml --set processor.workers=2
        tidings config reference > configuration.md
      """,
    subcommands: [Effective.self, Reference.self], defaultSubcommand: Effective.self)

  /// `tidings config effective`, which is what `tidings config` alone does.
  struct Effective: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "effective", abstract: "Print the settings in force (the default).")

    @OptionGroup var settings: SettingsOptions

    func run() throws {
      let effective = try settings.load()
      for warning in effective.warnings { Terminal.error.writeLine("warning: \(warning)") }
      Terminal.output.write(effective.render())
    }
  }

  /// `tidings config reference`
  struct Reference: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "reference", abstract: "Print the reference page of all settings, as Markdown.")

    func run() { Terminal.output.write(SettingsReference.markdown()) }
  }
}
