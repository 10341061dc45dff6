import Foundation
import Kafka
import Logging
import Testing

@testable import Benchmarks

@Suite(.timeLimit(.minutes(2))) struct WindowsBenchmarkTests {
  private func measure(
    _ kind: WindowsLoad.Kind, windows: Int = 2_000, items: Int = 1, rate: Int = 100
  ) throws -> WindowsMeasurement {
    let load = WindowsLoad(
      kind: kind, windows: windows, items: items, rate: rate, seconds: 5, partitions: 4, seed: 7)
    guard
      case .windows(let measurement) = try LocalSteps(nil).run(
        .windows(load), prefix: "", onProgress: { _ in })
    else { throw BenchmarkError("not an answer about windows") }
    return measurement
  }

  @Test("of windows that are due one after another, those of the time that is watched are counted")
  func steady() throws {
    let measurement = try measure(.steady)
    // A commit may take one or two with it that are due just behind the end.
    #expect((500...510).contains(measurement.lateness.count), "\(measurement.lateness.count)")
    #expect((4.9...5.2).contains(measurement.seconds), "\(measurement.seconds)")
    #expect(measurement.lateness.max > 0)
    #expect(measurement.lateness.p50 <= measurement.lateness.p99)
    #expect(measurement.lateness.p99 <= measurement.lateness.max)
    #expect(measurement.longestTurn >= measurement.longestTick)
    // Two seconds of events come before the first window is due.
    #expect((500...750).contains(measurement.waits.count), "\(measurement.waits.count)")
  }

  @Test("windows of one instant are all fired, and none is taken for another's")
  func together() throws {
    let measurement = try measure(.together, items: 3)
    #expect(measurement.lateness.count == 2_000)
    #expect(measurement.firstTick > 0 && measurement.firstTick <= measurement.longestTick)
    #expect(measurement.peakBytes > 0)
  }

  @Test("the clock jumps over the time in which there is nothing to do")
  func jumps() throws {
    let watch = Stopwatch()
    // Ten minutes from the first window to the last one, one every ten seconds.
    _ = try measure(.steady, windows: 600, rate: 1)
    #expect(watch.seconds < 60)
  }

  @Test("a report says of every kind whether its digests were in time, and its JSON holds the runs")
  func report() throws {
    var options = WindowsBenchmark.Options()
    options.windows = 500
    options.rate = 100
    options.seconds = 2
    options.partitions = 2
    options.runs = 2
    let site = try makeSite(partitionCount: 2)
    let report = try WindowsBenchmark(
      options, at: site, steps: LocalSteps(site), localSteps: LocalSteps(nil), onProgress: { _, _ in }
    ).run()
    #expect(report.processor.isEmpty)
    #expect(report.rows.map(\.kind) == [.steady, .together])
    #expect(report.rows.allSatisfy { $0.lateMax.values.count == 2 })
    #expect(report.rows[1].digests == 1_000)
    let json = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
    #expect(json?["benchmark"] as? String == "windows")
    #expect(json?["workers"] as? Int == 1 && json?["isEmbedded"] as? Bool == true)
  }

  private func makeSite(partitionCount: Int) throws -> BenchSite {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    return BenchSite(
      cluster: try EmbeddedCluster(logger: logger), prefix: "bench", partitionCount: partitionCount,
      logger: logger)
  }

  @Test(
    "the processor fires windows of a state that was written before, one after another, and decides events beside them"
  )
  func processor() throws {
    let site = try makeSite(partitionCount: 4)
    try BenchTopics(site).create(prefix: site.prefix)
    var load = StateLoad(ids: 1_800, items: 1_800, seed: 1)
    // The first join of a group takes the embedded cluster three seconds.
    let firstDue = Int64(Date().timeIntervalSince1970 * 1_000) + 15_000
    load.due = WindowsDue(kind: .steady, first: firstDue, rate: 100, items: 3)
    let state = try StateWriter(site, load).run { _ in }
    #expect(state.windows == 600 && state.items == 1_800)
    let options = FiringOptions(workers: 1, firstDue: firstDue, digests: 200, rate: 50)
    let firing = try FiringStep(site, options).run { _ in }
    #expect(firing.windows == 600)
    #expect((200...600).contains(firing.lateness.count))
    #expect(firing.seconds > 1.5)
    #expect(firing.lateness.p50 > 0 && firing.lateness.p50 < 2_000)
    // Events of the two seconds that 200 digests take, but for the last turn's.
    #expect(firing.waits.count >= 90)
    #expect(firing.waits.p50 > 0 && firing.waits.p50 < 2_000)
  }

  @Test("windows of one instant are due at the minute that is asked for")
  func minute() throws {
    let noon: Int64 = 1_700_049_600_000
    let due = WindowsDue(kind: .together, first: noon + 5 * 60_000, rate: 1, items: 1)
    let catalog = try due.catalog(of: 10, writtenAt: noon)
    #expect(due.type == LoadCatalog.scheduled)
    #expect(
      catalog.version
        != (try LoadCatalog.make(windowSeconds: due.windowSeconds(of: 10, writtenAt: noon))).version)
    let expected = try LoadCatalog.make(
      windowSeconds: due.windowSeconds(of: 10, writtenAt: noon), scheduledAt: "12:05")
    #expect(catalog.version == expected.version)
  }

  @Test("one digest that is late is enough for no")
  func late() {
    var row = WindowsReport.Row("", .steady)
    let waits = LatencyHistogram().latency
    for milliseconds in [[3, 1_000], [2, 1_001]] as [[Int64]] {
      #expect(row.isWithinSecond)
      var histogram = LatencyHistogram()
      for late in milliseconds { histogram.record(nanoseconds: late * 1_000_000) }
      row.add(
        WindowsMeasurement(
          lateness: histogram.latency, waits: waits, seconds: 1, firstTick: 0, longestTick: 0, longestTurn: 0,
          bytesPerWindow: nil, peakBytes: 0))
    }
    #expect(!row.isWithinSecond && row.late == 1 && row.digests == 4)
  }
}
