import Benchmarks
import Foundation

extension ThroughputReport {
  /// The report for people.
  var table: String {
    var table = TextTable(
      header: [
        "", "events/s", "range", "ratio", "range", "CPU s/million", "ratio", "peak MB",
        "commit ms: p50", "p99", "records/event", "bytes/event",
      ])
    for (name, measurement) in [
      ("C  copy in C", copyLoop), ("A  pass-through", passThrough), ("B  processor", processor),
    ]
    where !measurement.recordsPerEvent.values.isEmpty {
      table.add([
        name, measurement.eventsPerSecond.median.map { Int($0).grouped } ?? "",
        measurement.eventsPerSecond.range.map {
          "\(Int($0.lowerBound).grouped)…\(Int($0.upperBound).grouped)"
        } ?? "",
        text(measurement.ratio, 2), range(measurement.ratio), text(measurement.cpuSecondsPerMillion, 2),
        text(measurement.cpuRatio, 2), text(measurement.peakMegabytes, 0),
        text(measurement.commitP50, 1), text(measurement.commitP99, 1), text(measurement.recordsPerEvent, 2),
        text(measurement.bytesPerEvent, 0),
      ])
    }
    let cluster = isEmbedded ? "the embedded cluster" : bootstrapServers
    let load = loadAverageAtEnd.map { String(format: " (load at the end %.2f)", $0) } ?? ""
    return """
      machine  \(machine.summary)\(load)
      cluster  \(cluster), \(partitions.counted("partition")), \(workers.counted("worker"))
      load     \(events.counted("event")) a run\(warmUp > 0 ? " behind \(warmUp.grouped) that B is not timed with" : "")
      runs     \(runs.grouped) of each kind, in turn; medians; ratios of A to C and of B to A

      \(table.text)\(windowsText)\(shortRunsText)\(paceText)
      """
  }

  private var windowsText: String {
    guard let before = processor.windowsBefore.median, let after = processor.windowsAfter.median else {
      return ""
    }
    return """

      B's time began with \(Int(before).counted("open window")), and ended with \(Int(after).grouped).

      """
  }

  private var shortRunsText: String {
    guard shortRuns > 0 else { return "" }
    return """

      \(shortRuns.counted("run")) of less than a second: of a few commits, events/s, costs and ratios tell nothing and are
      left out.\(isEmbedded ? " The embedded cluster has no room for more." : " More --events make them longer.")

      """
  }

  private var paceText: String {
    guard let seconds = paces.first?.seconds else { return "" }
    var table = TextTable(
      header: [
        "", "deliveries", "p50 ms", "range", "p95", "p99", "range", "max", "decided p50", "p99",
        "publisher late", "commits/s", "p50", "p99", "CPU s/million", "peak MB",
      ])
    for pace in paces {
      table.add([
        "B  at \(pace.rate.grouped) events/s", pace.deliveries.grouped, text(pace.p50, 1), range(pace.p50),
        text(pace.p95, 1), text(pace.p99, 1), range(pace.p99), text(pace.max, 1), text(pace.decidedP50, 1),
        text(pace.decidedP99, 1), text(pace.publisherLate, 1), text(pace.commitsPerSecond, 1),
        text(pace.commitP50, 1), text(pace.commitP99, 1), text(pace.cpuSecondsPerMillion, 2),
        text(pace.peakMegabytes, 0),
      ])
    }
    return """

      from the time at which an event was to be published until its delivery was seen, \(seconds) s a run

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
