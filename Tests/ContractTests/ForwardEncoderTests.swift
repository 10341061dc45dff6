import Contract
import Testing

@Suite struct ForwardEncoderTests {
  /// The records that forwarding makes of a record, and the event that was forwarded.
  private func forward(_ fixture: RecordFixture) throws -> (event: EventSnapshot, records: [RecordFixture]) {
    var decoder = try EventDecoder()
    var encoder = ForwardEncoder()
    return try fixture.withInput { input in
      switch decoder.decode(input) {
      case .rejected(let rejection): throw rejection
      case .event(let event):
        encoder.begin(
          event, at: RecordPosition(topic: ByteView("team"), partition: 3, offset: 99),
          appended: 1_700_000_000_123)
        return (EventSnapshot(event), event.recipients.map { RecordFixture(encoder.record(for: $0)) })
      }
    }
  }

  @Test("every recipient gets the whole event, in binary mode and under their own key")
  func structured() throws {
    let (event, records) = try forward(.structured(EventDecoderTests.full))
    #expect(records.map { $0.key.map { String(decoding: $0, as: UTF8.self) } } == ["acme/u1", "acme/u2"])
    for (record, recipient) in zip(records, event.recipients) {
      var decoder = try EventDecoder()
      let copy = try decoder.snapshot(record)
      var expected = event
      expected.recipients = [recipient]
      #expect(copy == expected)
      #expect(record.header("tidings-origin-topic") == "team")
      #expect(record.header("tidings-origin-partition") == "3")
      #expect(record.header("tidings-origin-offset") == "99")
      #expect(record.header("tidings-origin-timestamp") == "1700000000123")
    }
  }

  @Test("data goes on unchanged, whatever it is")
  func data() throws {
    var image = RecordFixture.binary(contentType: "image/png")
    image.value = (0...255).map { UInt8($0) }
    let base64 =
      #"{"specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u","datacontenttype":"x/y","data_base64":"AP8="}"#
    let text =
      #"{"specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u","datacontenttype":"text/plain","data":"ü\n"}"#
    for fixture in [
      image, .structured(base64), .structured(text), .binary(data: ""),
      .binary(data: " {} ", contentType: nil),
    ] {
      let (event, records) = try forward(fixture)
      let record = try #require(records.first)
      var decoder = try EventDecoder()
      let copy = try decoder.snapshot(record)
      #expect(copy == event)
      #expect(record.value == event.data)
    }
  }

  @Test(
    "data of a media type that means structured mode is forwarded in binary mode all the same",
    arguments: [
      "application/cloudevents+json", "Application/CloudEvents+JSON; charset=UTF-8",
      " application/cloudevents+json", "application/cloudevents-batch+json",
    ])
  func structuredMediaType(contentType: String) throws {
    let inner = #"{"specversion":"1.0","id":"inner","source":"i","type":"i","recipient":"other"}"#
    let outer = #""specversion":"1.0","id":"outer","source":"s","type":"t","recipients":"u,v""#
    for fixture in [
      .structured("{\(outer),\"datacontenttype\":\"\(contentType)\",\"data\":\(inner)}"),
      RecordFixture.binary(["datacontenttype": contentType], data: inner, contentType: nil),
    ] {
      let (event, records) = try forward(fixture)
      #expect(records.count == event.recipients.count)
      for (record, recipient) in zip(records, event.recipients) {
        var decoder = try EventDecoder()
        let copy = try decoder.snapshot(record)
        var expected = event
        expected.recipients = [recipient]
        #expect(copy == expected)
        #expect(copy.fields["datacontenttype"] == contentType)
        #expect(record.value == event.data)
      }
    }
  }

  @Test("an event without data is forwarded with an empty value, not as a tombstone")
  func noData() throws {
    let (_, records) = try forward(
      .structured(#"{"specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u"}"#))
    #expect(records.first?.value == [])
    var encoder = ForwardEncoder()
    var decoder = try EventDecoder()
    let hasStart = RecordFixture.binary(data: "").withInput { input in
      guard case .event(let event) = decoder.decode(input) else { return false }
      encoder.begin(event, at: RecordPosition(topic: .empty, partition: 0, offset: 0), appended: 0)
      return encoder.record(for: event.recipient(at: 0)).value?.start != nil
    }
    #expect(hasStart)
  }

  @Test("an event that is forwarded again keeps its first origin and does not grow")
  func forwardedTwice() throws {
    let (_, once) = try forward(.binary(["custom": "x"]))
    var first = try #require(once.first)
    first.headers = first.headers.map { header in
      header.name == Array("tidings-origin-offset".utf8) ? (header.name, Array("5".utf8)) : header
    }
    let (_, twice) = try forward(first)
    let second = try #require(twice.first)
    #expect(second.header("tidings-origin-offset") == "5")
    #expect(second.headers.map(\.name) == first.headers.map(\.name))
  }

  @Test("hundreds of unknown extensions are carried on")
  func manyExtensions() throws {
    var attributes: [String: String?] = [:]
    for number in 0..<300 { attributes["ext\(number)"] = "value \(number)" }
    let (event, records) = try forward(.binary(attributes))
    #expect(event.extensions.count == 300)
    var decoder = try EventDecoder()
    let copy = try decoder.snapshot(try #require(records.first))
    #expect(copy == event)
  }

  @Test("a record at the limit of the contract fits the limit of routed when it was forwarded")
  func limits() throws {
    let room =
      EventLimits().maxRecordBytes
      - RecordFixture.binary(["tenant": "acme"], data: "\"\"").withInput { $0.byteCount }
    let fixture = RecordFixture.binary(
      ["tenant": "acme"], data: "\"" + String(repeating: "x", count: room) + "\"")
    let (event, records) = try forward(fixture)
    var decoder = try EventDecoder(limits: EventLimits().forwarded)
    let copy = try decoder.snapshot(try #require(records.first))
    #expect(copy == event)
  }
}
