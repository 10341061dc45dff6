import Foundation
import GRDB

/// A notification in an inbox, as the HTTP API shows it.
public struct InboxNotification: Encodable, Hashable, Sendable {
  /// The id of its delivery.
  public let id: String
  /// Its place in the inbox: the sequence number of the change that added it. Higher is newer.
  public let seq: Int64
  /// The sequence number of its latest change: added, or read.
  public let changed: Int64
  /// `single` or `digest`.
  public let kind: String
  /// The title as plain text.
  public let title: String
  /// Where a click leads.
  public let link: String?
  /// The category; empty of a digest that has several.
  public let category: String
  /// The event type.
  public let type: String
  /// The number of events that it stands for.
  public let count: Int
  /// When its delivery was decided (RFC 3339).
  public let created: String
  /// When it was marked as read (RFC 3339); nil while it is unread.
  public let read: String?

  private enum CodingKeys: String, CodingKey {
    case id, seq, changed, kind, title, link, category, type, count, created, read
  }

  /// Writes all fields; what is missing is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(seq, forKey: .seq)
    try container.encode(changed, forKey: .changed)
    try container.encode(kind, forKey: .kind)
    try container.encode(title, forKey: .title)
    try container.encode(link, forKey: .link)
    try container.encode(category, forKey: .category)
    try container.encode(type, forKey: .type)
    try container.encode(count, forKey: .count)
    try container.encode(created, forKey: .created)
    try container.encode(read, forKey: .read)
  }

  static let columns = "delivery, seq, changed, kind, title, link, category, type, events, created, read"

  init(row: Row) {
    id = row[0]
    seq = row[1]
    changed = row[2]
    kind = row[3]
    title = row[4]
    link = row[5]
    category = row[6]
    type = row[7]
    count = row[8]
    created = Self.time(row[9])
    read = (row[10] as Int64?).map(Self.time)
  }

  static func time(_ milliseconds: Int64) -> String {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(style)
  }
}

/// The counters of an inbox at one sequence number.
public struct InboxCounters: Encodable, Hashable, Sendable {
  /// How many notifications are unread.
  public let unread: Int
  /// The sequence number of the inbox's latest change; 0 while nothing ever happened.
  public let seq: Int64

  static let none = InboxCounters(unread: 0, seq: 0)
}

/// A part of an inbox, newest first.
public struct InboxPage: Encodable, Hashable, Sendable {
  /// The notifications.
  public let notifications: [InboxNotification]
  /// How many are unread in the whole inbox.
  public let unread: Int
  /// The inbox's latest change when the page was read: follow the events from here.
  public let seq: Int64
  /// The value of `before` for the next page; nil behind the last.
  public let next: Int64?

  private enum CodingKeys: String, CodingKey {
    case notifications, unread, seq, next
  }

  /// Writes all fields; `next` is null behind the last page.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(notifications, forKey: .notifications)
    try container.encode(unread, forKey: .unread)
    try container.encode(seq, forKey: .seq)
    try container.encode(next, forKey: .next)
  }
}

/// Changes of an inbox behind a sequence number.
public struct InboxChanges: Hashable, Sendable {
  /// The notifications that changed, in the order of their latest change.
  public let notifications: [InboxNotification]
  /// The counters when the changes were read.
  public let counters: InboxCounters
}

/// An inbox in the list of those that changed lately.
public struct InboxSummary: Encodable, Hashable, Sendable {
  /// The tenant.
  public let tenant: String
  /// The recipient's id.
  public let recipient: String
  /// How many notifications are unread.
  public let unread: Int
  /// When the inbox changed last (RFC 3339).
  public let updated: String
}
