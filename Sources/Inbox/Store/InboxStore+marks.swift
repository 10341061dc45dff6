import GRDB

/// What marking did.
public struct InboxMarked: Encodable, Hashable, Sendable {
  /// How many notifications this call marked.
  public let marked: Int
  /// How many are unread after it.
  public let unread: Int
  /// The inbox's latest change after it.
  public let seq: Int64
}

extension InboxStore {
  /// Marks a notification as read. Again has no effect.
  ///
  /// - Returns: nil when the recipient has no notification of that id.
  public func markRead(
    delivery: String, of recipient: InboxRecipient
  ) async throws(InboxStoreError) -> InboxMarked? {
    try await marking { database in
      guard let (inbox, seq) = try Self.notification(database, delivery, recipient) else { return nil }
      return try Self.markRead(database, inbox, from: seq, through: seq)
    }
  }

  /// Notes that a recipient followed a notification's link, and marks it as read. Again has no effect.
  ///
  /// - Returns: how many became read; nil when the recipient has no notification of that id.
  public func markClicked(
    delivery: String, of recipient: InboxRecipient
  ) async throws(InboxStoreError) -> InboxMarked? {
    try await marking { database in
      guard let (inbox, seq) = try Self.notification(database, delivery, recipient) else { return nil }
      let now = Self.now()
      try Self.note(
        .clicked, database, recipient: inbox.id, seq...seq, where: "clicked IS NULL", at: now)
      try database.execute(
        sql: "UPDATE notification SET clicked = ? WHERE recipient = ? AND seq = ? AND clicked IS NULL",
        arguments: [now, inbox.id, seq])
      return try Self.markRead(database, inbox, from: seq, through: seq)
    }
  }

  /// Marks all notifications as read that have a sequence number up to `seq`.
  ///
  /// - Parameter seq: what the reader has seen, so that one which arrives meanwhile stays unread; nil for
  ///   all.
  public func markAllRead(
    of recipient: InboxRecipient, through seq: Int64? = nil
  ) async throws(InboxStoreError) -> InboxMarked {
    try await marking { database in
      guard let inbox = try Self.inbox(database, recipient) else {
        return InboxMarked(marked: 0, unread: 0, seq: 0)
      }
      return try Self.markRead(database, inbox, from: 0, through: seq ?? .max)
    }
  }

  /// Notes that all notifications came to their recipient's eyes that have a sequence number up to `seq`. They stay
  /// unread, and no follower is told.
  ///
  /// - Returns: how many were not seen before.
  public func markAllSeen(
    of recipient: InboxRecipient, through seq: Int64? = nil
  ) async throws(InboxStoreError) -> InboxMarked {
    try await marking { database in
      guard let inbox = try Self.inbox(database, recipient) else {
        return InboxMarked(marked: 0, unread: 0, seq: 0)
      }
      let now = Self.now()
      let last = max(0, seq ?? .max)
      try Self.note(.seen, database, recipient: inbox.id, 0...last, where: "seen IS NULL", at: now)
      try database.execute(
        sql: "UPDATE notification SET seen = ? WHERE recipient = ? AND seen IS NULL AND seq <= ?",
        arguments: [now, inbox.id, last])
      return InboxMarked(
        marked: database.changesCount, unread: inbox.counters.unread, seq: inbox.counters.seq)
    }
  }

  private func marking<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(InboxStoreError) -> Result {
    let result = try await writing(body)
    signalEngagement()
    return result
  }

  private static func notification(
    _ database: Database, _ delivery: String, _ recipient: InboxRecipient
  ) throws -> (inbox: (id: Int64, counters: InboxCounters), seq: Int64)? {
    guard let inbox = try Self.inbox(database, recipient),
      let seq = try Int64.fetchOne(
        database, sql: "SELECT seq FROM notification WHERE delivery = ? AND recipient = ?",
        arguments: [delivery, inbox.id])
    else { return nil }
    return (inbox, seq)
  }

  private static func markRead(
    _ database: Database, _ inbox: (id: Int64, counters: InboxCounters), from first: Int64,
    through last: Int64
  ) throws -> InboxMarked {
    let now = Self.now()
    try note(
      .read, database, recipient: inbox.id, first...max(first, last), where: "read IS NULL", at: now)
    // A number of its own for each row, so that a stream which breaks off between two of them can go on
    // there. What is read was seen.
    try database.execute(
      sql: """
        UPDATE notification SET read = ?, seen = coalesce(seen, ?), changed = ? + turn.number
        FROM (
          SELECT seq AS marked, row_number() OVER (ORDER BY seq) AS number FROM notification
          WHERE recipient = ? AND read IS NULL AND seq BETWEEN ? AND ?
        ) AS turn
        WHERE recipient = ? AND seq = turn.marked
        """, arguments: [now, now, inbox.counters.seq, inbox.id, first, last, inbox.id])
    let marked = database.changesCount
    let unread = inbox.counters.unread - marked
    let seq = inbox.counters.seq + Int64(marked)
    if marked > 0 {
      try database.execute(
        sql: "UPDATE recipient SET seq = ?, unread = ?, updated = ? WHERE id = ?",
        arguments: [seq, unread, now, inbox.id])
    }
    return InboxMarked(marked: marked, unread: unread, seq: seq)
  }
}
