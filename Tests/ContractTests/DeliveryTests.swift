import Contract
import Foundation
import Testing

@Suite struct DeliveryTests {
  private static var head: DeliveryHead {
    DeliveryHead(
      id: Hash128(high: 1, low: 2), timeMilliseconds: 1_772_353_800_500, tenant: ByteView("acme"),
      recipient: ByteView("u\"1"), channel: .email, kind: .digest, category: ByteView("orders"),
      type: ByteView("order.paid"), priority: .critical, title: ByteView("{{actor}}: {{data.t}}"),
      catalog: 0xABCD,
      totalEvents: 12, totalActors: 3)
  }

  private static let minimal = #""specversion":"1.0","id":"1","source":"s","type":"t","recipient":"u""#

  /// The item that a window would keep of an event.
  private func item(_ json: String, maxDataBytes: Int = 1000) throws -> String {
    var decoder = try EventDecoder()
    var buffer = OutputBuffer()
    return try RecordFixture.structured(json).withInput { input in
      switch decoder.decode(input) {
      case .rejected(let rejection): throw rejection
      case .event(let event):
        buffer.append(deliveryItem: event, acceptedAtMilliseconds: 1_000, maxDataBytes: maxDataBytes)
        return buffer.view.string
      }
    }
  }

  @Test("an item of another type has its own templates; the others have the delivery's")
  func templates() throws {
    var decoder = try EventDecoder()
    var buffer = OutputBuffer()
    var head = Self.head
    head.link = ByteView("{{data.url}}")
    RecordFixture.structured("{\(Self.minimal)}").withInput { input in
      guard case .event(let event) = decoder.decode(input) else { return }
      buffer.append(
        deliveryItem: event, acceptedAtMilliseconds: 1, maxDataBytes: 9,
        templates: (ByteView("{{id}} is \"due\""), .empty))
    }
    let delivery = try decode(written(head, [buffer.view.string, try item("{\(Self.minimal)}")]))
    #expect(delivery.items.map(\.title) == ["{{id}} is \"due\"", "{{actor}}: {{data.t}}"])
    #expect(delivery.items.map(\.link) == [nil, "{{data.url}}"])
  }

  private func written(_ head: DeliveryHead, _ items: [String]) -> String {
    var buffer = OutputBuffer()
    items.joined(separator: ",").withByteView { buffer.append(delivery: head, items: $0) }
    return buffer.view.string
  }

  private func decode(_ json: String) throws -> Delivery {
    var decoder = try DeliveryDecoder()
    return try json.withByteView { view throws(Rejection) in try decoder.decode(view) }
  }

