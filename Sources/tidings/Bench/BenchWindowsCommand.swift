import ArgumentParser
import Benchmarks

/// `tidings bench windows`
struct BenchWindowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "windows",
    abstract: "Measure how late digests are where very many windows are open.",
    discussion: """
      Opens the windows in the state machines of all partitions and drives them as a worker does, on one thread, while \
      they come due: one after another at an even rate, and all at one instant, as the windows of a schedule do. Events \
      come meanwhile at the same rate. The clock is the thread's processor time, with jumps over the time in which \
      there is nothing to do: other programs count only for the caches that they take. How late a digest is is \
      counted until its commit hands it over to be sent; brokers are not in it.

      Where there is a real cluster, it also writes the state of a processor with such windows, starts the processor \
      before the first one is due, and takes the time until a reader of committed records sees each digest, and the \
      deliveries of events that come meanwhile.

      Examples:
        KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tidings bench windows
        tidings bench windows
        tidings bench windows --windows 100000 --rate 500 --runs 5 --json > windows.json
      """)

  @OptionGroup var options: BenchOptions

  @Option(help: ArgumentHelp("Windows that are open.", valueName: "n"))
  var windows = WindowsBenchmark.Options().windows

  @Option(help: ArgumentHelp("Notifications in each window.", valueName: "n"))
  var items = WindowsBenchmark.Options().items

  @Option(
    help: ArgumentHelp("Windows a second that come due, and events a second that come.", valueName: "n"))
  var rate = WindowsBenchmark.Options().rate

  @Option(
    help: ArgumentHelp("How long windows are watched that come due one after another.", valueName: "seconds"))
  var seconds = WindowsBenchmark.Options().seconds

  func validate() throws {
    guard (1...100_000_000).contains(windows) else {
      throw ValidationError("--windows has to be from 1 to 100,000,000")
    }
    guard (1...1_000).contains(items) else { throw ValidationError("--items has to be from 1 to 1,000") }
    guard (1...1_000_000).contains(rate) else {
      throw ValidationError("--rate has to be from 1 to 1,000,000")
    }
    guard (1...3_600).contains(seconds) else { throw ValidationError("--seconds has to be from 1 to 3,600") }
  }

  func run() throws {
    let (site, steps) = try options.prepare()
    var benchmark = options.applied(to: WindowsBenchmark.Options())
    benchmark.windows = windows
    benchmark.items = items
    benchmark.rate = rate
    benchmark.seconds = seconds
    let progress = BenchProgress()
    let report = try WindowsBenchmark(
      benchmark, at: site, steps: steps, localSteps: options.isolatedSteps(steps), onProgress: progress.show
    ).run()
    progress.clear()
    try report.write(asJSON: options.run.json)
  }
}
