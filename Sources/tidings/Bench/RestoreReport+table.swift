import Benchmarks
import Foundation

extension RestoreReport {
  /// The report for people.
  var table: String {
    var table = TextTable(
      header: ["", "seconds", "range", "MB/s", "ratio to A", "range", "CPU s", "peak MB", "first decision s"])
    let rows = [
      ("A  log, bare consumer", log), ("B  restore from the log", restore),
      ("C  restart from snapshots, in memory", snapshots),
      ("D  restart from snapshots, on disk", snapshotsOnDisk), ("E  start without state", empty),
    ]
    for (name, measurement) in rows where !measurement.seconds.values.isEmpty {
      table.add([
        name, text(measurement.seconds.median, 3), range(measurement.seconds, 3),
        text(measurement.megabytesPerSecond.median, 1), text(measurement.ratio.median, 2),
        range(measurement.ratio, 2), text(measurement.cpuSeconds.median, 2),
        text(measurement.peakMegabytes.median, 0), text(measurement.secondsToDecision.median, 3),
      ])
    }
    let cluster = isEmbedded ? "the embedded cluster" : bootstrapServers
    let load = loadAverageAtEnd.map { String(format: " (load at the end %.2f)", $0) } ?? ""
    return """
      machine  \(machine.summary)\(load)
      cluster  \(cluster), \(self.load.partitions.counted("partition")), \(self.load.workers.counted("worker"))
      state    \(state.ids.counted("id")), \(state.items.counted("item")) in \(state.windows.counted("window")), \
      about \((state.liveBytes / 1_000_000).grouped) MB
      log      \((logBytes / 1_000_000).grouped) MB in \(logRecords.counted("record")), uncompressed
      files    \((snapshotBytes / 1_000_000).grouped) MB of snapshots, written in \(text(secondsToWriteSnapshots, 2)) s at a stop
      runs     \(self.load.runs.grouped) of each kind, in turn; medians

      \(table.text)\(inMemoryText)
      """
  }

  private var inMemoryText: String {
    guard areSnapshotsInMemory else { return "" }
    return """

      The folder of the snapshots is in a file system in memory, so that nothing was read from a disk (D); \
      --state-directory names another.

      """
  }

  private func text(_ value: Double?, _ digits: Int) -> String {
    value.map { String(format: "%.\(digits)f", $0) } ?? ""
  }

  private func range(_ series: RunSeries, _ digits: Int) -> String {
    guard let range = series.range else { return "" }
    return "\(text(range.lowerBound, digits))…\(text(range.upperBound, digits))"
  }
}
