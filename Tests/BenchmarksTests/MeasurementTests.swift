import Testing

@testable import Benchmarks

@Suite struct MeasurementTests {
  @Test("the median is the value in the middle, or between the two in the middle")
  func median() {
    #expect(RunSeries([3, 1, 2]).median == 2)
    #expect(RunSeries([4, 1, 3, 2]).median == 2.5)
    #expect(RunSeries([]).median == nil)
    #expect(RunSeries([5, 1, 9]).range == 1...9)
    #expect(RunSeries([]).range == nil)
  }

  @Test("the most memory of a process is its own, and not that of the one that started it")
  func peakMemory() throws {
    let status = "Name:\ttidings\nVmPeak:\t  700000 kB\nVmHWM:\t   13012 kB\nVmRSS:\t   12000 kB\n"
    #expect(MemoryUsage.peakResidentBytes(inStatus: status) == 13_324_288)
    #expect(MemoryUsage.peakResidentBytes(inStatus: "Name:\ttidings\n") == nil)
    #expect(ProcessUsage.now().peakBytes > 1_000_000)
  }

  @Test("a wait ends when nothing has come for two minutes, and not before")
  func standstill() throws {
    let start = ContinuousClock.now
    var seconds = 0
    var standstill = Standstill { start + .seconds(seconds) }
    for (instant, measure) in [(0, 1.0), (119, 1.0), (120, 1.5), (239, 1.5), (239, 2), (358, 2)] {
      seconds = instant
      try standstill.check(measure, "too early at \(instant)")
    }
    seconds = 359
    let error = #expect(throws: BenchmarkError.self) { try standstill.check(2, "of 3 things there are 2") }
    #expect(error?.description.contains("of 3 things there are 2") == true)
  }

  @Test("each run begins with the next kind")
  func rotation() {
    #expect([1, 2, 3].rotated(by: 0) == [1, 2, 3])
    #expect([1, 2, 3].rotated(by: 1) == [2, 3, 1])
    #expect([1, 2, 3].rotated(by: 5) == [3, 1, 2])
    #expect([Int]().rotated(by: 1).isEmpty)
  }

  @Test("few ranks are drawn often, and all within the bounds")
  func zipf() {
    let distribution = ZipfDistribution(count: 1000, exponent: 1.05)
    var random = SeededRandom(seed: 7)
    var counts = [Int](repeating: 0, count: 1000)
    for _ in 0..<20_000 { counts[distribution.next(using: &random)] += 1 }
    #expect(counts[0] > counts[9] && counts[9] > counts[99])
    // The first rank has 1/H of the weight: 13 % for a thousand ranks.
    #expect((2200...3100).contains(counts[0]))
    #expect(counts.reduce(0, +) == 20_000)
  }

  @Test("percentiles of latencies are right to three digits, and what took longer than a second is counted")
  func latency() {
    var histogram = LatencyHistogram()
    #expect(histogram.latency.count == 0 && histogram.latency.max == 0)
    for microseconds in 1...2_000_000 where microseconds % 1_000 == 0 {
      histogram.record(nanoseconds: Int64(microseconds) * 1_000)
    }
    let latency = histogram.latency
    #expect(latency.count == 2_000)
    for (found, expected) in [(latency.p50, 1_000.0), (latency.p95, 1_900.0), (latency.p99, 1_980.0)] {
      #expect(abs(found - expected) <= expected / 1_000, "\(found)")
    }
    #expect(abs(latency.max - 2_000) <= 2)
    #expect(latency.beyondSecond == 1_000)
  }
}
