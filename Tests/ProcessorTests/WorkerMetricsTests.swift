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
    metrics.publish([WorkerMetrics.Lag(partition: 3, records: [.events: 500], seconds: 7)], worker: worker)
    let labels = [("group", "tidings-processor"), ("topic", "tidings.events"), ("partition", "3")]
    let records = try registry.expectGauge("tidings_consumer_lag_records", labels)
    let seconds = try registry.expectGauge("tidings_consumer_lag_seconds", labels)
    #expect(records.lastValue == 500)
    metrics.publish([], worker: ProcessorStatus.Worker())
    #expect(records.lastValue == 0)
    #expect(seconds.lastValue == 0)
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
