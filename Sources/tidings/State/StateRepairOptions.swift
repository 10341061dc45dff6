import ArgumentParser
import Processor

/// The flags of the subcommands of `tidings state` that write, and how they go.
struct StateRepairOptions: ParsableArguments {
  @OptionGroup var state: StateOptions

  @Flag(help: "Do it. Without this, print what would be written, and write nothing.")
  var execute = false

  /// Shows what a repair writes, and does it if asked to.
  func run(_ repair: StateRepair) throws {
    let tool = try state.makeTool()
    var progress = StateProgress()
    guard execute else {
      let plan = try tool.plan(repair) { progress.show($0) }
      progress.clear()
      Terminal.output.write(plan.report(verb: "would"))
      let end = plan.isNeedless ? "" : " Add --execute to do it."
      return Terminal.output.writeLine("Nothing was written.\(end)")
    }
    Terminal.error.writeLine("joining the group as its only member, which takes some seconds")
    let outcome = try tool.repair(repair, progress: { progress.show($0) }) { plan in
      progress.clear()
      Terminal.output.write(plan.report(verb: "will"))
      return true
    }
    guard let outcome else { return Terminal.output.writeLine("Nothing was written.") }
    Terminal.output.writeLine(outcome.report)
  }
}

/// The progress of reading a state log, for logs that take a while.
struct StateProgress {
  private var bar = ProgressBar()
  private var start: ContinuousClock.Instant?

  mutating func show(_ progress: StateReadProgress) {
    let start = start ?? .now
    self.start = start
    guard ContinuousClock.now - start > .seconds(1), bar.isDue else { return }
    bar.show(
      share: progress.share,
      text: "\(progress.records.counted("state record")), \(progress.bytes.inBytes)", count: progress.records)
  }

  mutating func clear() { bar.clear() }
}

extension BinaryInteger {
  /// A number of bytes in the unit that suits it: `512 B`, `3.4 MiB`.
  var inBytes: String {
    var value = Double(self)
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if value < 1024 || unit == "GiB" {
        let tenths = Int64((value * 10).rounded())
        return unit == "B" ? "\(self) B" : "\(tenths / 10).\(tenths % 10) \(unit)"
      }
      value /= 1024
    }
    return "\(self) B"
  }
}
