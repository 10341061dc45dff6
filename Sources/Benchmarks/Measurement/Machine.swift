import CJemalloc
import Foundation
import Kafka

/// What a figure was taken on: no figure is worth anything without it.
public struct Machine: Encodable, Sendable {
  /// The processor's name as the system gives it.
  public let processor: String
  /// Logical processors that this process may use.
  public let processors: Int
  /// Bytes of memory.
  public let memoryBytes: UInt64
  /// The system with its version.
  public let system: String
  /// The version of librdkafka in use.
  public let librdkafka: String
  /// The allocator with its version.
  public let allocator: String
  /// Whether this program was built without optimisation: its figures mean nothing then.
  public let isDebugBuild: Bool
  /// The load average of the last minute when this value was made; nil where the system keeps none.
  public let loadAverage: Double?

  /// The machine at this moment.
  public init() {
    let process = ProcessInfo.processInfo
    processor = Self.processorName ?? "unknown processor"
    processors = process.activeProcessorCount
    memoryBytes = process.physicalMemory
    system = process.operatingSystemVersionString
    librdkafka = LibrdkafkaCluster.libraryVersion
    allocator = "jemalloc \(JEMALLOC_VERSION_MAJOR).\(JEMALLOC_VERSION_MINOR).\(JEMALLOC_VERSION_BUGFIX)"
    #if DEBUG
      isDebugBuild = true
    #else
      isDebugBuild = false
    #endif
    var averages = [0.0]
    loadAverage = getloadavg(&averages, 1) == 1 ? averages[0] : nil
  }

  /// One line for people.
  public var summary: String {
    let memory = String(format: "%.0f GiB", Double(memoryBytes) / 1_073_741_824)
    let load = loadAverage.map { String(format: ", load %.2f", $0) } ?? ""
    let debug = isDebugBuild ? ", DEBUG BUILD: its figures mean nothing" : ""
    return
      "\(processor), \(processors) processors, \(memory), \(system), librdkafka \(librdkafka), \(allocator)\(load)\(debug)"
  }

  private static var processorName: String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("model name") {
      return line.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }
    return nil
  }
}
