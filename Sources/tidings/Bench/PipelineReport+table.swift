import Benchmarks
import Foundation

extension PipelineReport {
  /// The report for people.
  var table: String {
    var table = TextTable(
      header: [
        "", "ids", "windows", "ns/event", "range", "events/s", "apply", "close", "commit", "allocations",
        "bytes/id", "bytes/window", "kept", "out bytes", "peak MB",
      ])
    for row in rows {
      table.add([
        row.name, row.ids.grouped, row.windows.grouped, text(row.nanosecondsPerEvent, 0),
        range(row.nanosecondsPerEvent), row.eventsPerSecond.map { Int($0).grouped } ?? "",
        text(row.applyNanoseconds, 0), text(row.closeNanoseconds, 0), text(row.sealNanoseconds, 0),
        text(row.allocationsPerEvent, 3), text(row.bytesPerID, 1), text(row.bytesPerWindow, 0),
        text(row.bytesKeptPerWindow, 0),
        text(row.outputBytesPerEvent, 0), text(row.peakMegabytes, 0),
      ])
    }
    let load = loadAverageAtEnd.map { String(format: " (load at the end %.2f)", $0) } ?? ""
    return """
      machine  \(machine.summary)\(load)
      load     \(events.counted("event")) a run, \(partitions.counted("partition")), one thread
      runs     \(runs.grouped) of each row, in turn; medians

      \(table.text)
      """
  }

  private func text(_ series: RunSeries, _ digits: Int) -> String {
    series.median.map { String(format: "%.\(digits)f", $0) } ?? ""
  }

  private func range(_ series: RunSeries) -> String {
    guard let range = series.range else { return "" }
    return String(format: "%.0f…%.0f", range.lowerBound, range.upperBound)
  }
}
