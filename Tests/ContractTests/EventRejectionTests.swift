import Contract
import Foundation
import Testing

/// A record that breaks the contract, and what its rejection has to say.
struct RejectionCase: CustomTestStringConvertible, Sendable {
  let what: String
  let reason: RejectionReason
  /// A part of the detail: what a producer has to find in it.
  let names: String
  let record: @Sendable () -> RecordFixture
  var testDescription: String { what }

  init(
    _ what: String, _ reason: RejectionReason, _ names: String,
    _ record: @escaping @Sendable () -> RecordFixture
  ) {
    self.what = what
    self.reason = reason
    self.names = names
    self.record = record
  }

  static func structured(_ json: String, _ reason: RejectionReason, _ names: String) -> RejectionCase {
    RejectionCase(json, reason, names) { .structured(json) }
  }

  static func binary(_ changes: [String: String?], _ reason: RejectionReason, _ names: String)
    -> RejectionCase
  {
    RejectionCase("\(changes)", reason, names) { .binary(changes) }
  }
}

@Suite struct EventRejectionTests {
  private static let event = #""specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u""#

  static let structuredCases: [RejectionCase] = [
    .structured(
      "{\(event),\"team\":\"\(String(repeating: "x", count: 4097))\"}", .attributeTooLong, "\"team\" has 4097"
    ),
    .structured("", .notJSON, "empty"), .structured("nonsense", .notJSON, "not JSON"),
    .structured("[{}]", .notJSON, "object"), .structured("{\(event)} x", .notJSON, "byte"),
    .structured("{\(event),}", .notJSON, "malformed"),
    .structured("{\(event),\"data\":{\"a\":01}}", .notJSON, "number"),
    .structured("{\(event),\"data\":[tru]}", .notJSON, "word"),
    .structured("{\(event)", .notJSON, "ends too early"),
    .structured(#"{"id":"\ud800"}"#, .notJSON, "escape"), .structured(#"{"id":"\x"}"#, .notJSON, "escape"),
    .structured("{\"id\":\"a\u{1}\"}", .notJSON, "control"), .structured(#"{"id":"a"#, .notJSON, "end"),
    .structured(
      "{\(event),\"data\":\(String(repeating: "[", count: 101))\(String(repeating: "]", count: 101))}",
      .notJSON,
      "100"),
    .structured("{}", .missingAttribute, "specversion"),
    .structured(#"{"specversion":"1.0"}"#, .missingAttribute, "id"),
    .structured(#"{"specversion":"0.3","id":"1"}"#, .unsupportedSpecVersion, "0.3"),
    .structured(#"{"specversion":1.0}"#, .invalidAttribute, "specversion"),
    .structured(#"{"specversion":"1.0","id":1}"#, .invalidAttribute, "id"),
    .structured(#"{"specversion":"1.0","id":"1","id":"2"}"#, .duplicateAttribute, "id"),
    .structured(#"{"specversion":"1.0","id":"1","i\u0064":"2"}"#, .duplicateAttribute, "id"),
    .structured("{\(event),\"category\":\"*\"}", .invalidAttribute, "category"),
    .structured("{\(event),\"actor\":{}}", .invalidAttribute, "actor"),
    .structured("{\(event),\"actor\":1.5}", .invalidAttribute, "actor"),
    .structured("{\(event),\"data\":1,\"data\":2}", .duplicateAttribute, "data"),
    .structured("{\(event),\"data\":1,\"data_base64\":\"\"}", .invalidAttribute, "data_base64"),
    .structured("{\(event),\"data_base64\":\"a\"}", .invalidAttribute, "data_base64"),
    .structured("{\(event),\"data_base64\":\"aGl=\"}", .invalidAttribute, "data_base64"),
    .structured("{\(event),\"data_base64\":1}", .invalidAttribute, "data_base64"),
    .structured("{\(event),\"data_base64\":\"aGk=\"}", .notJSON, "data"),
    .structured("{\(event),\"datacontenttype\":\"text/plain\",\"data\":{}}", .invalidAttribute, "text/plain"),
  ]

  /// A media type of so many bytes.
  private static func contentType(of count: Int) -> String {
    let type = "text/plain; x="
    return type + String(repeating: "x", count: count - type.utf8.count)
  }

  private static func nested(
    _ levels: Int, _ opening: String = "[", _ closing: String = "]", around value: String = ""
  ) -> String {
    String(repeating: opening, count: levels) + value + String(repeating: closing, count: levels)
  }

  static let binaryCases: [RejectionCase] = [
    .binary(["specversion": nil], .missingAttribute, "specversion"),
    .binary(["id": nil], .missingAttribute, "id"),
    .binary(["source": nil], .missingAttribute, "source"), .binary(["type": nil], .missingAttribute, "type"),
    .binary(["recipient": nil], .missingAttribute, "recipient"), .binary(["id": ""], .emptyAttribute, "id"),
    .binary(["source": ""], .emptyAttribute, "source"), .binary(["type": ""], .emptyAttribute, "type"),
    .binary(["specversion": "2.0"], .unsupportedSpecVersion, "2.0"),
    .binary(["specversion": ""], .emptyAttribute, "specversion"),
    .binary(["recipient": ""], .emptyRecipient, "recipient"),
    .binary(["recipients": "u2"], .conflictingRecipients, "recipients"),
    .binary(["recipient": nil, "recipients": ""], .emptyRecipient, "recipients"),
    .binary(["recipient": nil, "recipients": "a,,b"], .emptyRecipient, "Entry 2"),
    .binary(["recipient": nil, "recipients": "a,"], .emptyRecipient, "Entry 2"),
    .binary(["recipient": nil, "recipients": "a,b/c"], .invalidRecipient, "b/c"),
    .binary(
      ["recipient": nil, "recipients": (0...1000).map { "u\($0)" }.joined(separator: ",")],
      .tooManyRecipients,
      "1001"),
    .binary(["recipient": "a/b"], .invalidRecipient, "a/b"),
    .binary(["recipient": "a\nb"], .invalidRecipient, "control"),
    .binary(["recipient": "a\u{85}b"], .invalidRecipient, "control"),
    .binary(["tenant": "a/b"], .invalidTenant, "a/b"),
    .binary(["tenant": "a\u{0}"], .invalidTenant, "control"),
    .binary(["tenant": ""], .emptyAttribute, "tenant"),
    .binary(["priority": "high"], .invalidAttribute, "priority"),
    .binary(["time": "yesterday"], .invalidAttribute, "time"),
    .binary(["time": ""], .invalidAttribute, "time"),
    .binary(["expirytime": "2026-02-30T00:00:00Z"], .invalidAttribute, "expirytime"),
    .binary(["id": String(repeating: "x", count: 4097)], .attributeTooLong, "id"),
    .binary(
      ["recipient": nil, "recipients": "a," + String(repeating: "x", count: 4097)], .attributeTooLong,
      "recipients"),
    RejectionCase("a content-type of 4,097 bytes", .attributeTooLong, "datacontenttype") {
      .binary(contentType: contentType(of: 4097))
    },
    RejectionCase("both are given, and the content-type has 4,097 bytes", .attributeTooLong, "4097") {
      .binary(["datacontenttype": "text/plain"], contentType: contentType(of: 4097))
    },
    RejectionCase("data nest too deep", .notJSON, "more than 100") { .binary(data: nested(101)) },
    RejectionCase("data nest too deep, and members do", .notJSON, "more than 100") {
      .binary(data: nested(101, "{\"a\":", "}", around: "1"))
    },
    RejectionCase("data in base64 nest too deep", .notJSON, "more than 100") {
      .structured("{\(event),\"data_base64\":\"\(Data(nested(101).utf8).base64EncodedString())\"}")
    },
    RejectionCase("data is not JSON", .notJSON, "data") { .binary(data: "{") },
    RejectionCase("data is not JSON, and the type is not said", .notJSON, "data") {
      .binary(data: "{", contentType: nil)
    },
    RejectionCase("no CloudEvent", .notCloudEvent, "ce_") { RecordFixture(value: Array("{}".utf8)) },
    RejectionCase("a batch", .notCloudEvent, "batch") {
      RecordFixture(
        value: Array("[]".utf8), headers: [("content-type", "application/cloudevents-batch+json")])
    },
    RejectionCase("a tombstone", .tombstone, "no value") {
      var fixture = RecordFixture.binary()
      fixture.value = nil
      return fixture
    },
    RejectionCase("2 MB of data", .recordTooLarge, "262144") {
      .binary(data: "\"" + String(repeating: "x", count: 2_000_000) + "\"")
    },
    RejectionCase("2 MB of headers", .recordTooLarge, "262144") {
      .binary(["x": String(repeating: "x", count: 2_000_000)])
    },
    RejectionCase("data is not UTF-8", .invalidUTF8, "data") {
      var fixture = RecordFixture.binary()
      fixture.value = [0x22, 0xC3, 0x28, 0x22]
      return fixture
    },
    RejectionCase("an attribute is not UTF-8", .invalidUTF8, "ce_subject") {
      var fixture = RecordFixture.binary()
      fixture.headers.append((Array("ce_subject".utf8), [0xFF]))
      return fixture
    },
    RejectionCase("the event is not UTF-8", .invalidUTF8, "event") {
      var fixture = RecordFixture.structured("")
      fixture.value = Array("{\"id\":\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"}".utf8)
      return fixture
    },
    .binary(["team": String(repeating: "x", count: 4097)], .attributeTooLong, "team"),
    RejectionCase("an attribute is given twice", .duplicateAttribute, "id") {
      var fixture = RecordFixture.binary()
      fixture.headers.append((Array("ce_id".utf8), [0x31]))
      return fixture
    },
  ]

  @Test(
    "a record that breaks the contract is rejected with a reason that names what is wrong",
    arguments: structuredCases)
  func structured(_ example: RejectionCase) throws { try check(example) }

  @Test("a record that breaks the contract is rejected in binary mode too", arguments: binaryCases)
  func binary(_ example: RejectionCase) throws { try check(example) }

  private func check(_ example: RejectionCase) throws {
    var decoder = try EventDecoder()
    let found = decoder.rejection(example.record())
    let rejection = try #require(found)
    #expect(rejection.reason == example.reason, "\(rejection)")
    #expect(rejection.detail.contains(example.names), "\(rejection)")
    #expect(rejection.detail.utf8.count < 500)
    let next = decoder.rejection(.binary())
    #expect(next == nil, "the decoder reads the next record as if nothing had been")
  }

  @Test("what nests 100 deep, and a content-type of 4,096 bytes, are within the bounds")
  func bounds() throws {
    var decoder = try EventDecoder()
    for levels in [1, 64, 65, 100] {
      let data = Self.nested(levels)
      for fixture in [
        RecordFixture.binary(data: data), .structured("{\(Self.event),\"data\":\(data)}"),
        .structured("{\(Self.event),\"data_base64\":\"\(Data(data.utf8).base64EncodedString())\"}"),
      ] {
        let event = try decoder.snapshot(fixture)
        #expect(event.dataKind == .json && event.data == Array(data.utf8))
      }
    }
    let longest = Self.contentType(of: 4096)
    let event = try decoder.snapshot(.binary(["datacontenttype": "image/png"], contentType: longest))
    #expect(event.fields["datacontenttype"] == longest)
  }

  @Test("a record at the limit is an event, a byte more is not")
  func limit() throws {
    let size = RecordFixture.binary().withInput { $0.byteCount }
    var exact = try EventDecoder(limits: EventLimits(maxRecordBytes: size))
    let fits = exact.rejection(.binary())
    #expect(fits == nil)
    var tight = try EventDecoder(limits: EventLimits(maxRecordBytes: size - 1))
    let exceeds = tight.rejection(.binary())
    #expect(exceeds?.reason == .recordTooLarge)
  }
}
