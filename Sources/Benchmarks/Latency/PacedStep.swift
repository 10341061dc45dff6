import Contract
import Foundation
import Kafka
import Synchronization

/// Publishes events at an even rate for a processor that runs beside it, and takes the time until their immediate deliveries
/// are seen by a reader of committed records.
struct PacedStep {
  private let site: BenchSite
  private let load: PacedLoad

  /// What publisher and watch share.
  final class Ledger: Sendable {
    /// In place of the instant of an event that does not count, and of one whose delivery was seen.
    static let (notCounted, delivered): (Int64, Int64) = (0, -1)

    struct State {
      /// When each event was to be published, by its number.
      var intended: [Int64] = []
      /// Whose probes were delivered: as many as there are partitions that decide.
      var probed: Set<String> = []
      var seen = 0
      var histogram = LatencyHistogram()
      var decided = LatencyHistogram()
    }

    /// How far the wall clock is ahead of the one by which events are published, in nanoseconds.
    let wallAhead = Int64(Date().timeIntervalSince1970 * 1e9) - MonotonicTime.nanoseconds()

    let state = Mutex(State())

    func see(_ delivery: Delivery, at instant: Int64) throws {
      guard delivery.kind == .single, let item = delivery.items.first else { return }
      guard !item.id.hasPrefix(ProbeStep.idPrefix.description) else {
        return state.withLock { _ = $0.probed.insert(delivery.recipient) }
      }
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
    let ledger = Ledger()
    let watch = DeliveryWatch(site, topic: "delivery.inapp") { try ledger.see($0, at: $1) }
    defer { watch.stop() }
    try watch.check()
    // Nothing of the processor's start is to be in the times.
    try ProbeStep(site, number: 0).run()
    try wait(watch, for: site.partitionCount, "partitions that decide") {
      ledger.state.withLock { $0.probed.count }
    }
    let (expected, late) = try publish(to: ledger, onProgress)
    // Where the rate is too high it takes as long as it takes, and that is what the times say.
    try wait(watch, for: expected, "immediate deliveries") { ledger.state.withLock { $0.seen } }
    return ledger.state.withLock { state in
      PacedMeasurement(
        latency: state.histogram.latency, decided: state.decided.latency,
        publisherLate: Double(late) / 1_000_000)
    }
  }

  /// Waits until so many of something are there.
  ///
  /// - Throws: `BenchmarkError` when nothing has come for two minutes; what ended the watch.
  private func wait(
    _ watch: DeliveryWatch, for total: Int, _ what: String, until count: () -> Int
  ) throws {
    var standstill = Standstill()
    while true {
      let found = count()
      if found >= total { return }
      try watch.check()
      try standstill.check(Double(found), "of \(total) \(what) there are only \(found)")
      pause()
    }
  }

  /// As long as the resolution of what is measured.
  private func pause() { usleep(500) }

  /// - Returns: how many deliveries are to be seen, and how late the publisher was at most, in nanoseconds.
  private func publish(
    to ledger: Ledger, _ onProgress: (StepProgress) -> Void
  ) throws -> (expected: Int, late: Int64) {
    var publisher = try PacedPublisher(site)
    var events = EventLoad(seed: load.seed, partitionCount: site.partitionCount)
    var (expected, firsts, late) = (0, 0, Int64(0))
    var progress = Stopwatch()
    let rate = EvenRate(eventsPerSecond: load.rate, start: MonotonicTime.nanoseconds())
    for place in 0..<load.events {
      let isMeasured = place >= load.eventsBefore
      let intended = rate.instant(of: place)
      while MonotonicTime.nanoseconds() < intended { pause() }
      let next = events.next()
      if next.number == firsts {
        firsts += 1
        let counts = isMeasured && LoadCatalog.shares[next.type].isImmediateInInbox
        ledger.state.withLock { $0.intended.append(counts ? intended : Ledger.notCounted) }
        if counts { expected += 1 }
      }
      try publisher.publish(
        idPrefix: "event-", number: next.number, type: LoadCatalog.shares[next.type].type,
        recipient: next.recipient, partition: Int32(next.partition))
      if isMeasured { late = max(late, MonotonicTime.nanoseconds() - intended) }
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      onProgress(
        StepProgress(share: Double(place) / Double(load.events), count: place, unit: "event"))
    }
    try publisher.finish()
    return (expected, late)
  }
}
