import Foundation
import Kafka
import Logging
import ServiceLifecycle
import Synchronization

/// Reads a delivery topic and hands each record to a sink, at least once, in order per recipient.
///
/// One thread owns the consumer; `concurrency` tasks work on records of different recipients. Progress is committed
/// as the offset before which everything is done, with what is done above it in the commit's metadata, so that a
/// restart does not repeat it. What can come twice after a crash is what was in progress, and what was handed over
/// since the last commit (`commitInterval`).
///
/// A delivery that is refused for good, or too often, or cannot be read, goes to the dead-letter topic before its
/// offset counts as done. While the sink is unavailable nothing is tried but a probe at growing intervals, reading
/// pauses when the queue is full, and no delivery is blamed but one that meets the same again after others have passed.
public final class SinkRunner: Service {
  private let cluster: any KafkaCluster
  private let sink: any DeliverySink
  private let options: SinkOptions
  private let logger: Logger
  private let monitor: SinkMonitor
  /// What was read and is not dealt with.
  let queue: SinkQueue
  private let isStopping = Atomic(false)

  /// A runner; nothing connects before `run`.
  public init(cluster: any KafkaCluster, sink: any DeliverySink, options: SinkOptions, logger: Logger) {
    self.cluster = cluster
    self.sink = sink
    self.options = options
    self.logger = logger
    monitor = SinkMonitor(options)
    queue = SinkQueue(outage: options.outage)
  }

  /// What was done since the start.
  public var counters: SinkCounters { monitor.counters }

  /// How the sink stands.
  public var status: SinkStatus { monitor.status }

  /// How long ago the thread that consumes last came round; nil where it has not begun, or has ended.
  public var silence: Duration? { monitor.pulse.silence }

  /// Whether everything in the topic, as far as this member reads it, is dealt with and committed.
  public var isIdle: Bool { monitor.status.isIdle }

  /// Runs until a graceful shutdown or cancellation; then what is in progress finishes within `drainTimeout`, the
  /// progress is committed, the group is left and the sink closed. What is still in progress then, or when the consumer
  /// cannot go on, is left to itself, and the sink is not closed: the next owner repeats it in any case, and a delivery
  /// may last for minutes. May be called once.
  ///
  /// - Throws: `KafkaError` when the consumer or the producer of dead letters cannot be made or cannot go on.
  public func run() async throws {
    let deadLetters = try DeadLetters(cluster: cluster, topic: options.deadLetterTopic)
    let worker = SinkWorker(
      sink: sink, queue: queue, deadLetters: deadLetters, monitor: monitor, options: options, logger: logger)
    let (outcome, isQuiet): (Result<Void, any Error>, Bool) =
      await withTaskCancellationOrGracefulShutdownHandler {
        // Not child tasks: cancellation must reach a delivery in progress only by the end of the drain.
        let workers = (0..<options.concurrency).map { _ in Task { try await worker.run() } }
        let outcome = await consume()
        queue.close()
        // What is still on its way to the dead letters was not committed and comes again: nobody is to wait for it.
        deadLetters.close()
        guard queue.load.runningCount == 0 else { return (outcome, false) }
        var failure: (any Error)?
        for worker in workers {
          do { try await worker.value } catch { failure = failure ?? error }
        }
        return (failure.map { .failure($0) } ?? outcome, true)
      } onCancelOrGracefulShutdown: {
        self.isStopping.store(true, ordering: .relaxed)
      }
    if isQuiet { await closeSink() }
    try outcome.get()
  }

  /// Closes the sink, and waits for that no longer than `closePatience`: it says goodbye to others, who may not answer.
  private func closeSink() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let patience = Task { [options] in
        try? await Task.sleep(for: options.closePatience)
        continuation.resume()
      }
      Task { [sink] in
        await sink.close()
        patience.cancel()
      }
    }
  }

  /// Runs the consumer on a thread of its own, to its end.
  private func consume() async -> Result<Void, any Error> {
    await withCheckedContinuation { continuation in
      let thread = Thread { [self] in
        do throws(KafkaError) {
          let consumer = try SinkConsumer(
            cluster: cluster, queue: queue, monitor: monitor, options: options, logger: logger)
          try consumer.run { isStopping.load(ordering: .relaxed) }
          continuation.resume(returning: .success(()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      thread.name = "sink-\(options.channel.name)"
      thread.start()
    }
  }
}