  @Test("a digest is read as it was written")
  func digest() throws {
    var head = Self.head
    head.address = ByteView("a@example.org")
    head.locale = ByteView("de")
    head.timeZone = ByteView("Europe/Berlin")
    head.link = ByteView("{{data.url}}")
    head.digestTitle = ByteView("{{count}} orders")
    head.recipientRecord = 42
    head.window = .init(id: Hash128(high: 3, low: 4), openedMilliseconds: 1_000, dueMilliseconds: 6_000)
    head.traceparent = ByteView("00-a-b-01")
    head.tracestate = ByteView("x=y")
    let items = [
      try item(EventDecoderTests.full), try item("{\(Self.minimal)}"),
      try item("{\(Self.minimal),\"datacontenttype\":\"text/plain\",\"data\":\"a\\nb\"}"),
      try item("{\(Self.minimal),\"datacontenttype\":\"x/y\",\"data_base64\":\"AP8=\"}"),
      try item("{\(Self.minimal),\"data\":[1,2,3]}", maxDataBytes: 6),
    ]
    let delivery = try decode(written(head, items))
    #expect(delivery.id == "00000000000000010000000000000002")
    #expect(delivery.timeMilliseconds == 1_772_353_800_500)
    #expect(delivery.recipientKey == "acme/u\"1")
    #expect(delivery.channel == .email && delivery.kind == .digest && delivery.priority == .critical)
    #expect(delivery.category == "orders" && delivery.type == "order.paid")
    #expect(
      delivery.address == "a@example.org" && delivery.locale == "de" && delivery.timeZone == "Europe/Berlin")
    #expect(delivery.title == "{{actor}}: {{data.t}}" && delivery.link == "{{data.url}}")
    #expect(delivery.digestTitle == "{{count}} orders")
    #expect(delivery.catalog == "000000000000abcd" && delivery.recipientRecord == 42)
    #expect(delivery.window?.id == "00000000000000030000000000000004")
    #expect(delivery.window?.openedMilliseconds == 1_000 && delivery.window?.dueMilliseconds == 6_000)
    #expect(delivery.totalEvents == 12 && delivery.totalActors == 3)
    #expect(delivery.traceparent == "00-a-b-01" && delivery.tracestate == "x=y")
    #expect(delivery.items.map(\.id) == ["eé\n1", "1", "1", "1", "1"])
    #expect(delivery.items.map(\.isDataOmitted) == [false, false, false, false, true])
    #expect(delivery.items[0].actor == "u9" && delivery.items[0].subject == "order/7")
    #expect(delivery.items[0].data?["t"] == .string("😀"))
    #expect(delivery.items[0].data?["n"]?.text == "123456789012345678901234567890")
    #expect(delivery.items[1].data == nil && delivery.items[1].acceptedAtMilliseconds == 1_000)
    #expect(delivery.items[2].data == .string("a\nb") && delivery.items[2].dataContentType == "text/plain")
    #expect(delivery.items[3].dataBase64 == "AP8=" && delivery.items[3].data == nil)
    // The category of one of several is for those alone who know no others.
    head.hasSeveralCategories = true
    #expect(written(head, items).contains(#""category":"orders","severalCategories":true,"#))
    #expect(try decode(written(head, items)).category == nil)
  }

  @Test("a single delivery without what is optional is a CloudEvent that Foundation reads")
  func single() throws {
    var head = Self.head
    head.kind = .single
    head.channel = .inapp
    let text = written(head, [try item("{\(Self.minimal)}")])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["specversion"] as? String == "1.0")
    #expect(object["type"] as? String == "tidings.delivery.v1")
    #expect(object["source"] as? String == "tidings")
    #expect(object["subject"] as? String == "u\"1")
    #expect(object["time"] as? String == "2026-03-01T08:30:00.500Z")
    let data = try #require(object["data"] as? [String: Any])
    #expect(data["address"] is NSNull)
    #expect(data["recipientRecord"] is NSNull)
    #expect(data["window"] == nil)
    let delivery = try decode(text)
    #expect(
      delivery.address == nil && delivery.window == nil && delivery.link == nil && delivery.kind == .single)
  }

  @Test("data at the deepest level that an event may have can be read in a delivery")
  func depth() throws {
    let depth = EventLimits().maxDepth
    let data = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    let delivery = try decode(written(Self.head, [try item("{\(Self.minimal),\"data\":\(data)}")]))
    #expect(delivery.items.count == 1)
  }

  @Test(
    "a record that is no delivery is refused with the field that is wrong",
    arguments: [
      ("\"specversion\":\"1.0\"", "\"specversion\":\"2.0\"", "specversion"),
      ("tidings.delivery.v1", "tidings.delivery.v9", "v9"), ("\"id\":\"0", "\"ID\":\"0", "id"),
      ("\"channel\":\"email\"", "\"channel\":\"sms\"", "channel"),
      ("\"kind\":\"digest\"", "\"kind\":1", "kind"),
      ("2026-03-01T", "2026-03-41T", "time"), ("\"items\":[{", "\"items\":[1,{", "items"),
      ("\"items\":[", "\"entries\":[", "items"), ("\"totals\":{", "\"sums\":{", "totals"),
      ("\"events\":12", "\"events\":1.5", "events"),
      ("\"data\":{\"tenant\"", "\"data\":7,\"x\":{\"tenant\"", "data"),
      ("]}}", "]}", "not JSON"),
    ])
  func refused(text: String, replacement: String, names: String) throws {
    let valid = written(Self.head, [try item("{\(Self.minimal)}")])
    _ = try decode(valid)
    let broken = valid.replacingOccurrences(of: text, with: replacement)
    try #require(broken != valid)
    do {
      _ = try decode(broken)
      Issue.record("accepted \(broken)")
    } catch let rejection as Rejection {
      #expect(rejection.detail.contains(names), "\(rejection)")
    }
  }

  @Test("a tombstone and a single delivery without its item are refused")
  func nothing() throws {
    var decoder = try DeliveryDecoder()
    #expect(throws: Rejection.self) { try decoder.decode(nil) }
    let digest = written(Self.head, [])
    let single = digest.replacingOccurrences(of: "\"kind\":\"digest\"", with: "\"kind\":\"single\"")
    #expect(single != digest)
    #expect(throws: Rejection.self) { try decode(single) }
  }

  @Test("a digest whose first items had all expired has its totals, and no items")
  func digestWithoutItems() throws {
    let delivery = try decode(written(Self.head, []))
    #expect(delivery.kind == .digest)
    #expect(delivery.items.isEmpty && delivery.totalEvents == Self.head.totalEvents)
  }
}
