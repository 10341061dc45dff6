import CoreMetrics
import Foundation
import Synchronization

/// What the operating system knows about the process: processor time, memory, descriptors.
///
/// Read from `/proc/self` at each scrape. Where there is no `/proc`, the metrics are absent.
public enum ProcessMetrics {
  /// Has the metrics of this process refreshed before each rendering of `registry`.
  public static func install(in registry: PrometheusRegistry) {
    guard let first = read() else { return }
    let memory = registry.makeMeter(label: "process_resident_memory_bytes", dimensions: [])
    let descriptors = registry.makeMeter(label: "process_open_fds", dimensions: [])
    let descriptorLimit = registry.makeMeter(label: "process_max_fds", dimensions: [])
    let processorTime = registry.makeFloatingPointCounter(label: "process_cpu_seconds_total", dimensions: [])
    registry.makeMeter(label: "process_start_time_seconds", dimensions: []).set(first.startSeconds)
    let reported = Mutex(0.0)
    registry.beforeRender {
      guard let status = read() else { return }
      memory.set(Double(status.residentBytes))
      descriptors.set(Double(status.openDescriptors))
      if let limit = status.descriptorLimit { descriptorLimit.set(Double(limit)) }
      let growth = reported.withLock { seen in
        let growth = status.processorSeconds - seen
        if growth > 0 { seen = status.processorSeconds }
        return growth
      }
      processorTime.increment(by: growth)
    }
  }

  struct Status {
    var processorSeconds: Double
    var residentBytes: Int64
    var openDescriptors: Int
    /// The soft limit; nil where there is none.
    var descriptorLimit: UInt64?
    var startSeconds: Double
  }

  /// The fields of `/proc/self/stat` (proc(5)); nil where there is none.
  static func read() -> Status? {
    guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
      let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"),
      // The command's name is in parentheses and may hold spaces: count from the last parenthesis.
      let nameEnd = stat.lastIndex(of: ")")
    else { return nil }
    let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    guard fields.count > 21, ticks > 0, let user = Double(fields[11]), let system = Double(fields[12]),
      let start = Double(fields[19]), let pages = Int64(fields[21])
    else { return nil }
    return Status(
      processorSeconds: (user + system) / ticks,
      residentBytes: pages * Int64(sysconf(Int32(_SC_PAGESIZE))),
      openDescriptors: descriptors.count, descriptorLimit: descriptorLimit(),
      startSeconds: Date().timeIntervalSince1970 - ProcessInfo.processInfo.systemUptime + start / ticks)
  }

  private static func descriptorLimit() -> UInt64? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return limit.rlim_cur == rlim_t.max ? nil : UInt64(limit.rlim_cur)
  }
}
