import Foundation
import GRDB
import SeededTesting
import Testing

@testable import Inbox

@Suite("The inbox store")
struct InboxStoreTests {
  private let directory: TemporaryDirectory
  private let store: InboxStore

  init() throws {
    directory = try TemporaryDirectory()
    store = try InboxStore(path: directory.database)
  }

  @Test("rows and position are stored together, and a page lists the newest first")
  func apply() async throws {
    let applied = try store.apply(Fixture.batch(0..<3))
    #expect(applied.inserted == 3)
    #expect(applied.recipients == [Fixture.ada])
    #expect(try store.offsets(ofTopic: "t") == [0: 3])
    let page = try await store.page(of: Fixture.ada)
    #expect(page.notifications.map(\.title) == ["Title 2", "Title 1", "Title 0"])
    #expect(page.notifications.map(\.seq) == [3, 2, 1])
    #expect(page.unread == 3)
    #expect(page.seq == 3)
    #expect(page.next == nil)
    #expect(page.notifications.first?.created == "2023-11-14T22:13:20.002Z")
  }

  @Test("records below the stored position are left out, also with ids that were never seen")
  func replay() async throws {
    _ = try store.apply(Fixture.batch(0..<5))
    var replayed = Fixture.batch(3..<7)
    replayed.append(Fixture.entry(99), partition: 0, offset: 2)
    let applied = try store.apply(replayed)
    #expect(applied.inserted == 2)
    #expect(applied.skipped == 3)
    #expect(try store.notificationCount() == 7)
    #expect(try store.offsets(ofTopic: "t") == [0: 7])
  }

  @Test("a delivery that comes again at another offset is stored once")
  func duplicate() async throws {
    var batch = Fixture.batch(0..<1)
    batch.append(Fixture.entry(0), partition: 1, offset: 40)
    let applied = try store.apply(batch)
    #expect(applied.inserted == 1)
    #expect(applied.skipped == 1)
    #expect(try await store.counters(of: Fixture.ada) == InboxCounters(unread: 1, seq: 1))
    #expect(try store.offsets(ofTopic: "t") == [0: 1, 1: 41])
  }

  @Test(
    "recipients whose ids a String takes for the same have an inbox each, also in one batch",
    arguments: [
      ("Zo\u{E9}", "Zoe\u{301}"), ("Kate", "\u{212A}ate"), ("\u{C5}sa", "\u{212B}sa"),
    ])
  func spellings(first: String, second: String) async throws {
    let pairs = [
      (InboxRecipient(recipient: first), InboxRecipient(recipient: second)),
      (InboxRecipient(tenant: first, recipient: "ada"), InboxRecipient(tenant: second, recipient: "ada")),
    ]
    for (index, (one, other)) in pairs.enumerated() {
      #expect(one != other)
      var batch = InboxBatch(topic: "t")
      for (offset, recipient) in [one, other].enumerated() {
        let number = 2 * index + offset
        batch.append(Fixture.entry(number, for: recipient), partition: 0, offset: Int64(number))
      }
      #expect(try store.apply(batch).recipients.count == 2)
      for (offset, recipient) in [one, other].enumerated() {
        let page = try await store.page(of: recipient)
        #expect(page.notifications.map(\.id) == [Fixture.id(2 * index + offset)])
        #expect(page.unread == 1 && page.seq == 1)
      }
    }
  }

  @Test("a position never goes back")
  func position() throws {
    var ahead = InboxBatch(topic: "t")
    ahead.advance(partition: 0, to: 100)
    _ = try store.apply(ahead)
    _ = try store.apply(Fixture.batch(3..<5))
    #expect(try store.offsets(ofTopic: "t") == [0: 100])
    #expect(try store.notificationCount() == 0)
  }

