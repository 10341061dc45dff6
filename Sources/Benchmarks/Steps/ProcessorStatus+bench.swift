import Processor

extension ProcessorStatus {
  /// The partitions of all workers.
  var partitions: [Partition] { workers.values.flatMap(\.partitions) }

  /// Windows that are open in all of them.
  var openWindows: Int { partitions.reduce(0) { $0 + $1.openWindows } }
}
