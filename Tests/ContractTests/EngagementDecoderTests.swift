import Contract
import Foundation
import Testing

@Suite struct EngagementDecoderTests {
  private static func page(_ name: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "docs/\(name)"), encoding: .utf8)
  }

  private func decode<Result>(
    _ json: String, headers: [(String, String)] = [("content-type", "application/cloudevents+json")],
    _ body: (Engagement) throws -> Result
  ) throws -> Result {
    var decoder = try EngagementDecoder()
    return try RecordFixture(value: Array(json.utf8), headers: headers).withInput {
      try body(try decoder.decode($0))
    }
  }

  @Test("the page's example is read: whom it is about, and which notifications")
  func example() throws {
    let parts = try Self.page("engagement.md").components(separatedBy: "```")
    let json = try #require(parts.dropFirst().first)
    try decode(String(json.dropFirst("json\n".count))) { engagement in
      #expect(engagement.kind == .seen && engagement.channel == .inapp)
      #expect(engagement.tenant.string == "acme" && engagement.recipient.string == "ada")
      #expect(engagement.time == 1_772_356_320_000)
      let expected = ["e1", "e2"].map { id in
        id.withByteView {
          NotificationID.hash(
            tenant: ByteView("acme"), source: ByteView("/shop"), id: $0, recipient: ByteView("ada"))
        }
      }
      #expect(engagement.notifications == expected)
    }
  }

  @Test("binary mode says the same: attributes in headers, the data as the value")
  func binary() throws {
    let headers = [
      ("ce_specversion", "1.0"), ("ce_id", "1"), ("ce_source", "/mail"),
      ("ce_type", "tidings.engagement.bounced"), ("ce_recipient", "ada"), ("ce_channel", "email"),
      ("ce_delivery", "d1"), ("content-type", "application/json"),
    ]
    try decode(#"{"address":"ada\u0040example.org","status":"5.1.1"}"#, headers: headers) { engagement in
      #expect(engagement.kind == .bounced && engagement.tenant.string == "default")
      #expect(engagement.address.string == "ada@example.org" && engagement.delivery.string == "d1")
      #expect(engagement.notifications.isEmpty && engagement.time == nil)
    }
  }

  @Test("every kind is read from a record with what it needs", arguments: Engagement.Kind.allCases)
  func kinds(kind: Engagement.Kind) throws {
    let json =
      #"{"specversion":"1.0","id":"1","source":"/s","type":"\#(kind.type)","recipient":"ada","channel":"email","#
      + #""category":"news","data":{"address":"a@b","events":[{"source":"/s","id":"e"}]}}"#
    try decode(json) { engagement in
      #expect(engagement.kind == kind)
      #expect(engagement.category.string == "news")
      #expect(engagement.notifications.count == (kind.isSight ? 1 : 0))
      #expect(engagement.address.isEmpty == (kind != .bounced))
    }
  }

  @Test("every record that the page says is refused is refused, for that reason and with those words")
  func refusals() throws {
    let rows = try Self.page("engagement.md").components(separatedBy: "| record | reason | because it says |")
    try #require(rows.count == 2)
    let cells = rows[1].split(separator: "\n").dropFirst().prefix { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(cells.count >= 18)
    for row in cells {
      try #require(row.count == 3, "\(row)")
      let (short, reason) = (row[0].trimmingCharacters(in: ["`"]), row[1].trimmingCharacters(in: ["`"]))
      let recipient = short.contains("recipients") ? "" : #","recipient":"ada""#
      let json = #"{"specversion":"1.0","id":"1","source":"/s"\#(recipient),"# + short.dropFirst()
      do {
        try decode(json) { _ in }
        Issue.record("accepted: \(json)")
      } catch let rejection as Rejection {
        #expect(rejection.reason.rawValue == reason, "\(json): \(rejection)")
        #expect(rejection.detail.contains(row[2]), "\(json): \(rejection)")
        #expect(rejection.detail.utf8.count < 500)
      }
    }
  }

  @Test("a record of more notifications than the bound is refused, and one of as many is read")
  func bound() throws {
    func record(_ count: Int) -> String {
      let events = (0..<count).map { #"{"source":"/s","id":"\#($0)"}"# }.joined(separator: ",")
      return
        #"{"specversion":"1.0","id":"1","source":"/s","type":"tidings.engagement.read","recipient":"ada","#
        + #""channel":"inapp","data":{"events":[\#(events)]}}"#
    }
    #expect(try decode(record(1000)) { $0.notifications.count } == 1000)
    #expect(throws: Rejection.self) { try decode(record(1001)) { _ in } }
  }

  @Test("the schema names the kinds and channels that the decoder knows, and its bound")
  func schema() throws {
    let data = Data(try Self.page("engagement.schema.json").utf8)
    let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let properties = try #require(schema["properties"] as? [String: [String: Any]])
    #expect(properties["type"]?["enum"] as? [String] == Engagement.Kind.allCases.map(\.type))
    #expect(properties["channel"]?["enum"] as? [String] == Channel.allCases.map(\.name))
    let fields = try #require(properties["data"]?["properties"] as? [String: [String: Any]])
    #expect(fields["events"]?["maxItems"] as? Int == Engagement.maxNotifications)
  }
}
