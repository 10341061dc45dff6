import Foundation
import Kafka
import Logging
import Synchronization
import Testing

@testable import Benchmarks
@testable import Contract

@Suite(.serialized, .timeLimit(.minutes(2))) struct ThroughputBenchmarkTests {
  private func makeSite() throws -> BenchSite {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    return BenchSite(
      cluster: try EmbeddedCluster(logger: logger), prefix: "bench", partitionCount: 4, logger: logger)
  }

  private func options(events: Int) -> ThroughputBenchmark.Options {
    var options = ThroughputBenchmark.Options()
    options.events = events
    options.warmUp = 0
    options.partitions = 4
    options.runs = 1
    options.rates = []
    return options
  }

  @Test("what is copied and what is decided is the same load, and the output of both is counted")
  func throughput() throws {
    let site = try makeSite()
    var options = options(events: 2_000)
    options.shortestRun = 0
    let report = try ThroughputBenchmark(
      options, at: site, steps: LocalSteps(site), onProgress: { _, _ in }
    ).run()
    #expect(report.benchmark == "processor")
    // Both copies write each record once.
    #expect(report.copyLoop.recordsPerEvent.values == [1])
    #expect(report.passThrough.recordsPerEvent.values == [1])
    #expect((report.passThrough.bytesPerEvent.median ?? 0) > 250)
    #expect(report.copyLoop.bytesPerEvent == report.passThrough.bytesPerEvent)
    #expect((report.passThrough.commitP50.median ?? 0) > 0)
    #expect(report.paces.isEmpty)
    // Each is compared with what is beside it.
    for (run, limit) in [(report.passThrough, report.copyLoop), (report.processor, report.passThrough)] {
      let rate = try #require(limit.eventsPerSecond.median)
      #expect(run.ratio.values == run.eventsPerSecond.values.map { $0 / rate })
    }
    #expect(report.copyLoop.ratio.values.isEmpty)
    #expect((report.processor.recordsPerEvent.median ?? 0) > 0.3)
    // Memory and processor time of one process say nothing of one step.
    #expect(report.processor.cpuSecondsPerMillion.values.isEmpty)
    let json = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
    #expect(json?["benchmark"] as? String == "processor")
  }

  @Test("a processor's time has neither the recipients' records in it nor the warm-up")
  func warmUp() throws {
    let site = try makeSite()
    try BenchTopics(site).create(prefix: site.prefix)
    try LoadPublishingStep(site, PublishedLoad(events: 2_000, seed: 1)).run { _ in }
    let work = ThroughputOptions(events: 2_000, warmUp: 500, workers: 1, copyPrefix: "copies")
    let throughput = try ProcessingStep(site, work).run { _ in }
    #expect((0...1_500).contains(throughput.events), "\(throughput.events)")
    // Nine events in ten are new ones, and of those nine in ten open a window or join one.
    #expect((500...2_000).contains(throughput.windowsAfter ?? 0), "\(throughput.windowsAfter ?? 0)")
  }

  @Test("a load of which the brokers refuse records is not measured")
  func lostRecords() throws {
    var logger = Logger(label: "bench")
    logger.logLevel = .critical
    let cluster = try EmbeddedCluster(logger: logger)
    let site = BenchSite(cluster: cluster, prefix: "bench", partitionCount: 4, logger: logger)
    try BenchTopics(site).create(prefix: site.prefix)
    // Produce is request 0, and this is INVALID_RECORD.
    cluster.failRequests(apiKey: 0, with: [KafkaError.Code(rawValue: 87)])
    let error = #expect(throws: BenchmarkError.self) {
      try LoadPublishingStep(site, PublishedLoad(events: 100, seed: 1)).run { _ in }
    }
    #expect(error?.description.contains("lost on their way") == true, "\(error?.description ?? "")")
  }

  @Test("a delivery that is seen twice is a fault, and the second one is not counted")
  func deliveredTwice() throws {
    let ledger = PacedStep.Ledger()
    ledger.state.withLock { $0.intended = [PacedStep.Ledger.notCounted, 1_000] }
    let item = Delivery.Item(
      source: "/bench", id: "event-1", type: "bench.now", acceptedAtMilliseconds: 0, title: "",
      isDataOmitted: false)
    var delivery = Delivery(
      id: "", timeMilliseconds: 0, tenant: "", recipient: "", channel: .inapp, kind: .single,
      type: "bench.now",
      priority: .normal, title: "", catalog: "", totalEvents: 1, totalActors: 1, items: [item])
    try ledger.see(delivery, at: 3_000)
    #expect(throws: BenchmarkError.self) { try ledger.see(delivery, at: 4_000) }
    delivery.items[0].id = "event-0"
    // One that does not count may come again.
    try ledger.see(delivery, at: 5_000)
    try ledger.see(delivery, at: 6_000)
    #expect(ledger.state.withLock { $0.seen } == 1)
    #expect(ledger.state.withLock { $0.histogram.latency.max } == 0.002)
  }

  /// A report of one run of each kind that took so many seconds.
  private func report(
    copySeconds: Double, processorSeconds: Double, isolatesSteps: Bool
  ) -> ThroughputReport {
    func run(
      _ seconds: Double, cpuSeconds: Double, output: (records: Int, bytes: Int64)
    ) -> ThroughputBenchmark.Measured {
      let throughput = Throughput(
        events: 1_000, seconds: seconds, cpuSeconds: cpuSeconds, peakBytes: 5_000_000, commits: nil)
      return (throughput, output)
    }
    var report = ThroughputReport(
      options(events: 1_000), bootstrapServers: "", isEmbedded: true, isolatesSteps: isolatesSteps)
    let copied = run(copySeconds, cpuSeconds: 0.25, output: (1_000, 300_000))
    report.add(copied, as: \.passThrough)
    report.add(
      run(processorSeconds, cpuSeconds: 1, output: (500, 100_000)), as: \.processor, comparedWith: copied)
    return report
  }

  @Test("a run is compared with the one beside it")
  func compared() {
    let report = report(copySeconds: 2, processorSeconds: 4, isolatesSteps: true)
    #expect(report.passThrough.eventsPerSecond.values == [500])
    #expect(report.processor.eventsPerSecond.values == [250])
    #expect(report.processor.ratio.values == [0.5])
    #expect(report.processor.cpuSecondsPerMillion.values == [1_000])
    #expect(report.processor.cpuRatio.values == [4])
    #expect(report.processor.peakMegabytes.values == [5])
    #expect(report.shortRuns == 0)
  }

  @Test("memory and processor time of one process say nothing of one step")
  func sharedProcess() {
    let processor = report(copySeconds: 2, processorSeconds: 4, isolatesSteps: false).processor
    #expect(processor.ratio.values == [0.5])
    #expect(processor.cpuSecondsPerMillion.values.isEmpty && processor.cpuRatio.values.isEmpty)
    #expect(processor.peakMegabytes.values.isEmpty)
  }

  @Test("of a run of less than a second there are no rates, and nothing is compared with it")
  func shortRuns() {
    let first = report(copySeconds: 0.9, processorSeconds: 1, isolatesSteps: true)
    #expect(first.shortRuns == 1)
    #expect(
      first.passThrough.eventsPerSecond.values.isEmpty && first.passThrough.peakMegabytes.values.isEmpty)
    #expect(first.passThrough.recordsPerEvent.values == [1])
    #expect(first.processor.eventsPerSecond.values == [1_000])
    #expect(first.processor.ratio.values.isEmpty && first.processor.cpuRatio.values.isEmpty)
    let second = report(copySeconds: 1, processorSeconds: 0.9, isolatesSteps: true)
    #expect(second.shortRuns == 1)
    #expect(second.processor.ratio.values.isEmpty && second.processor.recordsPerEvent.values == [0.5])
  }

  /// Steps that say that each has a process of its own, so that what processes take is told.
  private struct Isolated: StepRunner {
    let steps: LocalSteps
    var isolatesSteps: Bool { true }

    func run(
      _ step: Step, prefix: String, onProgress: @escaping (StepProgress) -> Void
    ) throws -> StepResult {
      try steps.run(step, prefix: prefix, onProgress: onProgress)
    }

    func cancel() { steps.cancel() }
  }

  @Test("at an even rate every immediate delivery of the measured time is seen, and no other counts")
  func pace() throws {
    let site = try makeSite()
    var options = options(events: 100)
    options.rates = [200, 100]
    options.pacedWarmUp = 1
    options.seconds = 2
    let report = try ThroughputBenchmark(
      options, at: site, steps: Isolated(steps: LocalSteps(site)), onProgress: { _, _ in }
    ).run()
    #expect(report.paces.map(\.rate) == [200, 100])
    for pace in report.paces {
      // Nine new events in ten, of which half are delivered to the inbox at once.
      let share = Double(pace.deliveries) / Double(2 * pace.rate)
      #expect((0.35...0.55).contains(share), "\(pace.deliveries)")
      let (p50, p99, max) = (pace.p50.median ?? 0, pace.p99.median ?? 0, pace.max.median ?? 0)
      #expect(0 < p50 && p50 <= p99 && p99 <= max)
      #expect(max >= (pace.publisherLate.median ?? 0) / 2)
      #expect((pace.cpuSecondsPerMillion.median ?? 0) > 0 && (pace.peakMegabytes.median ?? 0) > 0)
    }
  }

  @Test("of steps side by side the one that fails first says why, and the other is ended")
  func besideEachOther() throws {
    /// Its first step fails at once; the other one waits until it is ended.
    final class Runner: StepRunner {
      let isolatesSteps = true
      let calls = Atomic<Int>(0)
      let ended = DispatchSemaphore(value: 0)

      func run(
        _ step: Step, prefix: String, onProgress: @escaping (StepProgress) -> Void
      ) throws -> StepResult {
        if case .publishProbes = step { throw BenchmarkError("the reason") }
        guard ended.wait(timeout: .now() + 60) == .success else { return .published }
        throw BenchmarkError("ended")
      }

      /// Misses the first time what is only about to start.
      func cancel() {
        if calls.add(1, ordering: .relaxed).newValue == 2 { ended.signal() }
      }
    }
    for isCompanion in [false, true] {
      let waiting = Step.readLog(topic: "events")
      let failing = Step.publishProbes(number: 0)
      let error = #expect(throws: BenchmarkError.self) {
        try StepSequence(Runner(), onProgress: { _, _ in }).run(
          isCompanion ? waiting : failing, beside: isCompanion ? failing : waiting, "", "", { $0 }, { $0 })
      }
      #expect(error?.description == "the reason")
    }
  }

  @Test("the loop in C says what is wrong with its topic")
  func shortTopic() throws {
    let site = try makeSite()
    try BenchTopics(site).create(prefix: site.prefix)
    try BenchTopics(site).create(prefix: "copies")
    let work = ThroughputOptions(events: 10, warmUp: 0, workers: 1, copyPrefix: "copies")
    let error = #expect(throws: BenchmarkError.self) { try CopyLoopStep(site, work).run() }
    #expect(
      error?.description.contains("bench.events: holds fewer records") == true, "\(error?.description ?? "")")
  }

  @Test("a rate whose events the embedded cluster would drop is refused, with the rate that fits")
  func rateTooHigh() throws {
    let site = try makeSite()
    var options = options(events: 100)
    options.rates = [5_000, 100]
    let benchmark = ThroughputBenchmark(
      options, at: site, steps: LocalSteps(site), onProgress: { _, _ in })
    let error = #expect(throws: BenchmarkError.self) { try benchmark.run() }
    #expect(error?.description.contains("at most --rate 262") == true, "\(error?.description ?? "")")
  }

  @Test("a load that the embedded cluster would drop is refused, with the size that fits")
  func tooLarge() throws {
    let site = try makeSite()
    let benchmark = ThroughputBenchmark(
      options(events: 2_000_000), at: site, steps: LocalSteps(site), onProgress: { _, _ in })
    let error = #expect(throws: BenchmarkError.self) { try benchmark.run() }
    #expect(error?.description.contains("at most --events 10485") == true, "\(error?.description ?? "")")
  }
}
