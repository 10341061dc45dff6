import Benchmarks
import Foundation

extension WindowsReport {
  /// The report for people.
  var table: String {
    var table = TextTable(
      header: [
        "", "digests", "late ms: p50", "p99", "max", "> 1 s", "events' wait ms: p99", "max", "digests/s",
        "first tick ms", "longest", "longest turn ms", "bytes/window", "peak MB",
      ])
    for row in rows {
      table.add([
        row.name, row.digests.grouped, text(row.lateP50, 1), text(row.lateP99, 1), text(row.lateMax, 1),
        row.late.grouped, text(row.waitP99, 1), text(row.waitMax, 1),
        row.digestsPerSecond.median.map { Int($0).grouped } ?? "", text(row.firstTick, 2),
        text(row.longestTick, 2), text(row.longestTurn, 2), text(row.bytesPerWindow, 0),
        text(row.peakMegabytes, 0),
      ])
    }
    let load = loadAverageAtEnd.map { String(format: " (load at the end %.2f)", $0) } ?? ""
    return """
      machine  \(machine.summary)\(load)
      load     \(windows.counted("window")) of \(items.counted("item")), \(rate.grouped) a second due and as many \
      events, \(partitions.counted("partition")), one thread
      runs     \(runs.grouped) of each kind, in turn; medians

      \(table.text)
      every digest within 1 s of its due time  \(verdict(rows.map { ($0.kind, $0.isWithinSecond) }))
      \(processorText)
      """
  }

  private func verdict(_ kinds: [(WindowsLoad.Kind, Bool)]) -> String {
    kinds.map { kind, isWithinSecond in "\(kind.name): \(isWithinSecond ? "yes" : "no")" }
      .joined(separator: "; ")
  }

  private var processorText: String {
    guard !processor.isEmpty else { return "" }
    var table = TextTable(
      header: [
        "", "open", "digests", "late ms: p50", "p99", "max", "> 1 s", "events' wait ms: p99", "max",
        "decided p99", "digests/s", "CPU s", "peak MB",
      ])
    for row in processor {
      table.add([
        row.kind.name, row.windows.grouped, row.digests.grouped, text(row.lateP50, 1), text(row.lateP99, 1),
        text(row.lateMax, 1), row.late.grouped, text(row.waitP99, 1), text(row.waitMax, 1),
        text(row.decidedP99, 1), row.digestsPerSecond.median.map { Int($0).grouped } ?? "",
        text(row.cpuSeconds, 2), text(row.peakMegabytes, 0),
      ])
    }
    return """

      the processor on \(bootstrapServers) with \(workers.counted("worker")), until a reader of committed records saw \
      the digest, or the event's delivery

      \(table.text)
      every digest within 1 s of its due time  \(verdict(processor.map { ($0.kind, $0.isWithinSecond) }))

      """
  }

  private func text(_ series: RunSeries, _ digits: Int) -> String {
    series.median.map { String(format: "%.\(digits)f", $0) } ?? ""
  }
}
