import Contract
import Foundation
import Testing

/// Events for audiences, and the records that say who follows them.
@Suite struct AudienceContractTests {
  private func event(_ attributes: [String: String?]) throws -> (audience: String, recipients: Int) {
    var decoder = try EventDecoder()
    return try RecordFixture.binary(attributes).withInput { input in
      switch decoder.decode(input) {
      case .event(let event): (event.audience.string, event.recipientCount)
      case .rejected(let rejection): throw rejection
      }
    }
  }

  @Test("an event may name an audience in place of its recipients, in both content modes")
  func audience() throws {
    let binary = try event(["recipient": nil, "audience": "board:42"])
    #expect(binary.audience == "board:42" && binary.recipients == 0)
    var decoder = try EventDecoder()
    let json = #"{"specversion":"1.0","id":"1","source":"s","type":"t","audience":"board:42"}"#
    try RecordFixture.structured(json).withInput { input in
      guard case .event(let event) = decoder.decode(input) else { throw CancellationError() }
      #expect(event.audience.string == "board:42" && event.recipientCount == 0)
    }
  }

  @Test(
    "an audience that is none, or is not alone, is rejected with what is wrong",
    arguments: [
      (["audience": "a"], "conflictingRecipients", "\"recipient\""),
      (["recipient": nil, "recipients": "u,v", "audience": "a"], "conflictingRecipients", "\"recipients\""),
      (["recipient": nil, "audience": ""], "invalidAudience", "empty"),
      (["recipient": nil, "audience": "a/b"], "invalidAudience", "\"/\""),
      (["recipient": nil, "audience": "a#b"], "invalidAudience", "\"#\""),
      (["recipient": nil, "audience": "a\u{7}"], "invalidAudience", "control character"),
    ] as [([String: String?], String, String)])
  func rejected(attributes: [String: String?], reason: String, word: String) throws {
    do {
      _ = try event(attributes)
      Issue.record("accepted: \(attributes)")
    } catch let rejection as Rejection {
      #expect(rejection.reason.rawValue == reason)
      #expect(rejection.detail.contains(word), "\(rejection.detail)")
    }
  }

  @Test("a line for an audience has the audience's key, so that it comes to its home at once")
  func line() throws {
    var reader = try EventLineReader()
    let json =
      #"{"specversion":"1.0","id":"1","source":"s","type":"t","tenant":"acme","audience":"board:42"}"#
    let key = try json.withByteView { view throws(Rejection) in try reader.read(view).record.key?.string }
    #expect(key == "acme/board:42")
  }

  @Test("the key of a part names tenant, audience and part, and only the first two say where it is at home")
  func keys() throws {
    func split(_ key: String) throws -> [String] {
      try key.withByteView { view throws(Rejection) in
        let part = try AudienceKey.split(view)
        return [part.tenant.string, part.audience.string, part.key.string, part.part.string]
      }
    }
    #expect(try split("board:42") == ["default", "board:42", "board:42", ""])
    #expect(try split("board:42#7") == ["default", "board:42", "board:42", "7"])
    #expect(try split("acme/board:42#eu") == ["acme", "board:42", "acme/board:42", "eu"])
  }

  @Test("a line of subscriptions becomes the record of its part")
  func subscriptionLine() throws {
    var reader = try SubscriptionLineReader()
    func record(_ line: String) throws -> [String?] {
      try line.withByteView { view throws(Rejection) in
        let line = try reader.read(view)
        return [line.record.key?.string, line.record.value?.string, line.audienceKey.string]
      }
    }
    #expect(
      try record(#"{"audience":"board:42","part":"0","recipients":["ada","b\"n"],"more":1}"#)
        == ["board:42#0", #"{"recipients":["ada","b\"n"]}"#, "board:42"])
    #expect(
      try record(#"{"audience":"b","tenant":"acme","recipients":[]}"#)
        == ["acme/b", #"{"recipients":[]}"#, "acme/b"])
    #expect(try record(#"{"audience":"b","part":"1","deleted":true}"#) == ["b#1", nil, "b"])
    for broken in [
      "{", "{}", #"{"audience":7,"recipients":[]}"#, #"{"audience":"b"}"#,
      #"{"audience":"a/b","recipients":[]}"#,
      #"{"audience":"b","part":"a#b","recipients":[]}"#, #"{"audience":"b","tenant":"","recipients":[]}"#,
    ] {
      #expect(throws: Rejection.self) { _ = try record(broken) }
    }
  }

  @Test("a line is taken where the processor takes its record: key and value count, and no other field")
  func lineLimit() throws {
    let line =
      #"{"audience":"board:42","part":"0","recipients":["ada"],"more":"\#(String(repeating: "x", count: 99))"}"#
    let size = #"board:42#0{"recipients":["ada"]}"#.utf8.count
    func read(_ line: String, maxBytes: Int) throws -> Bool {
      var reader = try SubscriptionLineReader(maxBytes: maxBytes)
      return try line.withByteView { view throws(Rejection) in
        let record = try reader.read(view).record
        let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
        return EventLimits(maxRecordBytes: maxBytes).allows(table: input)
      }
    }
    #expect(try read(line, maxBytes: size))
    let rejection = #expect(throws: Rejection.self) { try read(line, maxBytes: size - 1) }
    #expect(rejection?.reason == .recordTooLarge && rejection?.detail.contains("more parts") == true)
    // As large as the deployment's limit allows, and no larger where it deletes.
    let names = (0..<9_000).map { "\"\($0)-\(String(repeating: "x", count: 30))\"" }.joined(separator: ",")
    #expect(try read("{\"audience\":\"b\",\"recipients\":[\(names)]}", maxBytes: 1 << 20))
    let deletion =
      "{\"audience\":\"b\",\"part\":\"\(String(repeating: "p", count: 1_100))\",\"deleted\":true}"
    #expect(throws: Rejection.self) { try read(deletion, maxBytes: 1 << 10) }
  }

  @Test("a part has at most 10,000 recipients, as its schema says")
  func limit() throws {
    var decoder = try SubscriptionDecoder(maxBytes: 1 << 20)
    func count(_ number: Int) throws -> Int? {
      let list = (0..<number).map { "\"u\($0)\"" }.joined(separator: ",")
      return try "{\"recipients\":[\(list)]}".withByteView { view throws(Rejection) in
        try decoder.decode(view)?.count
      }
    }
    #expect(try count(10_000) == 10_000)
    #expect(throws: Rejection.self) { _ = try count(10_001) }
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let data = try Data(contentsOf: root.appending(path: "docs/subscriptions.schema.json"))
    let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let fields = try #require(schema["properties"] as? [String: Any])
    let list = try #require(fields["recipients"] as? [String: Any])
    #expect(list["maxItems"] as? Int == SubscriptionDecoder.maxRecipients)
    #expect(fields.count == 1 && schema["required"] as? [String] == ["recipients"])
  }
}
