import Contract
import Testing

@testable import Pipeline
@testable import Policy

/// The bytes of windows with options: rules in their heads, ranks and single deliveries in their members, items that were
/// let go of.
@Suite struct WindowFormatTests {
  private static let catalog = """
    types:
      card.moved:
        category: cards
        title: moved
        link: /cards
        channels:
          email: { policy: digest, window: 10s, sliding: true, maxWindow: 1m, maxItems: 9, key: [subject],
                   items: { top: 1, by: /n } }
      card.due:
        category: due
        title: due
        channels:
          email: { policy: digest, window: 10s, minItems: 3, fewer: single, items: { last: 2 } }
          inapp: { policy: digest, window: 2s, minItems: 3, fewer: hold }
    """

  private func fixture() throws -> Fixture {
    try Fixture(catalog: Self.catalog)
  }

  private func log() throws -> Fixture {
    let fixture = try fixture()
    try fixture.apply(.recipient("ann", #"{"email":"ann@example.org"}"#))
    for (index, number) in [4, 7, 2, 5].enumerated() {
      var event = TestRecord.event(id: "m\(number)", extra: #","subject":"board/1""#)
      event.value = event.value?.replacing("\"n\":1", with: "\"n\":\(number)")
      try fixture.apply(event, now: Fixture.start + Int64(index) * 1000)
    }
    fixture.commit()
    for id in ["d1", "d2"] {
      try fixture.apply(
        .event(id: id, type: "card.due", extra: #","traceparent":"00-1-2-01""#), now: Fixture.start + 4000)
    }
    fixture.pipeline.tick(now: Fixture.start + 6000)
    fixture.commit()
    return fixture
  }

  @Test("windows with options are encoded today as the fixture of the version has them")
  func encoding() throws {
    let log = try log().log.map(changes)
    let kept = try StateFormatExample.fixture("state-v3-windows.hex").map(changes)
    #expect(log == kept)
  }

  /// The changes of a record: its header has a list of positions and one of counters, which grow.
  private func changes(_ record: [UInt8]) throws -> String {
    try record.withUnsafeBytes { bytes in
      StateFormatExample.hex(Array(try StateRecord.decode(ByteView(bytes)).changes.buffer))
    }
  }

  @Test("the length that a log says before a member is that of its bytes, whatever fields it has")
  func memberLength() {
    let lengths = [0, 1, 127, 128, 300, 16_383, 16_384]
    for fields in 0..<128 {
      for length in lengths {
        let text = String(repeating: "x", count: length)
        text.withByteView { text in
          var member = WindowMember(
            notification: Hash128(high: 1, low: 2), actor: fields & 1 == 0 ? 0 : 3,
            expiry: fields & 2 == 0 ? .max : 4, collapseKey: fields & 4 == 0 ? 0 : 5,
            skipIfSeen: fields & 8 == 0, fragment: text)
          member.rank = fields & 16 == 0 ? nil : 6
          member.isCritical = fields & 32 != 0
          member.isOfOtherCategory = fields & 64 != 0
          for alone in [ByteView.empty, text] {
            member.alone = alone
            var buffer = OutputBuffer()
            member.append(to: &buffer)
            #expect(member.byteCount == buffer.count, "fields \(fields), \(length) bytes")
            var reader = ByteReader(buffer.view)
            let read = WindowMember(&reader)
            #expect(read?.isCritical == member.isCritical && reader.isAtEnd)
            #expect(read?.isOfOtherCategory == member.isOfOtherCategory)
          }
        }
      }
    }
  }

  @Test("a window that is read from the bytes closes as it would have closed")
  func restoring() throws {
    let original = try log()
    let restored = try fixture()
    #expect(try restored.restore(StateFormatExample.fixture("state-v3-windows.hex")))
    for topic in InputTopic.allCases { restored.pipeline.begin(topic, at: 0) }
    #expect(restored.image() == original.image())
    #expect(restored.pipeline.openWindowCount == 3)
    // Six seconds after the first, with the window's ten from the last.
    #expect(restored.nextDue() == Fixture.start + 13_000)
    for record in [TestRecord.recipient("ann", #"{"email":"ann@example.org"}"#)] {
      try restored.apply(record, now: Fixture.start + 6000)
    }
    restored.pipeline.tick(now: Fixture.start + 15_000)
    let output = restored.output()
    #expect(output.contains { $0.contains("\"totals\":{\"events\":4,") && $0.contains("\"id\":\"m7\"") })
    for id in ["d1", "d2"] {
      #expect(output.contains { $0.contains("\"kind\":\"single\"") && $0.contains("\"id\":\"\(id)\"") })
    }
    // What is held waits for its next one.
    #expect(restored.pipeline.openWindowCount == 1)
    #expect(restored.counters.difference == 0)
  }
}
