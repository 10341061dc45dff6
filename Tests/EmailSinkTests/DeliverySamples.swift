import Contract
import Foundation

/// Deliveries for the tests, read from JSON as the sink reads them from the topic.
enum DeliverySamples {
  /// A delivery record's value. `data` fields given replace the defaults; nil removes one.
  static func json(
    id: String = "00112233445566778899aabbccddeeff", items: [[String: Any]] = [item()],
    data: [String: Any?] = [:]
  ) throws -> [UInt8] {
    var body: [String: Any] = [
      "tenant": "default", "recipient": "u1", "channel": "email", "kind": "single", "category": "code",
      "type": "git.commit.pushed", "priority": "normal", "address": "u1@example.org",
      "title": "{{actor}}: {{data.title}}", "link": "{{data.url}}",
      "digestTitle": "{{totals.events}} commits by {{totals.actors}} people", "catalog": "0123456789abcdef",
      "recipientRecord": NSNull(), "totals": ["events": items.count, "actors": 1], "items": items,
    ]
    for (name, value) in data { body[name] = value }
    let event: [String: Any] = [
      "specversion": "1.0", "id": id, "source": "tidings", "type": "tidings.delivery.v1",
      "time": "2026-11-20T23:45:47.123Z", "subject": "u1", "datacontenttype": "application/json",
      "data": body,
    ]
    return Array(try JSONSerialization.data(withJSONObject: event))
  }

  static func item(
    id: String = "e1", actor: String? = "u3", subject: String? = "a/b.swift",
    time: String? = "2026-11-20T12:00:00Z",
    data: Any? = ["title": "Fix the thing", "url": "https://example.org/c/1", "files": ["a", "b"]]
  ) -> [String: Any] {
    var item: [String: Any] = [
      "source": "/git/x", "id": id, "type": "git.commit.pushed", "acceptedAt": "2026-11-20T12:00:01Z",
    ]
    item["actor"] = actor
    item["subject"] = subject
    item["time"] = time
    item["data"] = data
    return item
  }

  static func delivery(
    id: String = "00112233445566778899aabbccddeeff", items: [[String: Any]] = [item()],
    data: [String: Any?] = [:]
  ) throws -> Delivery {
    var decoder = try DeliveryDecoder()
    let json = try json(id: id, items: items, data: data)
    return try json.withUnsafeBytes { try decoder.decode(ByteView($0)) }
  }
}
