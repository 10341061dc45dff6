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
  /// Events a second that come from the first due time on, each of them delivered by itself.
  public var rate: Int
}

/// How late the digests of a processor were.
public struct Firing: Codable, Sendable, Equatable {
  /// From the instant at which a digest was due until a reader of committed records saw it.
  public var lateness: Latency
  /// From the instant at which an event beside them was to be published until a reader of committed records saw its delivery.
  public var waits: Latency
  /// The part of it until the event was decided, by the processor's clock in whole milliseconds.
  public var decided: Latency
  /// Windows that were open when the first one was due.
  public var windows: Int
  /// Seconds from the first due time until the last digest was seen.
  public var seconds: Double
  /// Processor time in that span, of all threads, the reader's and the publisher's among them.
  public var cpuSeconds: Double
  /// The most memory that was resident, with the reader's and the publisher's.
  public var peakBytes: Int64
}

/// Starts the real processor on a state with open windows, and watches how late their digests, and deliveries of events that come
/// meanwhile, are seen by a reader of committed records.
struct FiringStep {
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
    let rate = EvenRate(eventsPerSecond: options.rate, start: firstDue)
    let tally = LatenessTally(wallAhead: wallAhead, rate)
    let watch = DeliveryWatch(site, topic: "delivery.inapp") { try tally.see($0, at: $1) }
    defer { watch.stop() }
    let running = try RunningService(
      ProcessorConfiguration(site, workers: options.workers), at: site, status: status)
    defer { running.cancel() }
    try running.wait(for: site.partitionCount, "partition", onProgress) { status.runningPartitions }
    guard MonotonicTime.nanoseconds() < firstDue else {
      throw BenchmarkError(
        "windows were due before all partitions decided: this machine is too slow for so many, or too busy")
    }
    let windows = status.openWindows
    var events = try EventsBeside(site, rate)
    while MonotonicTime.nanoseconds() < firstDue { try running.wait() }
    let usage = ProcessUsage.now()
    try running.wait(
      for: options.digests, "digest", onProgress,
      step: {
        try events.publish(upTo: MonotonicTime.nanoseconds())
        try watch.check()
      }, until: { tally.count })
    let end = ProcessUsage.now()
    let seconds = Double(MonotonicTime.nanoseconds() - firstDue) / 1e9
    let lateness = tally.latency
    try events.finish()
    try running.wait(
      for: events.count, "event", onProgress, step: { try watch.check() }, until: { tally.eventCount })
    running.cancel()
    try running.waitForEnd()
    return Firing(
      lateness: lateness, waits: tally.waits, decided: tally.decided, windows: windows, seconds: seconds,
      cpuSeconds: end.cpuSeconds - usage.cpuSeconds, peakBytes: end.peakBytes)
  }

  /// Events for one recipient after the other.
  private struct EventsBeside: ~Copyable {
    static let idPrefix: StaticString = "beside-"

    private let rate: EvenRate
    private let partitionCount: Int32
    private var publisher: PacedPublisher
    private var scratch = OutputBuffer(capacity: 64)
    private(set) var count = 0

    init(_ site: BenchSite, _ rate: EvenRate) throws {
      self.rate = rate
      partitionCount = Int32(clamping: site.partitionCount)
      publisher = try PacedPublisher(site)
    }

    /// Publishes what is to be published by an instant of the monotonic clock.
    mutating func publish(upTo instant: Int64) throws {
      while rate.instant(of: count) <= instant {
        let recipient = count % EventLoad.recipientCount
        let home = EventRecord.home(
          ofRecipient: recipient, partitionCount: partitionCount, scratch: &scratch)
        try publisher.publish(
          idPrefix: Self.idPrefix, number: count, type: LoadCatalog.immediate, recipient: recipient,
          partition: home)
        count += 1
      }
    }

    func finish() throws { try publisher.finish() }
  }

  /// How late each digest was seen, and how long each event beside them took.
  private final class LatenessTally: Sendable {
    private struct State {
      var lateness = LatencyHistogram()
      var waits = LatencyHistogram()
      var decided = LatencyHistogram()
      /// By event, in the order of publishing.
      var isSeen: [Bool] = []
    }

    private let wallAhead: Int64
    private let rate: EvenRate
    private let state = Mutex(State())

    init(wallAhead: Int64, _ rate: EvenRate) {
      self.wallAhead = wallAhead
      self.rate = rate
    }

    var latency: Latency { state.withLock { $0.lateness.latency } }
    var count: Int { state.withLock { $0.lateness.count } }
    var waits: Latency { state.withLock { $0.waits.latency } }
    var decided: Latency { state.withLock { $0.decided.latency } }
    var eventCount: Int { state.withLock { $0.waits.count } }

    func see(_ delivery: Delivery, at instant: Int64) throws {
      guard let window = delivery.window else { return try seeEvent(delivery, at: instant) }
      guard delivery.timeMilliseconds >= window.dueMilliseconds else {
        throw BenchmarkError("a digest was fired before it was due: this is a fault")
      }
      let late = instant + wallAhead - window.dueMilliseconds * 1_000_000
      state.withLock { $0.lateness.record(nanoseconds: late) }
    }

    private func seeEvent(_ delivery: Delivery, at instant: Int64) throws {
      let prefix = "\(EventsBeside.idPrefix)"
      guard delivery.kind == .single, let id = delivery.items.first?.id, id.hasPrefix(prefix),
        let place = Int(id.dropFirst(prefix.count)), place >= 0
      else { throw BenchmarkError("a delivery is of no digest and of no event beside them: this is a fault") }
      let wait = instant - rate.instant(of: place)
      guard wait >= 0 else {
        throw BenchmarkError("a delivery of event \(place) was seen before it was published: this is a fault")
      }
      try state.withLock { state in
        while state.isSeen.count <= place { state.isSeen.append(false) }
        guard !state.isSeen[place] else {
          throw BenchmarkError("event \(place) was delivered twice: this is a fault")
        }
        state.isSeen[place] = true
        state.waits.record(nanoseconds: wait)
        state.decided.record(
          nanoseconds: delivery.timeMilliseconds * 1_000_000 - wallAhead - rate.instant(of: place))
      }
    }
  }
}
