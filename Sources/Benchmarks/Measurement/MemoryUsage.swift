import CJemalloc
import Foundation

/// What this process has of the machine's memory, and how often it asked for some.
enum MemoryUsage {
  /// Bytes that are resident at this moment; nil where the system does not say.
  static func residentBytes() -> Int64? {
    guard let file = fopen("/proc/self/statm", "r") else { return nil }
    defer { fclose(file) }
    var pages: (total: CLong, resident: CLong) = (0, 0)
    let isRead = withUnsafeMutablePointer(to: &pages.total) { total in
      withUnsafeMutablePointer(to: &pages.resident) { resident in
        withVaList([total, resident]) { vfscanf(file, "%ld %ld", $0) == 2 }
      }
    }
    return isRead ? Int64(pages.resident) * Int64(sysconf(Int32(_SC_PAGESIZE))) : nil
  }

  /// The most bytes of this program that were ever resident; nil where the system does not say.
  static func peakResidentBytes() -> Int64? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    return peakResidentBytes(inStatus: status)
  }

  /// - Parameter status: what `/proc/<process>/status` holds.
  static func peakResidentBytes(inStatus status: String) -> Int64? {
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 3, words[2] == "kB", let kibibytes = Int64(words[1]) else { return nil }
      return kibibytes * 1_024
    }
    return nil
  }

  /// How often memory was asked for since the start, by this thread and by all that have ended; nil where the
  /// allocator does not count.
  static func allocations() -> Int64? {
    // What a thread has counted for itself is added up when its cache is emptied, and read as of the last epoch.
    mallctl("thread.tcache.flush", nil, nil, nil, 0)
    var epoch: UInt64 = 1
    mallctl("epoch", nil, nil, &epoch, MemoryLayout<UInt64>.size)
    guard let small = counter("stats.arenas.4096.small.nrequests"),
      let large = counter("stats.arenas.4096.large.nrequests")
    else { return nil }
    return small + large
  }

  /// Has the allocator give unused pages back to the system now, which its own thread does within some seconds.
  static func returnUnused() {
    mallctl("thread.tcache.flush", nil, nil, nil, 0)
    mallctl("arena.4096.purge", nil, nil, nil, 0)
  }

  private static func counter(_ name: String) -> Int64? {
    var value: UInt64 = 0
    var size = MemoryLayout<UInt64>.size
    return mallctl(name, &value, &size, nil, 0) == 0 ? Int64(clamping: value) : nil
  }
}
