import Histogram

/// How long something took each time: an HdrHistogram with three significant digits, in microseconds.
struct LatencyHistogram {
  private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
  /// How often it took longer than a second.
  private var beyondSecond = 0

  mutating func record(nanoseconds: Int64) {
    let microseconds = UInt64(max(0, nanoseconds)) / 1_000
    histogram.record(microseconds)
    if microseconds > 1_000_000 { beyondSecond += 1 }
  }

  var count: Int { Int(histogram.totalCount) }

  var latency: Latency {
    func milliseconds(_ percentile: Double) -> Double {
      Double(histogram.valueAtPercentile(percentile)) / 1_000
    }
    return Latency(
      count: Int(histogram.totalCount), p50: milliseconds(50), p95: milliseconds(95), p99: milliseconds(99),
      max: Double(histogram.max) / 1_000, beyondSecond: beyondSecond)
  }
}

/// How long something took, in milliseconds: percentiles with three significant digits.
public struct Latency: Codable, Sendable, Equatable {
  /// How often it was measured.
  public var count: Int
  /// Half of them took at most so long.
  public var p50: Double
  /// 95 of a hundred.
  public var p95: Double
  /// 99 of a hundred.
  public var p99: Double
  /// The longest.
  public var max: Double
  /// How many took longer than a second.
  public var beyondSecond: Int
}
