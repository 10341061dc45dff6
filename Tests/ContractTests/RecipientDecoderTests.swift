import Contract
import Testing

@Suite struct RecipientDecoderTests {
  private func decode(_ json: String) throws -> RecipientRecord? {
    var decoder = try RecipientDecoder()
    return try json.withByteView { view throws(Rejection) in try decoder.decode(view) }
  }

  @Test("a record is read with all its fields, and what is unknown is ignored")
  func full() throws {
    let record = try decode(
      #"{"email":"a@b.example","locale":"de","timeZone":"Europe/Berlin","quiet":{"x":[1]},"optOut":["#
        + #"{"category":"news","channel":"email","since":1},{"category":"*","channel":"inapp"},{"category":"x","channel":"*"}]}"#
    )
    #expect(
      record
        == RecipientRecord(
          email: "a@b.example", locale: "de", timeZone: "Europe/Berlin",
          optOut: [
            .init(category: "news", channel: .email), .init(category: nil, channel: .inapp),
            .init(category: "x", channel: nil),
          ]))
  }

  @Test("an opt-out holds for its category and channel, and a star for all")
  func optsOut() {
    let record = RecipientRecord(optOut: [
      .init(category: "news", channel: .email), .init(category: nil, channel: .inapp),
      .init(category: "x", channel: nil),
    ])
    #expect(record.optsOut(of: "news", on: .email) && !record.optsOut(of: "orders", on: .email))
    #expect(record.optsOut(of: "anything", on: .inapp))
    #expect(record.optsOut(of: "x", on: .email))
  }

  @Test(
    "an empty object and nulls are a record without anything",
    arguments: ["{}", #"{"email":null,"optOut":null}"#])
  func nothing(json: String) throws {
    #expect(try decode(json) == RecipientRecord())
  }

  @Test("a record without value deletes")
  func tombstone() throws {
    var decoder = try RecipientDecoder()
    let record = try decoder.decode(nil)
    #expect(record == nil)
  }

  @Test("a record is written as it is read")
  func roundTrip() throws {
    for record in [
      RecipientRecord(),
      RecipientRecord(
        email: "ü\"@x", locale: "de-AT", timeZone: "UTC", optOut: [.init(category: nil, channel: nil)]),
      RecipientRecord(
        preferences: [
          .init(category: "a\"b", channel: .email, .daily), .init(category: "a\"b", channel: nil, .off),
          .init(category: nil, channel: .inapp, .on), .init(category: "c", channel: .email, .instant),
        ],
        mutes: [.init(subject: "x\\y", until: 1_700_000_000_123), .init(subject: "ü")]),
      RecipientRecord(quietHours: try quietHours()),
      RecipientRecord(optOut: [
        .init(category: "a\\b", channel: .email), .init(category: "c", channel: .inapp),
      ]),
    ] {
      var buffer = OutputBuffer()
      buffer.append(recipient: record)
      #expect(try decode(buffer.view.string) == record)
    }
  }

  private func quietHours() throws -> QuietHours {
    let (ten, seven) = (try #require(LocalTime("22:00")), try #require(LocalTime("07:00")))
    let intervals = [
      QuietInterval(from: ten, until: seven),
      QuietInterval(weekdays: Weekdays([.friday]), from: seven, until: ten),
      QuietInterval(wholeDays: Weekdays([.sunday])),
    ]
    return try #require(QuietHours(intervals.compactMap { $0 }))
  }

  @Test("a category that no catalog knows is kept, and so is a subject in any letters")
  func unknownCategory() throws {
    let record = try #require(
      try decode(#"{"preferences":{"caf\u00e9":{"*":"weekly"}},"mutes":[{"subject":"a b/c","until":null}]}"#))
    #expect(record.preferences == [.init(category: "café", channel: nil, .weekly)])
    #expect(record.mutes == [.init(subject: "a b/c")])
  }

  @Test(
    "more than may be is refused",
    arguments: [
      ("preferences", "{" + (0..<1001).map { "\"c\($0)\":{\"*\":\"on\"}" }.joined(separator: ",") + "}"),
      ("mutes", "[" + (0..<1001).map { "{\"subject\":\"\($0)\"}" }.joined(separator: ",") + "]"),
      (
        "quietHours",
        "[" + (0..<9).map { "{\"from\":\"0\($0):00\",\"until\":\"0\($0):30\"}" }.joined(separator: ",") + "]"
      ),
    ])
  func tooMany(field: String, value: String) throws {
    do {
      _ = try decode("{\"\(field)\":\(value)}")
      Issue.record("accepted")
    } catch let rejection as Rejection {
      #expect(
        rejection.reason == .invalidAttribute && rejection.detail.contains("\"\(field)\" has more than"))
    }
  }

  @Test(
    "a record with a wrong field is refused with its name",
    arguments: [
      ("", RejectionReason.notJSON, "JSON"), ("null", .notJSON, "object"), ("[]", .notJSON, "object"),
      (#"{"email":1}"#, .invalidAttribute, "email"), (#"{"email":""}"#, .emptyAttribute, "email"),
      (#"{"email":"nobody"}"#, .invalidAttribute, "email"), (#"{"email":"@x"}"#, .invalidAttribute, "email"),
      (#"{"email":"x@"}"#, .invalidAttribute, "email"), (#"{"email":"a b@x"}"#, .invalidAttribute, "email"),
      (#"{"email":"ü@"}"#, .invalidAttribute, "email"),
      (#"{"email":"ü\u00a0b@x"}"#, .invalidAttribute, "email"),
      (#"{"email":"a@x\r\nBcc: b@x"}"#, .invalidAttribute, "email"),
      (#"{"locale":[]}"#, .invalidAttribute, "locale"),
      (#"{"timeZone":{}}"#, .invalidAttribute, "timeZone"), (#"{"optOut":{}}"#, .invalidAttribute, "optOut"),
      (#"{"optOut":[1]}"#, .invalidAttribute, "optOut"), (#"{"optOut":[{}]}"#, .missingAttribute, "category"),
      (#"{"optOut":[{"category":"x"}]}"#, .missingAttribute, "channel"),
      (#"{"optOut":[{"category":"x","channel":"e-mail"}]}"#, .invalidAttribute, "e-mail"),
      (#"{"optOut":[{"category":"","channel":"email"}]}"#, .emptyAttribute, "category"),
      (
        "{\"optOut\":[{\"category\":\"x\",\"channel\":\"\(String(repeating: "é", count: 1_000))\"}]}",
        .invalidAttribute, "ééé"
      ),
      // One character, however many marks it has.
      (
        "{\"mutes\":[{\"subject\":\"x\",\"until\":\"e\(String(repeating: "\u{301}", count: 2_000))\"}]}",
        .invalidAttribute, "\"until\" in \"mutes\""
      ),
      (
        "{\"optOut\":[\(Array(repeating: #"{"category":"x","channel":"*"}"#, count: 1001).joined(separator: ","))]}",
        .invalidAttribute, "1000"
      ),
      ("{\"email\":\"\(String(repeating: "x", count: 320))@x\"}", .attributeTooLong, "email"),
      ("\"\(String(repeating: "x", count: 300_000))\"", .recordTooLarge, "262144"),
    ])
  func refused(json: String, reason: RejectionReason, names: String) throws {
    do {
      _ = try decode(json)
      Issue.record("accepted")
    } catch let rejection as Rejection {
      #expect(rejection.reason == reason)
      #expect(rejection.detail.contains(names), "\(rejection)")
      #expect(rejection.detail.utf8.count <= 500)
      #expect(!rejection.detail.contains("\u{FFFD}"))
    }
  }
}
