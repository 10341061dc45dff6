import Contract
import Delivery
import Foundation
import GRDB

/// What recipients did, kept until the engagement topic has it: stored in the transaction that marks, so that neither
/// is without the other.
extension InboxStore {
  /// Something that is to be told.
  struct PendingReport: Sendable {
    /// Its place: those with a lower number come first.
    let number: Int64
    let report: EngagementReport
  }

  /// What is to be told next, oldest first.
  func pendingReports(limit: Int) async throws(InboxStoreError) -> [PendingReport] {
    try await reading { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT engagement.number, engagement.kind, engagement.time, notification.delivery, notification.shown,
            recipient.tenant, recipient.name
          FROM engagement
          JOIN notification USING (recipient, seq)
          JOIN recipient ON recipient.id = engagement.recipient
          ORDER BY engagement.number LIMIT ?
          """, arguments: [limit])
      return try rows.map { row in
        let name: String = row[1]
        guard let kind = Engagement.Kind(rawValue: name) else {
          throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "unknown kind of engagement \(name)")
        }
        var report = EngagementReport(
          kind, of: row[3], tenant: row[5], recipient: row[6], channel: .inapp, timeMilliseconds: row[2])
        report.notifications = try Self.notifications(of: row[4])
        return PendingReport(number: row[0], report: report)
      }
    }
  }

  /// Forgets what was told.
  func removeReports(_ numbers: [Int64]) async throws(InboxStoreError) {
    try await writing { database in
      let statement = try database.cachedStatement(sql: "DELETE FROM engagement WHERE number = ?")
      for number in numbers { try statement.execute(arguments: [number]) }
    }
  }

  /// Notes that a recipient did something with notifications of theirs that `condition` names, as far as it is known
  /// which events these show.
  static func note(
    _ kind: Engagement.Kind, _ database: Database, recipient: Int64, _ numbers: ClosedRange<Int64>,
    where condition: String, at now: Int64
  ) throws {
    try database.execute(
      sql: """
        INSERT INTO engagement (recipient, seq, kind, time)
        SELECT recipient, seq, ?, ? FROM notification
        WHERE recipient = ? AND seq BETWEEN ? AND ? AND shown IS NOT NULL AND \(condition) ORDER BY seq
        """, arguments: [kind.rawValue, now, recipient, numbers.lowerBound, numbers.upperBound])
  }

  /// The events that a notification shows, as its row has them; nil for none.
  static func text(of notifications: [EngagementReport.Notification]) throws -> String? {
    guard !notifications.isEmpty else { return nil }
    return String(
      decoding: try JSONEncoder().encode(notifications.map { [$0.source, $0.id] }), as: UTF8.self)
  }

  private static func notifications(of text: String) throws -> [EngagementReport.Notification] {
    try JSONDecoder().decode([[String]].self, from: Data(text.utf8)).compactMap { pair in
      guard pair.count == 2 else { return nil }
      return EngagementReport.Notification(source: pair[0], id: pair[1])
    }
  }
}
