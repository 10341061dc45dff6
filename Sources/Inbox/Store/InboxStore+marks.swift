import GRDB

/// What marking did.
public struct InboxMarked: Encodable, Hashable, Sendable {
  /// How many notifications became read by this call.
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
    try await writing { database in
      guard let inbox = try Self.inbox(database, recipient),
        let seq = try Int64.fetchOne(
          database, sql: "SELECT seq FROM notification WHERE delivery = ? AND recipient = ?",
          arguments: [delivery, inbox.id])
      else { return nil }
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
    try await writing { database in
      guard let inbox = try Self.inbox(database, recipient) else {
        return InboxMarked(marked: 0, unread: 0, seq: 0)
      }
      return try Self.markRead(database, inbox, from: 0, through: seq ?? .max)
    }
  }

  private static func markRead(
    _ database: Database, _ inbox: (id: Int64, counters: InboxCounters), from first: Int64,
    through last: Int64
  ) throws -> InboxMarked {
    let now = Self.now()
    // A number of its own for each row, so that a stream which breaks off between two of them can go on
    // there.
    try database.execute(
      sql: """
        UPDATE notification SET read = ?, changed = ? + turn.number
        FROM (
          SELECT seq AS marked, row_number() OVER (ORDER BY seq) AS number FROM notification
          WHERE recipient = ? AND read IS NULL AND seq BETWEEN ? AND ?
        ) AS turn
        WHERE recipient = ? AND seq = turn.marked
        """, arguments: [now, inbox.counters.seq, inbox.id, first, last, inbox.id])
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
