import Foundation
import NIOCore

/// The Server-Sent Events of one client: the changes of an inbox, in order, from a sequence number on.
///
/// - `state`: the counters, first of all, when the client named no number.
/// - `reset`: the client knows a number that the inbox has not reached, so that it followed another database:
///   load anew.
/// - `notification`: one that was added or read, as it is now.
///
/// Each event's id is the sequence number that it brings the client to; the client sends the last one back as
/// `Last-Event-ID` when it connects again. Pulled by the connection: what a slow client does not take is not
/// read from the database.
struct InboxEventStream: AsyncSequence, Sendable {
  let store: InboxStore
  let recipient: InboxRecipient
  /// The last change that the client knows; nil begins at the latest.
  let since: Int64?
  let signals: AsyncStream<Void>

  func makeAsyncIterator() -> Iterator {
    Iterator(store: store, recipient: recipient, since: since, signals: signals.makeAsyncIterator())
  }

  struct Iterator: AsyncIteratorProtocol {
    let store: InboxStore
    let recipient: InboxRecipient
    let since: Int64?
    var signals: AsyncStream<Void>.Iterator
    private var position: Int64?

    init(
      store: InboxStore, recipient: InboxRecipient, since: Int64?, signals: AsyncStream<Void>.Iterator
    ) {
      self.store = store
      self.recipient = recipient
      self.since = since
      self.signals = signals
    }

    mutating func next() async throws -> ByteBuffer? {
      guard let position else { return try await begin() }
      if let buffer = try await changes(after: position) { return buffer }
      guard await signals.next() != nil else { return nil }
      // A signal without a change is the beat that keeps proxies from closing an idle connection.
      return try await changes(after: position) ?? ByteBuffer(string: ": alive\n\n")
    }

    private mutating func begin() async throws -> ByteBuffer {
      let counters = try await store.counters(of: recipient)
      var buffer = ByteBuffer(string: "retry: 2000\n\n")
      if let since, since <= counters.seq {
        position = since
      } else {
        position = counters.seq
        try Self.write(since == nil ? "state" : "reset", id: counters.seq, data: counters, to: &buffer)
      }
      return buffer
    }

    private mutating func changes(after seq: Int64) async throws -> ByteBuffer? {
      let changes = try await store.changes(of: recipient, after: seq)
      guard let last = changes.notifications.last else { return nil }
      var buffer = ByteBuffer()
      for notification in changes.notifications {
        try Self.write(
          "notification", id: notification.changed,
          data: Change(notification: notification, unread: changes.counters.unread), to: &buffer)
      }
      position = last.changed
      return buffer
    }

    private struct Change: Encodable {
      let notification: InboxNotification
      let unread: Int
    }

    private static func write(
      _ event: String, id: Int64, data: some Encodable, to buffer: inout ByteBuffer
    ) throws {
      // JSON holds no line feed outside of strings and escapes it inside, so that it is one line of `data`.
      buffer.writeString("id: \(id)\nevent: \(event)\ndata: ")
      buffer.writeBytes(try InboxJSON.encode(data))
      buffer.writeString("\n\n")
    }
  }
}
