import Contract
import Pipeline

extension StateWriter {
  /// Opens the load's windows, each of another recipient.
  ///
  /// - Parameter now: milliseconds since the epoch.
  func openWindows(
    _ due: WindowsDue, writtenAt now: Int64, _ onProgress: (StepProgress) -> Void
  ) throws {
    var codecs = try Codecs(prefix: site.prefix, recordLimit: configuration.recordLimit)
    var event = EventRecord()
    var scratch = OutputBuffer(capacity: 64)
    var progress = Stopwatch()
    let start = due.first - Int64(due.windowSeconds(of: load.windows, writtenAt: now)) * 1_000
    for number in 0..<load.windows {
      let home = EventRecord.home(
        ofRecipient: number, partitionCount: configuration.partitionCount, scratch: &scratch)
      let instant = due.kind == .steady ? start + Int64(number) * 1_000 / Int64(max(1, due.rate)) : now
      for item in 0..<due.items {
        try event.with(
          idPrefix: "window-", number: number * due.items + item, type: due.type, recipient: number
        ) { input in
          // In front of the topic's first record: the position stays where it is.
          _ = try homes[Int(home)].pipeline.apply(
            PartitionRecord(topic: .events, offset: -1, appended: instant, content: input), now: instant,
            using: &codecs)
        }
      }
      guard number % 64 == 0 else { continue }
      try commitIfFull()
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      onProgress(StepProgress(share: Double(number) / Double(load.windows), count: number, unit: "window"))
    }
  }
}
