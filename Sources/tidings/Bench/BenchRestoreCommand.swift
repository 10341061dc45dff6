import ArgumentParser
import Benchmarks

/// `tidings bench restore`
struct BenchRestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Measure how fast an instance comes back with its state.",
    discussion: """
      Writes the state of an instance, then reads it in turn with a bare consumer (A) and with the real processor (B), \
      each in a process of its own, and says how much slower the processor is. Then it restarts the processor from its \
      snapshots, as they are in memory just after a stop (C) and from the disk (D), and starts one that has no state \
      (E). The times of C to E are also taken to the first decision that is committed. The state of the defaults takes \
      about a gigabyte of the brokers' disk and some minutes.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench restore
        tidings bench restore --ids 1000000 --items 100000 --runs 5 --json > restore.json
        tidings bench restore --embedded --ids 100000 --items 10000
      """)

  @OptionGroup var options: BenchOptions

  @Option(help: ArgumentHelp("Ids that the dedup horizon holds.", valueName: "n"))
  var ids = 10_000_000

  @Option(help: ArgumentHelp("Notifications that wait in open windows.", valueName: "n"))
  var items = 1_000_000

  @Option(
    help: ArgumentHelp(
      "Where snapshots are put; else where temporary files are. It should be a disk.", valueName: "folder"))
  var stateDirectory: String?

  func validate() throws {
    guard (1...1_000_000_000).contains(ids) else {
      throw ValidationError("--ids has to be from 1 to 1,000,000,000")
    }
    guard (0...ids).contains(items) else {
      throw ValidationError("--items has to be from 0 to --ids: every item is a notification with an id")
    }
  }

  func run() throws {
    let (site, steps) = try options.prepare()
    var restore = options.applied(to: RestoreBenchmark.Options())
    restore.ids = ids
    restore.items = items
    restore.stateDirectory = stateDirectory
    let progress = BenchProgress()
    let report = try RestoreBenchmark(restore, at: site, steps: steps, onProgress: progress.show).run()
    progress.clear()
    try report.write(asJSON: options.run.json)
  }
}
