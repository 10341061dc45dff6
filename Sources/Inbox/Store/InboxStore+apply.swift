import GRDB

/// What a batch changed.
public struct InboxApplied: Sendable {
  /// The notifications that were added.
  public var inserted = 0
  /// The records that were stored before and were left out.
  public var skipped = 0
  /// The recipients whose inboxes changed.
  public var recipients: [InboxRecipient] = []
}

extension InboxStore {
  /// Stores a batch and its positions in one transaction.
  ///
  /// A record below the stored offset of its partition is left out, as is a delivery that is there already.
  /// Positions never go back.
  ///
  /// - Throws: ``InboxStoreError``; then nothing of the batch was stored.
  public func apply(_ batch: InboxBatch) throws(InboxStoreError) -> InboxApplied {
    try writing { database in
      let stored = try Self.offsets(database, topic: batch.topic)
      var applied = InboxApplied()
      var inboxes: [InboxRecipient: Inbox] = [:]
      let now = Self.now()
      for record in batch.records {
        guard record.offset >= stored[record.partition] ?? 0 else {
          applied.skipped += 1
          continue
        }
        let recipient = record.entry.recipient
        var inbox: Inbox
        if let known = inboxes[recipient] {
          inbox = known
        } else {
          inbox = try Inbox.load(database, recipient, now: now)
        }
        if try inbox.insert(database, record.entry) {
          applied.inserted += 1
        } else {
          applied.skipped += 1
        }
        inboxes[recipient] = inbox
      }
      for (recipient, inbox) in inboxes where inbox.hasChanged {
        try inbox.save(database, now: now)
        applied.recipients.append(recipient)
      }
      for (partition, position) in batch.positions where position > stored[partition] ?? 0 {
        try Self.advance(database, topic: batch.topic, partition: partition, to: position)
      }
      return applied
    }
  }

  /// Per partition the offset to read next; without an entry the partition was never read.
  public func offsets(ofTopic topic: String) throws(InboxStoreError) -> [Int32: Int64] {
    try reading { try Self.offsets($0, topic: topic) }
  }

  private static func offsets(_ database: Database, topic: String) throws -> [Int32: Int64] {
    let statement = try database.cachedStatement(sql: "SELECT partition, next FROM consumed WHERE topic = ?")
    var offsets: [Int32: Int64] = [:]
    let rows = try Row.fetchCursor(statement, arguments: [topic])
    while let row = try rows.next() { offsets[row[0]] = row[1] }
    return offsets
  }

  private static func advance(
    _ database: Database, topic: String, partition: Int32, to position: Int64
  ) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO consumed (topic, partition, next) VALUES (?, ?, ?)
        ON CONFLICT (topic, partition) DO UPDATE SET next = max(next, excluded.next)
        """)
    try statement.execute(arguments: [topic, partition, position])
  }
}

/// A recipient's row during one transaction: numbers are given out in memory and written once at the end.
private struct Inbox {
  let id: Int64
  var seq: Int64
  var unread: Int
  var hasChanged = false

  static func load(_ database: Database, _ recipient: InboxRecipient, now: Int64) throws -> Inbox {
    let insertion = try database.cachedStatement(
      sql: "INSERT INTO recipient (tenant, name, updated) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
    try insertion.execute(arguments: [recipient.tenant, recipient.recipient, now])
    let query = try database.cachedStatement(
      sql: "SELECT id, seq, unread FROM recipient WHERE tenant = ? AND name = ?")
    guard let row = try Row.fetchOne(query, arguments: [recipient.tenant, recipient.recipient]) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "no row for recipient \(recipient.recipient)")
    }
    return Inbox(id: row[0], seq: row[1], unread: row[2])
  }

  /// - Returns: false when the delivery is there already.
  mutating func insert(_ database: Database, _ entry: InboxEntry) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO notification
          (recipient, seq, changed, delivery, kind, title, link, category, type, events, created, shown)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delivery) DO NOTHING
        """)
    let next = seq + 1
    try statement.execute(arguments: [
      id, next, next, entry.delivery, entry.kind, entry.title, entry.link, entry.category, entry.type,
      entry.eventCount, entry.createdMilliseconds, try InboxStore.text(of: entry.shown),
    ])
    guard database.changesCount > 0 else { return false }
    seq = next
    unread += 1
    hasChanged = true
    return true
  }

  func save(_ database: Database, now: Int64) throws {
    let statement = try database.cachedStatement(
      sql: "UPDATE recipient SET seq = ?, unread = ?, updated = ? WHERE id = ?")
    try statement.execute(arguments: [seq, unread, now, id])
  }
}
