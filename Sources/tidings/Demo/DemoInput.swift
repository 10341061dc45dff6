import Contract
import Kafka
import Synchronization

/// Publishes a demo's input on a thread of its own, no faster than the rest of the demo takes it.
final class DemoInput: Sendable {
  /// What is published so far.
  struct Progress: Sendable {
    var totals = PublishTotals()
    var delivered = 0
    var failure: String?
    var refused = 0
    /// Whether everything is published.
    var isFinished = false
  }

  /// Records that may wait for the processor, and rows for the inbox: the embedded cluster drops what does not fit.
  private static let waitingLimit: Int64 = 20_000
  private static let rowLimit: Int64 = 60_000

  private let path: String
  private let options: EventPublisher.Options
  private let progress = Mutex(Progress())

  init(path: String, options: EventPublisher.Options) {
    self.path = path
    self.options = options
  }

  /// How far it is. Any thread may ask.
  var current: Progress { progress.withLock { $0 } }

  /// Publishes everything and waits until the broker has it. Blocks the calling thread.
  ///
  /// - Parameters:
  ///   - system: whose pace is kept.
  ///   - base: records in the input topics before these.
  ///   - onRefusal: told of each line that breaks the contract.
  func publish(
    to system: DemoSystem, base: Int, stop: StopSignal, onRefusal: (_ message: String) -> Void
  ) throws {
    var publisher = try EventPublisher(cluster: system.cluster, options: options, stop: stop)
    var lines = try LineReader(path: path, limit: options.recordLimit, stop: stop)
    while let line = try lines.next() {
      do throws(Rejection) {
        if line.isCut {
          throw Rejection(.recordTooLarge, "The line has more than \(options.recordLimit) bytes.")
        }
        guard try publisher.publish(line.bytes, name: "line \(line.number)") else { break }
      } catch {
        onRefusal("line \(line.number): \(error)")
        progress.withLock { $0.refused += 1 }
      }
      if line.number % 256 == 0 {
        note(publisher.totals, publisher.deliveries)
        waitForRoom(system, published: base + publisher.totals.records, stop: stop)
      }
    }
    try publisher.finish()
    note(publisher.totals, publisher.deliveries)
    progress.withLock { $0.isFinished = true }
  }

  private func waitForRoom(_ system: DemoSystem, published: Int, stop: StopSignal) {
    while !stop.isStopped {
      let counters = system.status.counters
      let waiting = Int64(published) + counters.forwards - counters.consumed
      let rows = counters.inapp.delivered - Int64(system.inbox.counters.rows)
      guard waiting > Self.waitingLimit || rows > Self.rowLimit else { return }
      stop.wait(.milliseconds(20))
    }
  }

  private func note(_ totals: PublishTotals, _ count: DeliveryTally.Count) {
    progress.withLock { progress in
      progress.totals = totals
      progress.delivered = count.delivered
      progress.failure = count.firstFailure
    }
  }
}
