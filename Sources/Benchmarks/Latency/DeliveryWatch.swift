import Contract
import Foundation
import Kafka
import Synchronization

/// Reads a topic of deliveries as a sink does, committed records only, on a thread of its own.
final class DeliveryWatch: Sendable {
  private let isStopping = Atomic<Bool>(false)
  private let fault = Mutex<(any Error)?>(nil)
  private let ready = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// Begins to read at the end of the topic, and returns once it does.
  ///
  /// - Parameters:
  ///   - topic: without the prefix.
  ///   - onDelivery: called on the watch's thread with each delivery, as soon as it is seen.
  init(
    _ site: BenchSite, topic: String, onDelivery: @escaping @Sendable (Delivery, Int64) throws -> Void
  ) {
    let thread = Thread { [self] in
      do {
        try read("\(site.prefix).\(topic)", at: site, onDelivery)
      } catch {
        fault.withLock { $0 = error }
      }
      ready.signal()
      ended.signal()
    }
    thread.name = "bench watch"
    thread.start()
    ready.wait()
  }

  /// - Throws: what ended the watch, if something has.
  func check() throws {
    if let fault = fault.withLock({ $0 }) { throw fault }
  }

  /// Ends it and waits for that.
  func stop() {
    isStopping.store(true, ordering: .relaxed)
    ended.wait()
    ended.signal()
  }

  private func read(
    _ topic: String, at site: BenchSite, _ onDelivery: (Delivery, Int64) throws -> Void
  ) throws {
    var decoder = try DeliveryDecoder()
    let reader = try site.cluster.makeLogReader(
      LogReaderOptions(topics: [topic], isolation: .readCommitted))
    defer { reader.close() }
    let ranges = try site.cluster.admin.offsets(
      of: site.partitions(of: topic), isolation: .readUncommitted, timeout: .seconds(30))
    try reader.assign(ranges.map { PartitionOffset($0.topicPartition, offset: $0.latest) })
    ready.signal()
    while !isStopping.load(ordering: .relaxed) {
      switch reader.poll(timeout: .milliseconds(50)) {
      case .none, .endOfPartition: continue
      case .error(let error):
        if error.isFatal || error.code == .noOffset { throw error }
      case .record(let record):
        let seen = MonotonicTime.nanoseconds()
        try onDelivery(try decoder.decode(record.value), seen)
      }
    }
  }
}
