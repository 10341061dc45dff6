import Delivery
import Logging
import ServiceLifecycle

/// Tells the engagement topic what recipients do in the inbox, at least once: what is marked waits in the database until
/// the topic has it.
public struct InboxEngagement: Service {
  /// The most that is on its way at once.
  static let batchLimit = 200

  private let store: InboxStore
  private let publisher: any EngagementPublishing
  private let logger: Logger
  private let patience: Duration

  /// A service, not yet running. One per store.
  ///
  /// - Parameter patience: how long it waits after a failure before it tries again.
  public init(
    store: InboxStore, publisher: any EngagementPublishing, logger: Logger,
    patience: Duration = .seconds(5)
  ) {
    self.store = store
    self.publisher = publisher
    self.logger = logger
    self.patience = patience
  }

  /// Runs until the graceful shutdown; what the topic has not been told by then is told after the next start.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      // What an earlier process has left comes first.
      store.signalEngagement()
      var hasFailed = false
      for await _ in store.engagementSignals {
        do {
          while try await publishBatch() {}
          if hasFailed { logger.notice("the engagement topic takes what recipients do again") }
          hasFailed = false
        } catch {
          guard !Task.isCancelled else { return }
          if !hasFailed {
            logger.error("what recipients do is not published; it waits in the database: \(error)")
          }
          hasFailed = true
          try? await Task.sleep(for: patience)
          store.signalEngagement()
        }
      }
    }
  }

  /// Publishes what waits longest.
  ///
  /// - Returns: whether there may be more.
  private func publishBatch() async throws -> Bool {
    let pending = try await store.pendingReports(limit: Self.batchLimit)
    let publisher = publisher
    try await withThrowingTaskGroup(of: Void.self) { group in
      for entry in pending { group.addTask { try await publisher.publish(entry.report) } }
      try await group.waitForAll()
    }
    if !pending.isEmpty { try await store.removeReports(pending.map(\.number)) }
    return pending.count == Self.batchLimit
  }
}
