import ArgumentParser
import Contract
import Foundation
import Logging
import Operations
import ServiceLifecycle

/// `tidings demo`
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run everything in one process, on a Kafka of its own, and watch it work.",
    discussion: """
      Publishes the history of the git repository that you are in, or a file of CloudEvents, and shows what becomes of \
      it: mail in a Maildir, and an inbox with a page. Recipients get the address <id>@example.org. It keeps running, \
      so that you can publish events of your own on the page, until Ctrl-C.

      The folder of an earlier demo is emptied first. No configuration is read.

      Examples:
        tidings demo
        tidings demo --repository ~/src/kafka --max 2000
        tidings demo --input events.ndjson.gz --repeat 0.1 --seed 7 --exit-when-idle --report report.json
      """)

  @Option(
    help: ArgumentHelp(
      "CloudEvents to publish, one JSON object a line, perhaps compressed with gzip.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp("The git repository whose history is published without --input.", valueName: "path"))
  var repository = "."

  @Option(help: ArgumentHelp("Of the history, only the newest so many commits.", valueName: "n"))
  var max: Int?

  @OptionGroup var repeats: RepeatOptions

  @Flag(help: "End when nothing is open any more.")
  var exitWhenIdle = false

  @Option(
    help: ArgumentHelp("Where to write what was done, as JSON, with --exit-when-idle.", valueName: "file"))
  var report: String?

  @Option(help: ArgumentHelp("The folder for mail and inbox.", valueName: "folder"))
  var data = "demo"

  @Option(
    help: ArgumentHelp(
      "The inbox's port on 127.0.0.1; another one is taken if it is in use.", valueName: "port"))
  var port = 8080

  @Flag(name: .shortAndLong, help: "Log what the processes do.")
  var verbose = false

  func validate() throws {
    guard (1...65_525).contains(port) else { throw ValidationError("--port has to be from 1 to 65525") }
    if let max, max < 1 { throw ValidationError("--max has to be 1 or more") }
    if let input, InputFile.isReadOnce(path: input) {
      let name = input == "-" ? "standard input" : input
      throw ValidationError("--input is read twice, and \(name) can be read once: give a regular file")
    }
    if report != nil, !exitWhenIdle {
      throw ValidationError("--report tells of a demo that ends: give --exit-when-idle too")
    }
  }

  func run() async throws {
    let start = ContinuousClock.now
    Operations.LogFormat.text.bootstrap(level: verbose ? .info : .warning)
    // Before anything is started, so that a mistake in the command is told at once.
    if let input { _ = try InputFile(path: input) }
    let folder = try DemoFolder(path: data)
    let path = try input ?? writeHistory(to: folder)
    let system = try DemoSystem(folder)
    let recipients = DemoRecipients(
      cluster: system.cluster, topic: system.configuration.topic("recipients"))
    let form = try DemoForm(system, recipients)
    let publishing = EventPublisher.Options(
      topic: system.configuration.topic("events"), recordLimit: system.configuration.recordLimit,
      repeatFraction: repeats.fraction, seed: repeats.seed)
    let bootstrap = system.cluster.bootstrapServers
    let isLasting = !exitWhenIdle
    let options = DemoRun.Options(
      exitsWhenIdle: exitWhenIdle, report: report,
      places: { Self.places(folder, port: $0, bootstrapServers: bootstrap, isLasting: isLasting) })
    let run = DemoRun(
      system, input: DemoInput(path: path, options: publishing), inputPath: path, recipients: recipients,
      form: form, options: options, start: start)
    let services = system.services(
      port: port, publish: { try await form.publish($0) }, onListening: { run.listens(at: $0) })
    var configuration = ServiceGroupConfiguration(
      services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } + [
        ServiceGroupConfiguration.ServiceConfiguration(
          service: run, successTerminationBehavior: .gracefullyShutdownGroup)
      ],
      gracefulShutdownSignals: [.sigint, .sigterm],
      logger: ServiceProcess.quiet(Logger(label: "tidings.demo")))
    configuration.maximumGracefulShutdownDuration = .seconds(20)
    try await ServiceGroup(configuration: configuration).run()
  }

  /// Writes the history of the repository as events into the demo's folder.
  private func writeHistory(to folder: DemoFolder) throws -> String {
    let source = GitEventSource(try GitRepository(path: repository), limit: max)
    guard FileManager.default.createFile(atPath: folder.events, contents: nil),
      let file = FileHandle(forWritingAtPath: folder.events)
    else { throw InputError("\(folder.events) cannot be written") }
    var count = 0
    var lines = OutputBuffer(capacity: 64 << 10)
    func write() throws {
      try file.write(contentsOf: Data(lines.view.buffer))
      lines.removeAll()
    }
    try source.forEach { json, _ in
      count += 1
      lines.append(json)
      lines.append(byte: UInt8(ascii: "\n"))
      if lines.count > 60 << 10 { try write() }
      return true
    }
    try write()
    try file.close()
    guard count > 0 else {
      throw InputError(
        "the repository \(repository) has no commits to show: give another --repository, or --input")
    }
    return folder.events
  }

  private static func places(
    _ folder: DemoFolder, port: Int, bootstrapServers: String, isLasting: Bool
  ) -> [String] {
    let topic = "\(DemoSystem.prefix).decisions"
    return [
      "",
      "  inbox       http://127.0.0.1:\(port)",
      "  mail        \(folder.mail)/new, a Maildir",
      "  topics      kcat -b \(bootstrapServers) -C -e -q -t \(topic) | jq -c '.[]'",
      isLasting ? "  stop        Ctrl-C\n" : "",
    ]
  }
}
