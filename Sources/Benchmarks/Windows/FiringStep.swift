import Contract
import Foundation
import Kafka
import Processor
import Synchronization

/// How a processor with open windows is watched.
public struct FiringOptions: Codable, Sendable {
  /// Threads of the processor.
  public var workers: Int
  /// When the first window is due, in milliseconds since the epoch.
  public var firstDue: Int64
  /// Digests to wait for.
  public var digests: Int
}

/// How late the digests of a processor were.
public struct Firing: Codable, Sendable, Equatable {
  /// From the instant at which a digest was due until a reader of committed records saw it.
  public var lateness: Latency
  /// Windows that were open when the first one was due.
  public var windows: Int
  /// Seconds from the first due time until the last digest was seen.
  public var seconds: Double
  /// Processor time in that span, of all threads, the reader's among them.
  public var cpuSeconds: Double
  /// The most memory that was resident, with the reader's.
  public var peakBytes: Int64
}

/// Starts the real processor on a state with open windows, and watches how late their digests are seen by a reader of committed
/// records.
struct FiringStep {
  private static let patience = Duration.seconds(120)

  private let site: BenchSite
  private let options: FiringOptions

  init(_ site: BenchSite, _ options: FiringOptions) {
    self.site = site
    self.options = options
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> Firing {
    let status = ProcessorStatus()
    // The same clock for all threads, as far from the wall clock as it is at this moment.
    let wallAhead = Int64(Date().timeIntervalSince1970 * 1e9) - MonotonicTime.nanoseconds()
    let firstDue = options.firstDue * 1_000_000 - wallAhead
    let tally = LatenessTally(wallAhead: wallAhead)
    let watch = DeliveryWatch(site, topic: "delivery.inapp") { try tally.see($0, at: $1) }
    defer { watch.stop() }
    let running = try RunningService(
      ProcessorConfiguration(site, workers: options.workers), at: site, status: status)
    defer { running.cancel() }
    while status.runningPartitions < site.partitionCount { try running.wait() }
    guard MonotonicTime.nanoseconds() < firstDue else {
      throw BenchmarkError(
        "windows were due before all partitions decided: this machine is too slow for so many, or too busy")
    }
    let windows = status.workers.values.flatMap(\.partitions).reduce(0) { $0 + $1.openWindows }
    while MonotonicTime.nanoseconds() < firstDue { try running.wait() }
    let usage = ProcessUsage.now()
    var progress = Stopwatch()
    var seen = 0
    var lastSeen = ContinuousClock.now
    while tally.count < options.digests {
      try running.wait()
      try watch.check()
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      let count = tally.count
      if count > seen { (seen, lastSeen) = (count, .now) }
      onProgress(
        StepProgress(share: Double(count) / Double(options.digests), count: count, unit: "digest"))
      guard ContinuousClock.now - lastSeen < Self.patience else {
        throw BenchmarkError(
          "of \(options.digests) digests that are due only \(count) were seen: this is a fault")
      }
    }
    let end = ProcessUsage.now()
    let seconds = Double(MonotonicTime.nanoseconds() - firstDue) / 1e9
    running.cancel()
    try running.waitForEnd()
    return Firing(
      lateness: tally.latency, windows: windows, seconds: seconds,
      cpuSeconds: end.cpuSeconds - usage.cpuSeconds, peakBytes: end.peakBytes)
  }

  /// How late each digest was seen.
  private final class LatenessTally: Sendable {
    private let wallAhead: Int64
    private let histogram = Mutex(LatencyHistogram())

    init(wallAhead: Int64) { self.wallAhead = wallAhead }

    var latency: Latency { histogram.withLock { $0.latency } }
    var count: Int { histogram.withLock { $0.count } }

    func see(_ delivery: Delivery, at instant: Int64) throws {
      guard let window = delivery.window else {
        throw BenchmarkError("a delivery is no digest: this is a fault")
      }
      guard delivery.timeMilliseconds >= window.dueMilliseconds else {
        throw BenchmarkError("a digest was fired before it was due: this is a fault")
      }
      let late = instant + wallAhead - window.dueMilliseconds * 1_000_000
      histogram.withLock { $0.record(nanoseconds: late) }
    }
  }
}
