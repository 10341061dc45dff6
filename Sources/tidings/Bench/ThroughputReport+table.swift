import Benchmarks
import Foundation

extension ThroughputReport {
  /// The report for people.
  var table: String {
    var table = TextTable(
      header: [
        "", "events/s", "range", "ratio to A", "range", "CPU s/million", "ratio to A", "peak MB",
        "records/event", "bytes/event",
      ])
    for (name, measurement) in [("A  pass-through", passThrough), ("B  processor", processor)]
    where !measurement.eventsPerSecond.values.isEmpty {
      table.add([
        name, measurement.eventsPerSecond.median.map { Int($0).grouped } ?? "",
        measurement.eventsPerSecond.range.map {
          "\(Int($0.lowerBound).grouped)…\(Int($0.upperBound).grouped)"
        } ?? "",
        text(measurement.ratio, 2), range(measurement.ratio), text(measurement.cpuSecondsPerMillion, 2),
        text(measurement.cpuRatio, 2), text(measurement.peakMegabytes, 0),
        text(measurement.recordsPerEvent, 2), text(measurement.bytesPerEvent, 0),
      ])
    }
    let cluster = isEmbedded ? "the embedded cluster" : bootstrapServers
    let load = loadAverageAtEnd.map { String(format: " (load at the end %.2f)", $0) } ?? ""
    return """
      machine  \(machine.summary)\(load)
      cluster  \(cluster), \(partitions.counted("partition")), \(workers.counted("worker"))
      load     \(events.counted("event")) a run
      runs     \(runs.grouped) of each kind, in turn; medians

      \(table.text)
      """
  }

  private func text(_ series: RunSeries, _ digits: Int) -> String {
    series.median.map { String(format: "%.\(digits)f", $0) } ?? ""
  }

  private func range(_ series: RunSeries) -> String {
    guard let range = series.range else { return "" }
    return String(format: "%.2f…%.2f", range.lowerBound, range.upperBound)
  }
}
