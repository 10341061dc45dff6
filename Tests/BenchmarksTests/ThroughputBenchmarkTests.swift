import Foundation
import Kafka
import Logging
import Testing

@testable import Benchmarks

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
    options.partitions = 4
    options.runs = 1
    return options
  }

  @Test("what is copied and what is decided is the same load, and the output of both is counted")
  func throughput() throws {
    let site = try makeSite()
    let report = try ThroughputBenchmark(
      options(events: 2_000), at: site, steps: LocalSteps(site), onProgress: { _, _ in }
    ).run()
    #expect(report.benchmark == "processor")
    // The pass-through writes each record once.
    #expect(report.passThrough.recordsPerEvent.values == [1])
    #expect((report.passThrough.bytesPerEvent.median ?? 0) > 250)
    #expect(report.processor.ratio.values.count == 1)
    #expect((report.processor.recordsPerEvent.median ?? 0) > 0.3)
    #expect((report.processor.eventsPerSecond.median ?? 0) > 0)
    // Memory and processor time of one process say nothing of one step.
    #expect(report.processor.cpuSecondsPerMillion.values.isEmpty)
    let json = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
    #expect(json?["benchmark"] as? String == "processor")
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
