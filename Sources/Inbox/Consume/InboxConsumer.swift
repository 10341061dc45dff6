import Foundation
import Kafka
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Reads the deliveries for the inbox and stores them, each once, with the offsets in the same database
/// transaction.
///
/// All work happens on one thread of its own, which owns the consumer. A database that takes no writes pauses
/// the reading, says so and is tried again; nothing is lost, the deliveries wait in their topic. A record
/// that cannot be read goes to the dead-letter topic before its offset is passed.
///
/// One process per database file. With another one in the group, each partition's notifications would lie in
/// the file of the process that owns the partition.
public final class InboxConsumer: Service, Sendable {
  private let cluster: any KafkaCluster
  private let store: InboxStore
  private let signals: InboxSignals
  private let options: InboxConsumerOptions
  private let logger: Logger
  private let factory: any MetricsFactory
  private let onHealth: @Sendable (_ problem: String?) -> Void
  private let progress = InboxProgress()

  /// A consumer, not yet running.
  ///
  /// - Parameters:
  ///   - signals: told which inboxes changed, after the commit.
  ///   - factory: makes the metrics.
  ///   - onHealth: told what keeps the consumer from its work, and nil when it does it again.
  public init(
    cluster: any KafkaCluster, store: InboxStore, signals: InboxSignals,
    options: InboxConsumerOptions = InboxConsumerOptions(), logger: Logger,
    factory: any MetricsFactory = MetricsSystem.factory,
    onHealth: @escaping @Sendable (_ problem: String?) -> Void = { _ in }
  ) {
    self.cluster = cluster
    self.store = store
    self.signals = signals
    self.options = options
    self.logger = logger
    self.factory = factory
    self.onHealth = onHealth
  }

  /// What was done and where it stands; may be asked from any thread.
  public var counters: InboxConsumerCounters { progress.counters.withLock { $0 } }

  /// How long ago the consumer's thread last came round; nil where it has not begun, or has ended.
  public var silence: Duration? { progress.pulse.silence }

  /// Whether all that the topic held is stored; see ``InboxConsumerCounters/isIdle``.
  public var isIdle: Bool { counters.isIdle }

  /// Consumes until the graceful shutdown; then what was read is stored and committed, and the group is left.
  ///
  /// - Throws: ``InboxConsumerError``, ``InboxStoreError``, or `KafkaError` when going on is impossible.
  public func run() async throws {
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          let thread = Thread { continuation.resume(with: Result { try self.consume() }) }
          thread.name = "inbox-consumer"
          thread.start()
        }
      } onGracefulShutdown: {
        self.progress.stop()
      }
    } onCancel: {
      progress.stop()
    }
  }

  private func consume() throws {
    let consumer = try cluster.makeGroupConsumer(
      GroupConsumerOptions(
        groupID: options.groupID, groupInstanceID: options.groupInstanceID, offsetReset: .error))
    let producer = try cluster.makeIdempotentProducer(
      IdempotentProducerOptions(
        topics: [options.deadLetterTopic], messageMaxBytes: InboxDeadLetters.messageMaxBytes))
    defer {
      progress.pulse.stop()
      producer.close()
    }
    let loop = try InboxConsumerLoop(
      consumer: consumer, producer: producer, store: store, signals: signals, options: options,
      progress: progress, logger: logger, factory: factory, onHealth: onHealth)
    try loop.run()
  }
}

/// What the consumer's thread shares with others.
final class InboxProgress: Sendable {
  let counters = Mutex(InboxConsumerCounters())
  let pulse = Pulse()
  private let stopping = Atomic<Bool>(false)

  var isStopping: Bool { stopping.load(ordering: .relaxed) }
  func stop() { stopping.store(true, ordering: .relaxed) }
}
