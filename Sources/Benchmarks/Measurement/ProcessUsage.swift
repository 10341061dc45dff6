import Foundation

/// What this process has taken from the machine so far.
struct ProcessUsage {
  /// Seconds of all processors, in user and system mode.
  var cpuSeconds: Double
  /// The most memory that was ever resident, in bytes.
  var peakBytes: Int64

  /// The usage at this moment.
  static func now() -> ProcessUsage {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
      // A process begins with its parent's `ru_maxrss` on Linux.
      let peakBytes = MemoryUsage.peakResidentBytes() ?? 0
    #else
      getrusage(RUSAGE_SELF, &usage)
      let peakBytes = Int64(usage.ru_maxrss)
    #endif
    return ProcessUsage(
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), peakBytes: peakBytes)
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
  }
}

/// Seconds since a moment.
struct Stopwatch {
  private let start = ContinuousClock.now

  var seconds: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
