import Kafka

/// Reads a topic to its end as a restore has to (read_committed, up to the end without regard to transactions),
/// through the same client with the same settings, and does nothing with what it reads: the limit that a restore is
/// compared with, and what counts the output of a processor.
struct LogReadingStep {
  private let site: BenchSite
  private let topic: String

  /// - Parameter topic: without the prefix.
  init(_ site: BenchSite, topic: String) {
    self.site = site
    self.topic = "\(site.prefix).\(topic)"
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> LogReading {
    let reader = try site.cluster.makeLogReader(
      LogReaderOptions(topics: [topic], isolation: .readCommitted))
    defer { reader.close() }
    // This also connects the client, as the worker's is before it is assigned anything.
    _ = try reader.watermarks(of: TopicPartition(topic: topic, partition: 0), timeout: .seconds(30))
    let ranges = try site.cluster.admin.offsets(
      of: site.partitions(of: topic), isolation: .readUncommitted, timeout: .seconds(30))
    let total = ranges.reduce(0) { $0 + $1.latest - $1.earliest }
    var positions = ranges.map(\.earliest)
    var remaining = ranges.count { $0.earliest < $0.latest }
    var result = LogReading(records: 0, bytes: 0, seconds: 0, cpuSeconds: 0, peakBytes: 0)
    let usage = ProcessUsage.now()
    let watch = Stopwatch()
    var progress = Stopwatch()
    try reader.assign(ranges.map { PartitionOffset($0.topicPartition, offset: $0.earliest) })
    while remaining > 0 {
      let partition: Int
      let position: Int64
      switch reader.poll(timeout: .milliseconds(100)) {
      case .none: continue
      case .error(let error):
        if error.isFatal || error.code == .noOffset { throw error }
        continue
      case .record(let record):
        result.records += 1
        result.bytes += Int64(record.value?.count ?? 0)
        (partition, position) = (Int(record.partition), record.offset + 1)
      case .endOfPartition(_, let number, let offset):
        (partition, position) = (Int(number), offset)
      }
      let end = ranges[partition].latest
      if positions[partition] < end, position >= end { remaining -= 1 }
      positions[partition] = max(positions[partition], position)
      if result.records % 64 == 0, progress.seconds > 0.1 {
        progress = Stopwatch()
        let done = zip(positions, ranges).reduce(0) { $0 + $1.0 - $1.1.earliest }
        onProgress(
          StepProgress(
            share: Double(done) / Double(max(1, total)), count: result.records, unit: "record"))
      }
    }
    result.seconds = watch.seconds
    let end = ProcessUsage.now()
    result.cpuSeconds = end.cpuSeconds - usage.cpuSeconds
    result.peakBytes = end.peakBytes
    return result
  }
}
