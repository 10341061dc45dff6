import Contract
import Delivery
import Foundation
import Hummingbird
import HummingbirdTesting
import Kafka
import ServiceLifecycle
import Synchronization
import Testing

@testable import Inbox

@Suite("What the inbox tells the engagement topic", .timeLimit(.minutes(2)))
struct InboxEngagementTests {
  private let directory: TemporaryDirectory
  private let store: InboxStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try InboxStore(path: directory.database)
  }

  private func pending(_ store: InboxStore) async throws -> [String] {
    try await store.pendingReports(limit: 100).map { pending in
      let report = pending.report
      return "\(report.id) \(report.notifications.map(\.id).joined(separator: ","))"
    }
  }

  @Test("what is marked is to be told once, in order, also after the process was killed")
  func marks() async throws {
    _ = try store.apply(Fixture.batch(0..<4))
    _ = try await store.markRead(delivery: Fixture.id(2), of: Fixture.ada)
    _ = try await store.markRead(delivery: Fixture.id(2), of: Fixture.ada)
    let seen = try await store.markAllSeen(of: Fixture.ada, through: 3)
    #expect(seen == InboxMarked(marked: 2, unread: 3, seq: 5))
    #expect(try await store.markAllSeen(of: Fixture.ada, through: 3).marked == 0)
    #expect(try await store.markClicked(delivery: Fixture.id(3), of: Fixture.ada)?.marked == 1)
    #expect(try await store.markClicked(delivery: Fixture.id(3), of: Fixture.ada)?.marked == 0)
    #expect(try await store.markClicked(delivery: Fixture.id(9), of: Fixture.ada) == nil)
    let reopened = try InboxStore(path: directory.database)
    #expect(
      try await pending(reopened) == [
        "\(Fixture.id(2))-read e2", "\(Fixture.id(0))-seen e0", "\(Fixture.id(1))-seen e1",
        "\(Fixture.id(3))-clicked e3", "\(Fixture.id(3))-read e3",
      ])
    let first = try await reopened.pendingReports(limit: 2)
    try await reopened.removeReports(first.map(\.number))
    #expect(try await pending(reopened).count == 3)
  }

  @Test("of an entry that does not say which events it shows nothing is told")
  func unknownEvents() async throws {
    var batch = InboxBatch(topic: "t")
    var entry = Fixture.entry(0)
    entry.shown = []
    batch.append(entry, partition: 0, offset: 0)
    _ = try store.apply(batch)
    #expect(try await store.markAllRead(of: Fixture.ada).marked == 1)
    #expect(try await pending(store).isEmpty)
  }

  /// Fails as often as it is told to, then keeps what it is given.
  private final class Memory: EngagementPublishing {
    struct Refusal: Error {}
    private let state: Mutex<(failures: Int, reports: [EngagementReport])>

    init(failures: Int) { state = Mutex((failures, [])) }

    var reports: [EngagementReport] { state.withLock { $0.reports } }

    func publish(_ report: EngagementReport) async throws {
      try state.withLock { state in
        if state.failures > 0 {
          state.failures -= 1
          throw Refusal()
        }
        state.reports.append(report)
      }
    }
  }

  /// Runs the service until a condition holds.
  private func serve(
    _ publisher: any EngagementPublishing, until isDone: @escaping @Sendable () async throws -> Bool
  ) async throws {
    let service = InboxEngagement(
      store: store, publisher: publisher, logger: Fixture.silent, patience: .milliseconds(5))
    let group = ServiceGroup(services: [service], logger: Fixture.silent)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      tasks.addTask {
        while try await !isDone() { try await Task.sleep(for: .milliseconds(5)) }
        await group.triggerGracefulShutdown()
      }
      for try await _ in tasks {}
    }
  }

  @Test("while the topic takes nothing, what was marked waits, and is told afterwards")
  func outage() async throws {
    _ = try store.apply(Fixture.batch(0..<3))
    _ = try await store.markRead(delivery: Fixture.id(0), of: Fixture.ada)
    let publisher = Memory(failures: 3)
    let store = store
    try await serve(publisher) {
      // The second one is marked while the service runs.
      guard publisher.reports.contains(where: { $0.kind == .read }) else { return false }
      _ = try await store.markAllSeen(of: Fixture.ada)
      return try await store.pendingReports(limit: 1).isEmpty
    }
    let told = Set(publisher.reports.map(\.id))
    #expect(told == ["\(Fixture.id(0))-read", "\(Fixture.id(1))-seen", "\(Fixture.id(2))-seen"])
  }

  @Test("the topic's record is read as what the recipient did, in their home partition")
  func record() async throws {
    let cluster = try EmbeddedCluster(logger: Fixture.silent)
    try cluster.createTopic("x.engagement", partitionCount: 8)
    let recipient = InboxRecipient(tenant: "acme", recipient: "ada")
    _ = try store.apply(Fixture.batch(0..<1, for: recipient))
    _ = try await store.markRead(delivery: Fixture.id(0), of: recipient)
    let publisher = EngagementPublisher(cluster: cluster, prefix: "x")
    let store = store
    try await serve(publisher) { try await store.pendingReports(limit: 1).isEmpty }
    publisher.close()
    let home = "acme/ada".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let reader = try cluster.makeLogReader(
      LogReaderOptions(topics: ["x.engagement"], isolation: .readCommitted))
    try reader.assign([
      PartitionOffset(
        TopicPartition(topic: "x.engagement", partition: home), offset: PartitionOffset.beginning)
    ])
    var decoder = try EngagementDecoder()
    var found = false
    let deadline = ContinuousClock.now + .seconds(20)
    while !found, ContinuousClock.now < deadline {
      guard case .record(let record) = reader.poll(timeout: .milliseconds(100)) else { continue }
      found = true
      #expect(record.key?.string == "acme/ada")
      let engagement = try decoder.decode(
        InputRecord(key: record.key, value: record.value, headers: record.headers))
      #expect(engagement.kind == .read && engagement.channel == .inapp)
      #expect(engagement.tenant.string == "acme" && engagement.recipient.string == "ada")
      #expect(engagement.id.string == "\(Fixture.id(0))-read")
      #expect(engagement.delivery.string == Fixture.id(0))
      let notification = "e0".withByteView { id in
        NotificationID.hash(
          tenant: ByteView("acme"), source: ByteView("/git"), id: id, recipient: ByteView("ada"))
      }
      #expect(engagement.notifications == [notification])
    }
    reader.close()
    #expect(found)
  }

  @Test("over HTTP: seen leaves everything unread, clicked reads one, and both are told")
  func routes() async throws {
    _ = try store.apply(Fixture.batch(0..<3))
    let routes = InboxRoutes(store: store, signals: InboxSignals(), publish: nil, logger: Fixture.silent)
    try await Application(router: routes.router()).test(.router) { client in
      func post(_ path: String) async throws -> String {
        let response = try await client.execute(uri: "/api/v1/recipients/ada/\(path)", method: .post)
        return String(buffer: response.body)
      }
      let seen = try await post("seen-all?through=2")
      #expect(seen == #"{"marked":2,"seq":3,"unread":3}"#)
      let clicked = try await post("notifications/\(Fixture.id(1))/clicked")
      #expect(clicked == #"{"marked":1,"seq":4,"unread":2}"#)
      let unknown = try await post("notifications/\(Fixture.id(9))/clicked")
      #expect(unknown.contains("no notification"))
      let refused = try await post("seen-all?through=x")
      #expect(refused.contains("through is"))
    }
    #expect(
      try await pending(store) == [
        "\(Fixture.id(0))-seen e0", "\(Fixture.id(1))-seen e1", "\(Fixture.id(1))-clicked e1",
        "\(Fixture.id(1))-read e1",
      ])
  }

  @Test("a database of an older version keeps its inbox, and tells what is stored from then on")
  func migration() async throws {
    let path = directory.path + "/old.sqlite"
    let old = try InboxStore(path: path)
    try await old.pool.write { database in
      try database.execute(
        sql: """
          DROP TABLE engagement;
          DROP INDEX notification_unseen;
          ALTER TABLE notification DROP COLUMN shown;
          ALTER TABLE notification DROP COLUMN seen;
          ALTER TABLE notification DROP COLUMN clicked;
          DELETE FROM grdb_migrations WHERE identifier = '2';
          INSERT INTO recipient (tenant, name, seq, unread) VALUES ('default', 'ada', 1, 1);
          INSERT INTO notification (recipient, seq, changed, delivery, kind, title, category, type, events, created)
          VALUES (1, 1, 1, 'old', 'single', 't', 'c', 't', 1, 1);
          """)
    }
    let migrated = try InboxStore(path: path)
    _ = try migrated.apply(Fixture.batch(5..<6))
    #expect(try await migrated.markAllRead(of: Fixture.ada).marked == 2)
    #expect(try await pending(migrated) == ["\(Fixture.id(5))-read e5"])
  }
}
