import ArgumentParser

/// `tidings publish`
struct PublishCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Publish events, the records of recipients, or who follows which audience.",
    discussion: """
      Examples:
        tidings publish events.ndjson.gz
        zcat events-*.gz | tidings publish -
        tidings publish events.ndjson --repeat 0.1 --seed 7
        tidings publish git . --max 1000
        tidings publish recipients people.ndjson
        tidings publish subscriptions boards.ndjson
      """,
    subcommands: [
      PublishFileCommand.self, PublishGitCommand.self, PublishRecipientsCommand.self,
      PublishSubscriptionsCommand.self,
    ],
    defaultSubcommand: PublishFileCommand.self)
}

/// The flags of everything that publishes events.
struct PublishOptions: ParsableArguments {
  @OptionGroup var settings: SettingsOptions

  @OptionGroup var repeats: RepeatOptions

  @Option(help: ArgumentHelp("The most events a second.", valueName: "n"))
  var rate: Int?

  @Flag(help: "Stop at the first event that breaks the contract.")
  var strict = false

  func validate() throws {
    if let rate, rate < 1 { throw ValidationError("--rate has to be 1 or more") }
  }
}

/// `tidings publish [FILE]`
struct PublishFileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "file",
    abstract: "Publish CloudEvents, one JSON object a line (the default).",
    discussion: """
      Each line is checked as the processor would check it. One that breaks the contract is reported with its number \
      and left out; the exit status is then 1. The file may be compressed with gzip.

      Examples:
        tidings publish events.ndjson.gz
        tidings publish - --rate 100 < events.ndjson
        tidings publish events.ndjson --repeat 0.1 --seed 7
      """)

  @OptionGroup var options: PublishOptions

  @Argument(help: "The file, or - for standard input.")
  var file = "-"

  func run() throws {
    let stop = StopSignal()
    // A mistake in the name is told before the cluster is asked for anything. A FIFO can be opened once: who writes to
    // it is gone when that is closed.
    let input = try InputFile(path: file, stop: stop)
    try PublishSession(options, stop: stop).publishLines(of: input)
  }
}

/// `tidings publish git PATH`
struct PublishGitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "git",
    abstract: "Publish the history of a git repository as events.",
    discussion: """
      Each commit is an event of the type \(GitEvents.type). Its recipients are those who changed the same files in \
      the 180 days before it, at most 1,000; a commit that concerns nobody else is sent to its author.

      Examples:
        tidings publish git .
        tidings publish git ~/src/kafka --max 5000 --rate 50
      """)

  @OptionGroup var options: PublishOptions

  @Argument(help: "The repository, or any folder in it.")
  var path: String

  @Option(help: ArgumentHelp("Only the newest so many commits.", valueName: "n"))
  var max: Int?

  func validate() throws {
    if let max, max < 1 { throw ValidationError("--max has to be 1 or more") }
  }

  func run() throws {
    let repository = try GitRepository(path: path)
    let session = try PublishSession(options)
    try session.run { session throws in
      try GitEventSource(repository, limit: max).forEach { json, commit throws in
        try session.publish(json, isCut: false, name: "commit \(commit)")
      }
    }
  }
}
