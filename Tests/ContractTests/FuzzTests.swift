import Contract
import SeededTesting
import Testing

@Suite struct FuzzTests {
  private static let rounds = 20_000

  /// Changes a few bytes: flips, inserts, removes, repeats or cuts.
  private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let index = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0...6, using: &random) {
      case 0 where !bytes.isEmpty: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1 where !bytes.isEmpty: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
      case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
      case 3:
        bytes.insert(contentsOf: Array("\\\"{}[],:/\u{0}".utf8).shuffled(using: &random).prefix(2), at: index)
      case 4 where !bytes.isEmpty: bytes.remove(at: index)
      case 5: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 20)], at: index)
      default: if Int.random(in: 0...3, using: &random) == 0 { bytes.removeSubrange(index...) }
      }
    }
    return bytes
  }

  /// What holds for every event, whatever the record was.
  private func check(_ event: EventView, _ context: String) {
    #expect(
      !event.id.isEmpty && !event.source.isEmpty && !event.type.isEmpty && !event.tenant.isEmpty, "\(context)"
    )
    #expect(event.recipientCount > 0, "\(context)")
    let names = event.recipients.map(\.string)
    #expect(Set(names).count == names.count, "\(context)")
    for text in [event.id, event.source, event.type, event.tenant, event.subject, event.actor]
      + event.recipients
    {
      #expect(text.isUTF8, "\(context)")
    }
    #expect(
      !event.tenant.string.contains("/") && !names.contains { $0.contains("/") || $0.isEmpty }, "\(context)")
  }

  /// An event can be forwarded, read again and delivered, and none of it changes the event.
  private func followThrough(_ event: EventView, _ context: String) throws {
    var encoder = ForwardEncoder()
    encoder.begin(event, at: RecordPosition(topic: ByteView("t"), partition: 0, offset: 0), appended: 0)
    var second = try EventDecoder(limits: EventLimits().forwarded)
    var expected = EventSnapshot(event)
    let copy = try second.snapshot(RecordFixture(encoder.record(for: event.recipient(at: 0))))
    expected.recipients = [event.recipient(at: 0).string]
    #expect(copy == expected, "\(context)")
    var item = OutputBuffer()
    item.append(deliveryItem: event, acceptedAtMilliseconds: 0, maxDataBytes: 1 << 20)
    var delivery = OutputBuffer()
    delivery.append(
      delivery: DeliveryHead(
        id: Hash128(high: 0, low: 0), timeMilliseconds: 0, tenant: event.tenant,
        recipient: event.recipient(at: 0),
        channel: .email, kind: .single, category: event.category, type: event.type, priority: .normal,
        title: event.type, catalog: 0, totalEvents: 1, totalActors: 1), items: item.view)
    var reader = try DeliveryDecoder()
    let read = try reader.decode(delivery.view)
    #expect(read.items.first?.id == event.id.string, "\(context)")
  }

  private func run(
    _ original: RecordFixture, seed: UInt64, _ change: (RecordFixture, inout SeededGenerator) -> RecordFixture
  )
    throws
  {
    var random = SeededGenerator(seed: seed)
    var decoder = try EventDecoder()
    var reasons: [RejectionReason: Int] = [:]
    var events = 0
    for round in 0..<Self.rounds {
      let fixture = change(original, &random)
      try fixture.withInput { input in
        switch decoder.decode(input) {
        case .event(let event):
          events += 1
          check(event, "\(random), round \(round)")
          if round % 10 == 0 { try followThrough(event, "\(random), round \(round)") }
        case .rejected(let rejection):
          reasons[rejection.reason, default: 0] += 1
          #expect(!rejection.detail.isEmpty && rejection.detail.utf8.count < 500)
        }
      }
    }
    #expect(events > Self.rounds / 100, "\(random): mutations leave enough events: \(events)")
    #expect(reasons.count >= 5, "\(random): mutations reach several reasons: \(reasons)")
  }

  @Test(
    "mutated records in structured mode are events or rejections, and nothing crashes", arguments: [1, 2, 3])
  func structured(seed: UInt64) throws {
    try run(.structured(EventDecoderTests.full), seed: seed) { original, random in
      var fixture = original
      fixture.value = mutate(original.value ?? [], &random)
      return fixture
    }
  }

  @Test("mutated records in binary mode are events or rejections, and nothing crashes", arguments: [4, 5, 6])
  func binary(seed: UInt64) throws {
    let original = RecordFixture.binary([
      "tenant": "acmé", "recipient": nil, "recipients": "a,b,c", "time": "2026-03-01T09:30:00Z",
      "actor": "u9",
      "priority": "critical", "expirytime": "2026-03-01T09:30:00Z", "subject": "x", "custom": "y",
    ])
    try run(original, seed: seed) { original, random in
      var fixture = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        switch Int.random(in: 0...5, using: &random) {
        case 0: fixture.value = mutate(fixture.value ?? [], &random)
        case 1: fixture.headers.remove(at: Int.random(in: 0..<fixture.headers.count, using: &random))
        case 2:
          fixture.headers.append(fixture.headers[Int.random(in: 0..<fixture.headers.count, using: &random)])
        case 3:
          let index = Int.random(in: 0..<fixture.headers.count, using: &random)
          fixture.headers[index].name = mutate(fixture.headers[index].name, &random)
        default:
          let index = Int.random(in: 0..<fixture.headers.count, using: &random)
          fixture.headers[index].value = mutate(fixture.headers[index].value ?? [], &random)
        }
      }
      if Int.random(in: 0...200, using: &random) == 0 { fixture.value = nil }
      return fixture
    }
  }

  @Test("mutated deliveries and recipient records are read or refused, and nothing crashes")
  func readers() throws {
    var random = SeededGenerator(seed: 7)
    var deliveries = try DeliveryDecoder()
    var recipients = try RecipientDecoder()
    var buffer = OutputBuffer()
    buffer.append(
      recipient: RecipientRecord(email: "a@b", locale: "de", optOut: [.init(category: "x", channel: .email)]))
    let recipient = Array(buffer.view.buffer)
    var delivery = OutputBuffer()
    delivery.append(
      delivery: DeliveryHead(
        id: Hash128(high: 0, low: 0), timeMilliseconds: 0, tenant: ByteView("t"), recipient: ByteView("u"),
        channel: .email, kind: .digest, category: ByteView("c"), type: ByteView("t"), priority: .normal,
        title: ByteView("x"), catalog: 0, totalEvents: 1, totalActors: 1),
      items: ByteView(
        "{\"source\":\"s\",\"id\":\"1\",\"type\":\"t\",\"acceptedAt\":\"2026-03-01T09:30:00Z\",\"data\":{}}"))
    let digest = Array(delivery.view.buffer)
    var read = 0
    var refused = 0
    for _ in 0..<Self.rounds {
      let first = mutate(recipient, &random)
      let second = mutate(digest, &random)
      first.withUnsafeBytes { raw in
        do throws(Rejection) { read += try recipients.decode(ByteView(raw)) == nil ? 0 : 1 } catch {
          refused += 1
        }
      }
      second.withUnsafeBytes { raw in
        do throws(Rejection) { read += try deliveries.decode(ByteView(raw)).items.count > 0 ? 1 : 0 } catch {
          refused += 1
        }
      }
    }
    #expect(read > 1_000 && refused > 1_000, "\(random)")
  }
}
