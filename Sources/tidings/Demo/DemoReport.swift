import Contract
import Foundation
import Pipeline

/// What a demo did, as JSON: the report of `tidings demo --report FILE`.
struct DemoReport: Encodable, Equatable {
  /// Distinct events published.
  var events: Int
  /// Distinct pairs of event and recipient.
  var notifications: Int
  /// Notifications beyond the first of their identity.
  var repeatedNotifications: Int
  /// The conservation law's accepted: arrivals times their channels.
  var accepted: Int64
  /// Delivered, alone or in a digest.
  var delivered: Int64
  /// Left out, by reason; every reason is there.
  var suppressed: [String: Int64]
  /// Due too late.
  var expired: Int64
  /// Taken back.
  var retracted: Int64
  /// Replaced by a newer one.
  var collapsed: Int64
  /// Waiting in a window.
  var open: Int64
  /// Records that could not be read.
  var rejected: Int64
  /// Mails in the Maildir.
  var emailsSent: Int
  /// Rows in the inbox's database.
  var inboxRows: Int
  /// From the start of the command to the moment when nothing was open any more.
  var seconds: Double

  init(_ snapshot: DemoSnapshot, seconds: Double) {
    let total = snapshot.counters.total
    events = snapshot.totals.events
    notifications = snapshot.totals.notifications
    repeatedNotifications = snapshot.totals.repeatedNotifications
    accepted = total.accepted
    delivered = total.delivered
    suppressed = Dictionary(
      uniqueKeysWithValues: SuppressionReason.allCases.map { ($0.literal.description, total.suppressed[$0]) })
    expired = total.expired
    retracted = total.retracted
    collapsed = total.collapsed
    open = total.open
    rejected = snapshot.counters.rejected
    emailsSent = snapshot.mails
    inboxRows = snapshot.inboxRows
    self.seconds = (seconds * 1000).rounded() / 1000
  }

  /// What the conservation law leaves over: 0, or there is a fault.
  var difference: Int64 {
    accepted - delivered - suppressed.values.reduce(0, +) - expired - retracted - collapsed - open
  }

  /// Writes the report.
  ///
  /// - Throws: `InputError` when the file cannot be written.
  func write(to path: String) throws(InputError) {
    do {
      try Data(try JSONDocument.text(self, as: .indented).utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      throw InputError("the report \(path) cannot be written: \(error.localizedDescription)")
    }
  }
}
