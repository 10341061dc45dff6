import ArgumentParser
import Benchmarks
import Logging
import Operations

/// `tidings bench pipeline`
struct BenchPipelineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline",
    abstract: "Measure what an event costs without Kafka, by the size of the state and by the kind of event.",
    discussion: """
      Puts events that were made beforehand through the state machines of all partitions, on one thread, with commits as \
      the processor makes them but nowhere to write. Times are of the thread's processor, so that other programs count \
      only for the caches that they take. What is timed comes after ten seconds of the load's own clock, in which the first \
      windows open and close. Each run is a process of its own. The defaults take a few minutes and some gigabytes of \
      memory.

      Examples:
        tidings bench pipeline
        tidings bench pipeline --ids 100000 --ids 1000000 --windows 100000 --runs 5 --json > pipeline.json
      """)

  @OptionGroup var options: BenchRunOptions

  @Option(help: ArgumentHelp("Ids that the dedup horizon holds; a row for each.", valueName: "n"))
  var ids = PipelineBenchmark.Options().ids

  @Option(help: ArgumentHelp("Windows that are open all the time; a row for each.", valueName: "n"))
  var windows = PipelineBenchmark.Options().windows

  @Option(
    help: ArgumentHelp(
      "Events that are timed in each run, after \(PipelineBenchmark.Options().warmUp.grouped) that are not.",
      valueName: "n"))
  var events = PipelineBenchmark.Options().events

  @Option(help: ArgumentHelp("Only the rows whose name has this in it, such as digest.", valueName: "text"))
  var only: String?

  func validate() throws {
    guard (ids + windows).allSatisfy({ (1...100_000_000).contains($0) }) else {
      throw ValidationError("--ids and --windows have to be from 1 to 100,000,000")
    }
    guard (1...1_000_000_000).contains(events) else {
      throw ValidationError("--events has to be from 1 to 1,000,000,000")
    }
    if let only, !PipelineBenchmark.rowNames.contains(where: { $0.contains(only) }) {
      let names = PipelineBenchmark.rowNames.joined(separator: ", ")
      throw ValidationError("--only \(only): no row is named so; there are \(names)")
    }
  }

  func run() throws {
    Operations.LogFormat.text.bootstrap(level: options.verbose ? .info : .warning)
    let steps = ChildSteps(nil, isVerbose: options.verbose)
    steps.stopOnSignals()
    var pipeline = options.applied(to: PipelineBenchmark.Options())
    pipeline.ids = ids
    pipeline.windows = windows
    pipeline.events = events
    pipeline.only = only
    let progress = BenchProgress()
    let report = try PipelineBenchmark(pipeline, steps: steps, onProgress: progress.show).run()
    progress.clear()
    try report.write(asJSON: options.json)
  }
}
