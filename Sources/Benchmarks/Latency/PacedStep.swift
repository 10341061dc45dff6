import Contract
import Foundation
import Kafka
import Processor
import Synchronization

/// Starts the real processor, publishes events at an even rate, and takes the time until their immediate deliveries are
/// seen by a reader of committed records.
struct PacedStep {
  private static let patience = Duration.seconds(60)

  private let site: BenchSite
  private let load: PacedLoad

  /// What publisher and watch share.
  final class Ledger: Sendable {
    /// In place of the instant of an event that does not count, and of one whose delivery was seen.
    static let (notCounted, delivered): (Int64, Int64) = (0, -1)

    struct State {
      /// When each event was to be published, by its number.
      var intended: [Int64] = []
      var seen = 0
      var histogram = LatencyHistogram()
      var decided = LatencyHistogram()
    }

    /// How far the wall clock is ahead of the one by which events are published, in nanoseconds.
    let wallAhead = Int64(Date().timeIntervalSince1970 * 1e9) - MonotonicTime.nanoseconds()

    let state = Mutex(State())

    func see(_ delivery: Delivery, at instant: Int64) throws {
      guard delivery.kind == .single, let item = delivery.items.first else { return }
      guard item.id.hasPrefix("event-"), let number = Int(item.id.dropFirst(6)) else {
        throw BenchmarkError("a delivery is of the event \(item.id), which nobody published: this is a fault")
      }
      try state.withLock { state in
        guard number < state.intended.count, state.intended[number] != Self.notCounted else { return }
        let intended = state.intended[number]
        guard intended != Self.delivered else {
          throw BenchmarkError("event \(number) was delivered twice: this is a fault")
        }
        state.intended[number] = Self.delivered
        state.seen += 1
        state.histogram.record(nanoseconds: instant - intended)
        let decided = delivery.timeMilliseconds * 1_000_000 - wallAhead
        state.decided.record(nanoseconds: decided - intended)
      }
    }
  }

  init(_ site: BenchSite, _ load: PacedLoad) {
    self.site = site
    self.load = load
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> PacedMeasurement {
    let status = ProcessorStatus()
    let running = try RunningService(
      ProcessorConfiguration(site, workers: load.workers), at: site, status: status)
    defer { running.cancel() }
    // The recipients' records are decided first.
    try running.wait(for: EventLoad.recipientCount, "recipient", onProgress) { Int(status.counters.decided) }
    let ledger = Ledger()
    let watch = DeliveryWatch(site, topic: "delivery.inapp") { try ledger.see($0, at: $1) }
    defer { watch.stop() }
    try watch.check()
    let (expected, late, commits) = try publish(to: ledger, running, onProgress)
    let deadline = ContinuousClock.now + Self.patience
    while ledger.state.withLock({ $0.seen }) < expected {
      try running.wait()
      try watch.check()
      guard ContinuousClock.now < deadline else {
        let seen = ledger.state.withLock { $0.seen }
        throw BenchmarkError(
          "of \(expected) immediate deliveries only \(seen) were seen \(Self.patience) after the last event: the rate "
            + "of \(load.rate) events a second is too high for this machine, or this is a fault")
      }
    }
    running.cancel()
    try running.waitForEnd()
    return ledger.state.withLock { state in
      PacedMeasurement(
        latency: state.histogram.latency, decided: state.decided.latency,
        publisherLate: Double(late) / 1_000_000, commits: commits)
    }
  }

  /// - Returns: how many deliveries are to be seen, how late the publisher was at most, in nanoseconds, and the commits of
  ///   the seconds that are measured.
  private func publish(
    to ledger: Ledger, _ running: RunningService, _ onProgress: (StepProgress) -> Void
  ) throws -> (expected: Int, late: Int64, commits: Latency?) {
    var publisher = try PacedPublisher(site)
    var events = EventLoad(seed: load.seed, partitionCount: site.partitionCount)
    var (expected, firsts, late) = (0, 0, Int64(0))
    var progress = Stopwatch()
    let count = (load.warmUp + load.seconds) * load.rate
    let rate = EvenRate(eventsPerSecond: load.rate, start: MonotonicTime.nanoseconds())
    for place in 0..<count {
      if place == load.warmUp * load.rate { _ = CommitTimes.ofThisProcess?.take() }
      let intended = rate.instant(of: place)
      while MonotonicTime.nanoseconds() < intended { try running.wait() }
      let next = events.next()
      if next.number == firsts {
        firsts += 1
        let counts = place >= load.warmUp * load.rate && LoadCatalog.shares[next.type].isImmediateInInbox
        ledger.state.withLock { $0.intended.append(counts ? intended : Ledger.notCounted) }
        if counts { expected += 1 }
      }
      try publisher.publish(
        idPrefix: "event-", number: next.number, type: LoadCatalog.shares[next.type].type,
        recipient: next.recipient, partition: Int32(next.partition))
      if place >= load.warmUp * load.rate { late = max(late, MonotonicTime.nanoseconds() - intended) }
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      onProgress(
        StepProgress(share: Double(place) / Double(count), count: place, unit: "event"))
    }
    // Not those of what is still to be drained.
    let commits = CommitTimes.ofThisProcess?.take()
    try publisher.finish()
    return (expected, late, commits)
  }
}
