import GRDB

extension InboxStore {
  /// The most rows that one query returns.
  public static let pageLimit = 200

  /// A part of an inbox, newest first. An unknown recipient has an empty inbox.
  ///
  /// - Parameters:
  ///   - before: only notifications with a lower `seq`; nil begins at the newest.
  ///   - limit: 1 to ``pageLimit``; clamped.
  public func page(
    of recipient: InboxRecipient, before: Int64? = nil, limit: Int = 50, unreadOnly: Bool = false
  ) async throws(InboxStoreError) -> InboxPage {
    let limit = min(max(limit, 1), Self.pageLimit)
    return try await reading { database in
      guard let inbox = try Self.inbox(database, recipient) else {
        return InboxPage(notifications: [], unread: 0, seq: 0, next: nil)
      }
      let statement = try database.cachedStatement(
        sql: """
          SELECT \(InboxNotification.columns) FROM notification
          WHERE recipient = ? AND seq < ? \(unreadOnly ? "AND read IS NULL" : "")
          ORDER BY seq DESC LIMIT ?
          """)
      // One more than asked for tells whether there is a next page.
      let rows = try Row.fetchAll(statement, arguments: [inbox.id, before ?? .max, limit + 1])
      let notifications = rows.prefix(limit).map(InboxNotification.init(row:))
      return InboxPage(
        notifications: notifications, unread: inbox.counters.unread, seq: inbox.counters.seq,
        next: rows.count > limit ? notifications.last?.seq : nil)
    }
  }

  /// The counters of an inbox; zeros for an unknown recipient.
  public func counters(of recipient: InboxRecipient) async throws(InboxStoreError) -> InboxCounters {
    try await reading { database in try Self.inbox(database, recipient)?.counters ?? .none }
  }

  /// What changed in an inbox behind a sequence number, oldest change first. A notification that changed
  /// twice is there once, as it is after the last change.
  public func changes(
    of recipient: InboxRecipient, after seq: Int64, limit: Int = 100
  ) async throws(InboxStoreError) -> InboxChanges {
    let limit = min(max(limit, 1), Self.pageLimit)
    return try await reading { database in
      guard let inbox = try Self.inbox(database, recipient) else {
        return InboxChanges(notifications: [], counters: .none)
      }
      let statement = try database.cachedStatement(
        sql: """
          SELECT \(InboxNotification.columns) FROM notification
          WHERE recipient = ? AND changed > ? ORDER BY changed LIMIT ?
          """)
      let rows = try Row.fetchAll(statement, arguments: [inbox.id, seq, limit])
      return InboxChanges(notifications: rows.map(InboxNotification.init(row:)), counters: inbox.counters)
    }
  }

  /// The inboxes that changed last, newest first.
  ///
  /// - Parameters:
  ///   - tenant: only those of this tenant; nil for all.
  ///   - prefix: only recipients whose id begins with it.
  public func recentRecipients(
    tenant: String? = nil, prefix: String = "", limit: Int = 20
  ) async throws(InboxStoreError) -> [InboxSummary] {
    let limit = min(max(limit, 1), Self.pageLimit)
    return try await reading { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT tenant, name, unread, updated FROM recipient
          WHERE seq > 0 AND substr(name, 1, length(?)) = ? \(tenant == nil ? "" : "AND tenant = ?")
          ORDER BY updated DESC LIMIT ?
          """)
      let arguments: [(any DatabaseValueConvertible)?] =
        [prefix, prefix] + (tenant.map { [$0] } ?? []) + [limit]
      return try Row.fetchAll(statement, arguments: StatementArguments(arguments)).map { row in
        InboxSummary(
          tenant: row[0], recipient: row[1], unread: row[2], updated: InboxNotification.time(row[3]))
      }
    }
  }

  static func inbox(
    _ database: Database, _ recipient: InboxRecipient
  ) throws -> (id: Int64, counters: InboxCounters)? {
    let statement = try database.cachedStatement(
      sql: "SELECT id, unread, seq FROM recipient WHERE tenant = ? AND name = ?")
    guard let row = try Row.fetchOne(statement, arguments: [recipient.tenant, recipient.recipient]) else {
      return nil
    }
    return (row[0], InboxCounters(unread: row[1], seq: row[2]))
  }
}