  @Test("a crash at any write of a batch leaves nothing of it, and the replay gives the same inbox")
  func crash() async throws {
    _ = try store.apply(Fixture.batch(0..<3))
    // A trigger makes the last write of the transaction fail: rows are in by then.
    try await store.pool.write { database in
      try database.execute(
        sql: """
          CREATE TRIGGER crash BEFORE UPDATE ON consumed BEGIN SELECT raise(ABORT, 'power is gone'); END
          """)
    }
    #expect(throws: InboxStoreError.self) { try store.apply(Fixture.batch(3..<6)) }
    #expect(try store.notificationCount() == 3)
    #expect(try await store.counters(of: Fixture.ada) == InboxCounters(unread: 3, seq: 3))
    #expect(try store.offsets(ofTopic: "t") == [0: 3])
    try await store.pool.write { try $0.execute(sql: "DROP TRIGGER crash") }
    let reopened = try InboxStore(path: directory.database)
    #expect(try reopened.apply(Fixture.batch(0..<6)).inserted == 3)
    #expect(try await reopened.counters(of: Fixture.ada) == InboxCounters(unread: 6, seq: 6))
  }

  @Test("any sequence of batches, replays and marks keeps the counters equal to the rows")
  func property() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let recipients = (0..<4).map { InboxRecipient(tenant: $0 < 2 ? "default" : "t", recipient: "r\($0 % 2)") }
    var log: [InboxEntry] = []
    var position = 0
    for _ in 0..<120 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        // Appends to the log, then reads a part of it, often from before the position: a replay.
        for _ in 0..<Int.random(in: 0..<6, using: &random) {
          let recipient = recipients[Int.random(in: 0..<4, using: &random)]
          log.append(Fixture.entry(log.count, for: recipient))
        }
        let start = Int.random(in: 0...position, using: &random)
        var batch = InboxBatch(topic: "t")
        for offset in start..<log.count { batch.append(log[offset], partition: 0, offset: Int64(offset)) }
        _ = try store.apply(batch)
        if log.count > start { position = max(position, log.count) }
      case 2 where !log.isEmpty:
        let entry = log[Int.random(in: 0..<log.count, using: &random)]
        _ = try await store.markRead(delivery: entry.delivery, of: entry.recipient)
      default:
        let recipient = recipients[Int.random(in: 0..<4, using: &random)]
        let through = Bool.random(using: &random) ? nil : Int64.random(in: 0..<20, using: &random)
        _ = try await store.markAllRead(of: recipient, through: through)
      }
    }
    #expect(try store.notificationCount() == position, "seed \(seed)")
    for recipient in recipients {
      let page = try await store.page(of: recipient, limit: 200)
      #expect(page.unread == page.notifications.filter { $0.read == nil }.count, "seed \(seed)")
      let expected = log.prefix(position).filter { $0.recipient == recipient }.map(\.delivery)
      #expect(page.notifications.map(\.id).reversed() == expected, "seed \(seed)")
      #expect(Set(page.notifications.map(\.changed)).count == page.notifications.count, "seed \(seed)")
      #expect(page.notifications.allSatisfy { $0.changed <= page.seq }, "seed \(seed)")
    }
  }

  @Test("pages join without a gap and without a repetition")
  func paging() async throws {
    _ = try store.apply(Fixture.batch(0..<25))
    var seen: [String] = []
    var before: Int64?
    repeat {
      let page = try await store.page(of: Fixture.ada, before: before, limit: 10)
      seen += page.notifications.map(\.id)
      before = page.next
    } while before != nil
    #expect(seen == (0..<25).reversed().map { Fixture.id($0) })
  }

  @Test("marking again, or what belongs to somebody else, changes nothing")
  func marks() async throws {
    _ = try store.apply(Fixture.batch(0..<2))
    let marked = try await store.markRead(delivery: Fixture.id(0), of: Fixture.ada)
    #expect(marked == InboxMarked(marked: 1, unread: 1, seq: 3))
    let again = try await store.markRead(delivery: Fixture.id(0), of: Fixture.ada)
    #expect(again == InboxMarked(marked: 0, unread: 1, seq: 3))
    let eve = InboxRecipient(recipient: "eve")
    var batch = InboxBatch(topic: "t")
    batch.append(Fixture.entry(7, for: eve), partition: 1, offset: 0)
    _ = try store.apply(batch)
    #expect(try await store.markRead(delivery: Fixture.id(1), of: eve) == nil)
    #expect(
      try await store.page(of: Fixture.ada, unreadOnly: true).notifications.map(\.id) == [Fixture.id(1)])
  }

  @Test("marking all up to a number leaves what arrived later unread, and each change has its own number")
  func markAll() async throws {
    _ = try store.apply(Fixture.batch(0..<5))
    let marked = try await store.markAllRead(of: Fixture.ada, through: 3)
    #expect(marked == InboxMarked(marked: 3, unread: 2, seq: 8))
    let first = try await store.changes(of: Fixture.ada, after: 5, limit: 2)
    #expect(first.notifications.map(\.changed) == [6, 7])
    let rest = try await store.changes(of: Fixture.ada, after: 7)
    #expect(rest.notifications.map(\.changed) == [8])
    #expect(rest.counters == InboxCounters(unread: 2, seq: 8))
  }

  @Test("the list of recipients has who changed last on top, of all tenants or of one")
  func recents() async throws {
    for (index, recipient) in [("a", "x1"), ("b", "x2"), ("a", "y")].enumerated() {
      var batch = InboxBatch(topic: "t")
      let owner = InboxRecipient(tenant: recipient.0, recipient: recipient.1)
      batch.append(Fixture.entry(index, for: owner), partition: 0, offset: Int64(index))
      _ = try store.apply(batch)
      try await store.pool.write { database in
        try database.execute(
          sql: "UPDATE recipient SET updated = ? WHERE tenant = ? AND name = ?",
          arguments: [index, recipient.0, recipient.1])
      }
    }
    #expect(try await store.recentRecipients().map(\.recipient) == ["y", "x2", "x1"])
    #expect(try await store.recentRecipients(tenant: "a", prefix: "x").map(\.recipient) == ["x1"])
  }

  @Test("a directory that cannot be written is named with what to set")
  func notWritable() throws {
    let file = directory.path + "/plain-file"
    try Data().write(to: URL(fileURLWithPath: file))
    let error = #expect(throws: InboxStoreError.self) { try InboxStore(path: file + "/inbox.sqlite") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("Set inbox.database"))
  }

  @Test("a lock that another process holds is a passing error, and the batch is stored once it is free")
  func locked() throws {
    var configuration = Configuration()
    configuration.busyMode = .immediateError
    let other = try DatabaseQueue(path: directory.database, configuration: configuration)
    try other.writeWithoutTransaction { database in
      try database.execute(sql: "BEGIN IMMEDIATE")
      let error = #expect(throws: InboxStoreError.self) { try store.apply(Fixture.batch(0..<2)) }
      #expect(error?.isTransient == true, "\(String(describing: error))")
      try database.execute(sql: "ROLLBACK")
    }
    #expect(try store.apply(Fixture.batch(0..<2)).inserted == 2)
  }

  @Test("a full disk is a passing error that loses nothing")
  func full() async throws {
    _ = try store.apply(Fixture.batch(0..<2))
    try await store.pool.write { try $0.execute(sql: "PRAGMA max_page_count = 1") }
    var long = InboxBatch(topic: "t")
    for number in 2..<200 {
      long.append(
        Fixture.entry(number, title: String(repeating: "x", count: 500)), partition: 0, offset: Int64(number))
    }
    let error = #expect(throws: InboxStoreError.self) { try store.apply(long) }
    #expect(error?.isTransient == true, "\(String(describing: error))")
    try await store.pool.write { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
    #expect(try store.offsets(ofTopic: "t") == [0: 2])
    #expect(try store.apply(long).inserted == 198)
  }
}
