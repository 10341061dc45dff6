import Foundation
import Kafka
import Logging
import Policy
import ServiceLifecycle
import Synchronization

/// The processor: n workers, each on a thread of its own, until a graceful shutdown.
public struct ProcessorService: Service {
  private let cluster: any KafkaCluster
  private let configuration: ProcessorConfiguration
  private let control = WorkerControl()
  private let inForce: CatalogInForce
  private let instants: any InstantSource
  private let logger: Logger
  /// What others look at.
  public let status: ProcessorStatus

  /// A processor that begins with `run`.
  public init(
    cluster: any KafkaCluster, configuration: ProcessorConfiguration, catalog: Catalog,
    instants: any InstantSource = SystemInstants(), status: ProcessorStatus = ProcessorStatus(),
    logger: Logger
  ) {
    self.cluster = cluster
    self.configuration = configuration
    inForce = CatalogInForce(catalog)
    self.instants = instants
    self.status = status
    self.logger = logger
  }

  /// The catalog by which workers decide, or are about to.
  public var catalog: Catalog { inForce.catalog }

  /// Lets every worker decide by another catalog what it takes in from then on, without a restart. Windows that are open
  /// keep the rules that they were opened with.
  public func use(_ catalog: Catalog) {
    inForce.set(catalog)
    control.use(catalog)
  }

  /// Checks the topics, then consumes, decides and commits until a graceful shutdown or a fault. On shutdown each
  /// worker commits what it has applied and leaves the group.
  ///
  /// - Throws: `ProcessorFault` with what happened where and what to do.
  public func run() async throws {
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await onThread("tidings topics") { [self] in try checkTopics(control) }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<max(1, configuration.workers) {
            group.addTask { [self] in
              try await onThread("tidings worker \(number)") {
                try Worker(
                  cluster: cluster, configuration: configuration, catalog: catalog, number: number,
                  random: UInt64.random(in: .min ... .max), instants: instants, control: control,
                  background: BackgroundQueue(label: "tidings.worker-\(number).background"),
                  disk: BackgroundQueue(label: "tidings.worker-\(number).disk"),
                  snapshots: configuration.stateDirectory.map { FolderSnapshotStore(folder: $0) },
                  status: status, logger: logger
                ).run()
              }
            }
          }
          do {
            // Not `waitForAll`, which throws only after the last one has ended.
            for try await _ in group {}
          } catch {
            // One worker's fault ends all: the others finish their commits and leave.
            control.stop()
            throw error
          }
        }
      } onGracefulShutdown: {
        control.stop()
      }
    } onCancel: {
      control.stop()
    }
  }

  /// Input topics have to be there, with as many partitions as the configuration says.
  ///
  /// Topics that were just created appear on all brokers only after a moment, so that a missing one is looked for
  /// again for a few seconds.
  private func checkTopics(_ control: WorkerControl) throws {
    let patience = instants.monotonicMilliseconds + 5_000
    while !control.isStopping {
      let found: [TopicDescription]
      do throws(KafkaError) {
        found = try cluster.admin.topics(timeout: .seconds(5))
      } catch {
        guard error.disposition == .retry else {
          throw ProcessorFault.kafka(error, doing: "looking at the topics")
        }
        logger.warning("waiting for the brokers at \(cluster.bootstrapServers): \(error.message)")
        // Nothing tells when a broker is back: it has to be asked. The thread is the service's own.
        Thread.sleep(forTimeInterval: 1)
        continue
      }
      let counts = Dictionary(found.map { ($0.name, $0.partitionCount) }) { first, _ in first }
      let wanted = configuration.inputTopics + configuration.producerTopics
      if let missing = wanted.first(where: { counts[$0] == nil }) {
        guard instants.monotonicMilliseconds < patience else { throw ProcessorFault.missingTopic(missing) }
        // Nothing tells when a broker has learned of a topic: it has to be asked.
        Thread.sleep(forTimeInterval: 0.1)
        continue
      }
      for (topic, count) in counts where wanted.contains(topic) {
        guard count == Int(configuration.partitionCount) else {
          throw ProcessorFault.partitionCount(
            topic: topic, found: count, expected: configuration.partitionCount)
        }
      }
      return
    }
  }
}

/// What a service's copies share.
private final class CatalogInForce: Sendable {
  private let current: Mutex<Catalog>

  init(_ catalog: Catalog) { current = Mutex(catalog) }

  var catalog: Catalog { current.withLock { $0 } }

  func set(_ catalog: Catalog) { current.withLock { $0 = catalog } }
}

/// Runs blocking work on a thread of its own, off the cooperative pool.
func onThread<Value: Sendable>(
  _ name: String, _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
    let thread = Thread { continuation.resume(with: Result { try body() }) }
    thread.name = name
    thread.stackSize = 4 << 20
    thread.start()
  }
}
