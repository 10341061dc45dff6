import Contract
import Metrics
import MetricsTestKit
import Pipeline
import Testing

@testable import Processor

@Suite struct WorkerMetricsTests {
  @Test("the lag of a partition that went to another member does not stand here for ever")
  func partitionGone() throws {
    let registry = TestMetrics()
    let metrics = WorkerMetrics(configuration: ProcessorConfiguration(), worker: 0, factory: registry)
    var worker = ProcessorStatus.Worker()
    worker.partitions = [
      ProcessorStatus.Partition(
        partition: 3, isRunning: true, restoreProgress: 1, restoredRecords: 0, counters: Counters(),
        openWindows: 0, ids: 0,
        isIdle: false)
    ]
    metrics.publish(
      [WorkerMetrics.Lag(partition: 3, records: [.events: 500], seconds: [.events: 7])], worker: worker)
    let labels = [("group", "tidings-processor"), ("topic", "tidings.events"), ("partition", "3")]
    let records = try registry.expectGauge("tidings_consumer_lag_records", labels)
    let seconds = try registry.expectGauge("tidings_consumer_lag_seconds", labels)
    #expect(records.lastValue == 500 && seconds.lastValue == 7)
    // What is not known is not 0.
    metrics.publish([WorkerMetrics.Lag(partition: 3)], worker: worker)
    #expect(records.lastValue == 500 && seconds.lastValue == 7)
    metrics.publish([], worker: ProcessorStatus.Worker())
    #expect(records.lastValue == 0)
    #expect(seconds.lastValue == 0)
  }

  @Test("what was wrong or restored in a partition that went to another member is said by that one alone")
  func differenceGone() throws {
    let registry = TestMetrics()
    let metrics = WorkerMetrics(configuration: ProcessorConfiguration(), worker: 0, factory: registry)
    var counters = Counters()
    counters.email.accepted = 5
    var worker = ProcessorStatus.Worker()
    worker.partitions = [
      ProcessorStatus.Partition(
        partition: 3, isRunning: true, restoreProgress: 1, restoredRecords: 700, counters: counters,
        openWindows: 0, ids: 0, isIdle: false)
    ]
    metrics.publish([], worker: worker)
    let difference = try registry.expectGauge("tidings_conservation_difference", [("partition", "3")])
    let restored = try registry.expectGauge("tidings_restore_records", [("partition", "3")])
    #expect(difference.lastValue == 5 && restored.lastValue == 700)
    metrics.publish([], worker: ProcessorStatus.Worker())
    #expect(difference.lastValue == 0 && restored.lastValue == 0)
  }

  @Test("the age of what waits in a topic is that topic's, and nothing is old where nothing waited")
  func ages() {
    var ages = InputAges()
    #expect(ages.age(.events, now: 9_000) == nil)
    ages.consumed(.events, appended: 1_000)
    ages.consumed(.engagement, appended: 9_000)
    #expect(ages.age(.events, now: 9_500) == 8_500)
    #expect(ages.age(.engagement, now: 9_500) == 500)
    #expect(ages.age(.routed, now: 9_500) == nil)
    // A day without records is no lag of the next one.
    ages.reachedEnd(.events, now: 10_000)
    #expect(ages.age(.events, now: 10_020) == 20)
    ages.consumed(.events, appended: 10_010)
    #expect(ages.age(.events, now: 10_005) == 0)
  }

  @Test("what came too late is counted by channel, from one confirmed commit to the next")
  func caughtUp() throws {
    let registry = TestMetrics()
    let metrics = WorkerMetrics(configuration: ProcessorConfiguration(), worker: 0, factory: registry)
    var before = Counters()
    before.inapp.caughtUp = 2
    var after = before
    after.inapp.caughtUp = 5
    metrics.count(from: before, to: after)
    #expect(try registry.expectCounter("tidings_caught_up_total", [("channel", "inapp")]).totalValue == 3)
    #expect(try registry.expectCounter("tidings_caught_up_total", [("channel", "email")]).totalValue == 0)
  }

  @Test("engagement records are counted by kind, each kind from 0")
  func engagement() throws {
    let registry = TestMetrics()
    let metrics = WorkerMetrics(configuration: ProcessorConfiguration(), worker: 0, factory: registry)
    var counts = Engagement.Kind.allCases.map { _ in Int64(3) }
    let before = counts
    counts[Engagement.Kind.bounced.index] += 2
    metrics.countEngagements(from: before, to: counts)
    for kind in Engagement.Kind.allCases {
      let counter = try registry.expectCounter("tidings_engagement_total", [("kind", kind.rawValue)])
      #expect(counter.totalValue == (kind == .bounced ? 2 : 0), "\(kind)")
    }
  }
}
