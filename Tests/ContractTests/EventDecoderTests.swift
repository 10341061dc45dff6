import Contract
import Testing

@Suite struct EventDecoderTests {
  static let full = """
    {"specversion":"1.0","id":"e\\u00e9\\n1","source":"/shop","type":"order.paid","time":"2026-03-01T09:30:00.5+01:00",
     "subject":"order/7","datacontenttype":"application/json","dataschema":"urn:x","tenant":"acme","actor":"u9",
     "category":"orders","priority":"critical","expirytime":"2026-03-02T00:00:00Z","collapsekey":"k","retracts":"e0",
     "traceparent":"00-1-2-00","tracestate":"a=b","recipients":"u1,u2,u1","team":"north","size":12,"gift":true,
     "nothing":null,"data": {"n": 123456789012345678901234567890, "t": "\\ud83d\\ude00", "e": 1e999} }
    """

  @Test("structured mode gives every attribute, and the data as it stands in the text")
  func structured() throws {
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(.structured(Self.full))
    #expect(
      event.fields == [
        "id": "eé\n1", "source": "/shop", "type": "order.paid", "time": "2026-03-01T09:30:00.5+01:00",
        "subject": "order/7", "datacontenttype": "application/json", "dataschema": "urn:x", "tenant": "acme",
        "actor": "u9", "category": "orders", "expirytime": "2026-03-02T00:00:00Z", "collapsekey": "k",
        "retracts": "e0", "traceparent": "00-1-2-00", "tracestate": "a=b",
      ])
    #expect(event.recipients == ["u1", "u2"])
    #expect(event.extensions == ["team": "north", "size": "12", "gift": "true"])
    #expect(event.priority == .critical)
    #expect(event.timeMilliseconds == 1_772_353_800_500)
    #expect(event.expiryMilliseconds == 1_772_409_600_000)
    #expect(event.dataKind == .json)
    let data = #"{"n": 123456789012345678901234567890, "t": "\ud83d\ude00", "e": 1e999}"#
    #expect(String(decoding: event.data, as: UTF8.self) == data)
  }

  @Test("binary mode takes attributes from the headers and the value as data")
  func binary() throws {
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(
      .binary(
        ["tenant": "acme", "time": "2026-03-01T09:30:00Z", "custom": "x", "Bad_Name": "y"], data: " [1] "))
    #expect(
      event.fields == [
        "id": "e1", "source": "/shop", "type": "order.paid", "tenant": "acme", "time": "2026-03-01T09:30:00Z",
        "datacontenttype": "application/json",
      ])
    #expect(event.recipients == ["u1"])
    #expect(event.extensions == ["custom": "x"])
    #expect(event.data == Array(" [1] ".utf8))
    #expect(event.priority == nil)
  }

  @Test(
    "the content mode follows the content-type in any case and with parameters",
    arguments: [
      "application/cloudevents+json", "Application/CloudEvents+JSON; charset=UTF-8",
      " application/cloudevents+json",
    ])
  func contentMode(contentType: String) throws {
    var decoder = try EventDecoder()
    let json = #"{"specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u"}"#
    let fixture = RecordFixture(value: Array(json.utf8), headers: [("Content-Type", contentType)])
    let event = try decoder.snapshot(fixture)
    #expect(event.recipients == ["u"])
  }

  @Test("an event names the tenant default when it names none")
  func defaultTenant() throws {
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(.binary())
    #expect(event.fields["tenant"] == "default")
  }

  @Test("integers and truth values of extensions are read as their text in structured mode")
  func typedExtensions() throws {
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(
      .structured(#"{"specversion":"1.0","id":"1","source":"s","type":"t","recipient":42,"actor":true}"#))
    #expect(event.recipients == ["42"])
    #expect(event.fields["actor"] == "true")
  }

  @Test(
    "data is what media type and content say",
    arguments: [
      ("application/json" as String?, "{}", EventView.DataKind.json), (nil, "[]", .json),
      ("application/x+json", "1", .json),
      ("text/plain", "hallo", .text), ("text/plain; charset=\"utf-8\"", "ü", .text),
      ("text/plain; charset=iso-8859-1", "u", .binary), ("application/xml", "<a/>", .text),
      ("image/png", "x", .binary), ("application/json", "", .none), ("text/json;charset=utf-8", "1", .json),
    ])
  func dataKinds(contentType: String?, data: String, kind: EventView.DataKind) throws {
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(.binary(data: data, contentType: contentType))
    #expect(event.dataKind == kind)
    #expect(event.data == Array(data.utf8))
  }

  @Test("text that is not UTF-8 is binary data")
  func notQuiteText() throws {
    var decoder = try EventDecoder()
    var fixture = RecordFixture.binary(contentType: "text/plain")
    fixture.value = [0x68, 0xFF]
    let event = try decoder.snapshot(fixture)
    #expect(event.dataKind == .binary)
  }

  @Test(
    "structured data may be a string of text or base64",
    arguments: [
      (#""datacontenttype":"text/plain","data":"a\nb""#, EventView.DataKind.text, "a\nb"),
      (#""datacontenttype":"image/png","data_base64":"aGk=""#, .binary, "hi"),
      (#""datacontenttype":"text/plain","data_base64":"aGk=""#, .text, "hi"),
      (#""data_base64":"e30=""#, .json, "{}"), (#""data":"x""#, .json, #""x""#),
      (#""data":null"#, .json, "null"),
      (#""datacontenttype":"text/plain","data":null"#, .none, ""), (#""data_base64":"""#, .none, ""),
      (#""data_base64":"IlwvIg==""#, .json, #""\/""#), (#""data_base64":"\u0065\u00330=""#, .json, "{}"),
    ])
  func structuredData(member: String, kind: EventView.DataKind, data: String) throws {
    var decoder = try EventDecoder()
    let json = #"{"specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u","# + member + "}"
    let event = try decoder.snapshot(.structured(json))
    #expect(event.dataKind == kind)
    #expect(String(decoding: event.data, as: UTF8.self) == data)
  }

  @Test("a thousand recipients are read, each once, in their order")
  func manyRecipients() throws {
    var decoder = try EventDecoder()
    let names = (0..<1000).map { "u\($0 % 400)" }
    let event = try decoder.snapshot(.binary(["recipient": nil, "recipients": names.joined(separator: ",")]))
    #expect(event.recipients == (0..<400).map { "u\($0)" })
  }

  @Test("recipients are taken exactly as they stand: spaces belong to them")
  func exactRecipients() throws {
    var decoder = try EventDecoder()
    let list = try decoder.snapshot(.binary(["recipient": nil, "recipients": "a, a"]))
    #expect(list.recipients == ["a", " a"])
    let single = try decoder.snapshot(.binary(["recipient": "a,b"]))
    #expect(single.recipients == ["a,b"])
  }

  @Test("an optional attribute that is empty counts as absent")
  func emptyOptional() throws {
    var decoder = try EventDecoder()
    let event = try decoder.snapshot(.binary(["subject": "", "actor": "", "collapsekey": ""]))
    let plain = try decoder.snapshot(.binary())
    #expect(event == plain)
  }

  @Test("a forwarded record tells where it was read first")
  func origin() throws {
    var decoder = try EventDecoder()
    var fixture = RecordFixture.binary()
    for (name, value) in [
      ("topic", "team.events"), ("partition", "3"), ("offset", "77"), ("timestamp", "1700000000123"),
    ] {
      fixture.headers.append((Array("tidings-origin-\(name)".utf8), Array(value.utf8)))
    }
    fixture.withInput { record in
      guard case .event(let event) = decoder.decode(record) else {
        Issue.record("rejected")
        return
      }
      #expect(event.origin?.topic.string == "team.events")
      #expect(event.origin?.partition == 3)
      #expect(event.origin?.offset == 77)
      #expect(event.originAppendedMilliseconds == 1_700_000_000_123)
    }
  }
}
