import Foundation
import Inbox
import Kafka
import Logging
import Operations
import ServiceLifecycle
import Testing

@testable import tidings

@Suite("Whether the inbox is ready", .timeLimit(.minutes(2)))
struct InboxHealthTests {
  @Test("it is not before the group has given it partitions, and not after it has left the group")
  func assignment() async throws {
    let folder = try TemporaryFolder()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let cluster = try EmbeddedCluster(logger: logger)
    try cluster.createTopic("x.delivery.inapp", partitionCount: 2)
    try cluster.createTopic("x.delivery.inapp.dead-letter", partitionCount: 1)
    let consumer = InboxConsumer(
      cluster: cluster, store: try InboxStore(path: folder.path + "/inbox.sqlite"), signals: InboxSignals(),
      options: InboxConsumerOptions(prefix: "x"), logger: logger)
    let health = HealthState()
    consumer.addChecks(to: health)
    let waiting = HealthState.Status.failing(reason: "the group has given no partitions yet")
    #expect(health.report(for: .readiness).checks.map(\.name) == ["consumer", "partitions"])
    #expect(health.report(for: .readiness).checks.map(\.status) == [.passing, waiting])

    let group = ServiceGroup(services: [consumer], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask {
        while !health.report(for: .readiness).isPassing { try await Task.sleep(for: .milliseconds(20)) }
        await group.triggerGracefulShutdown()
      }
      for try await _ in tasks {}
    }
    #expect(health.report(for: .readiness).checks.map(\.status) == [.passing, waiting])
    #expect(consumer.silence == nil)
  }
}
