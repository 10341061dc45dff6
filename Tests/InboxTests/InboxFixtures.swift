import Delivery
import Foundation
import Logging

@testable import Inbox

/// A directory that is gone when the test is.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tidings-inbox-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var database: String { path + "/inbox.sqlite" }
}

enum Fixture {
  static let ada = InboxRecipient(recipient: "ada")

  /// The id of the delivery of that number.
  static func id(_ number: Int) -> String {
    let hex = String(number, radix: 16)
    return String(repeating: "0", count: 32 - hex.count) + hex
  }

  static func entry(
    _ number: Int, for recipient: InboxRecipient = ada, title: String? = nil, link: String? = nil
  ) -> InboxEntry {
    InboxEntry(
      delivery: id(number), recipient: recipient, kind: "single", title: title ?? "Title \(number)",
      link: link,
      category: "commits", type: "git.commit.pushed", eventCount: 1,
      createdMilliseconds: 1_700_000_000_000 + Int64(number), shown: [shown(number)])
  }

  /// The event that the entry of that number shows.
  static func shown(_ number: Int) -> EngagementReport.Notification {
    EngagementReport.Notification(source: "/git", id: "e\(number)")
  }

  static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A batch of entries with consecutive offsets in one partition.
  static func batch(
    _ numbers: Range<Int>, partition: Int32 = 0, for recipient: InboxRecipient = ada
  ) -> InboxBatch {
    var batch = InboxBatch(topic: "t")
    for number in numbers {
      batch.append(entry(number, for: recipient), partition: partition, offset: Int64(number))
    }
    return batch
  }

  /// The JSON of a delivery record.
  static func delivery(
    _ number: Int, recipient: String = "ada", tenant: String = "default", channel: String = "inapp",
    title: String = "{{actor}}: {{data.title}}", link: String? = "{{data.url}}",
    data: [String: Any] = ["title": "Hello", "url": "https://example.org/1"], events: Int = 1,
    ofSeveralCategories: Bool = false
  ) throws -> [UInt8] {
    var content: [String: Any] = [
      "tenant": tenant, "recipient": recipient, "channel": channel, "kind": events > 1 ? "digest" : "single",
      "category": "commits", "type": "git.commit.pushed", "priority": "normal", "address": NSNull(),
      "title": title, "digestTitle": "{{totals.events}} commits by {{totals.actors}}",
      "catalog": "00000000000000aa", "recipientRecord": NSNull(),
      "totals": ["events": events, "actors": 1],
      "items": [
        [
          "source": "/git", "id": "e\(number)", "type": "git.commit.pushed", "actor": "bob",
          "acceptedAt": "2026-01-01T00:00:00.000Z", "data": data,
        ]
      ],
    ]
    content["link"] = link
    if ofSeveralCategories {
      content["severalCategories"] = true
      content["digestTitle"] = nil
    }
    let document: [String: Any] = [
      "specversion": "1.0", "id": id(number), "source": "tidings", "type": "tidings.delivery.v1",
      "time": "2026-01-01T00:00:01.000Z", "subject": recipient, "datacontenttype": "application/json",
      "data": content,
    ]
    return Array(try JSONSerialization.data(withJSONObject: document))
  }
}
