/// A context attribute that Tidings reads: those of CloudEvents 1.0 and its own extensions.
@usableFromInline
struct EventAttribute: Equatable {
  /// Its number among them.
  @usableFromInline let place: Int

  @inlinable init(place: Int) { self.place = place }

  @inlinable static var specversion: EventAttribute { EventAttribute(place: 0) }
  @inlinable static var id: EventAttribute { EventAttribute(place: 1) }
  @inlinable static var source: EventAttribute { EventAttribute(place: 2) }
  @inlinable static var type: EventAttribute { EventAttribute(place: 3) }
  @inlinable static var subject: EventAttribute { EventAttribute(place: 4) }
  @inlinable static var time: EventAttribute { EventAttribute(place: 5) }
  @inlinable static var datacontenttype: EventAttribute { EventAttribute(place: 6) }
  @inlinable static var dataschema: EventAttribute { EventAttribute(place: 7) }
  @inlinable static var tenant: EventAttribute { EventAttribute(place: 8) }
  @inlinable static var recipient: EventAttribute { EventAttribute(place: 9) }
  @inlinable static var recipients: EventAttribute { EventAttribute(place: 10) }
  @inlinable static var audience: EventAttribute { EventAttribute(place: 11) }
  @inlinable static var actor: EventAttribute { EventAttribute(place: 12) }
  @inlinable static var category: EventAttribute { EventAttribute(place: 13) }
  @inlinable static var priority: EventAttribute { EventAttribute(place: 14) }
  @inlinable static var expirytime: EventAttribute { EventAttribute(place: 15) }
  @inlinable static var collapsekey: EventAttribute { EventAttribute(place: 16) }
  @inlinable static var retracts: EventAttribute { EventAttribute(place: 17) }
  @inlinable static var traceparent: EventAttribute { EventAttribute(place: 18) }
  @inlinable static var tracestate: EventAttribute { EventAttribute(place: 19) }

  /// How many there are.
  static var count: Int { 20 }

  /// The names by their places, each in 16 bytes: as many as are compared at once.
  private static var names: StaticString {
    """
    specversion     id              source          type            \
    subject         time            datacontenttype dataschema      \
    tenant          recipient       recipients      audience        \
    actor           category        priority        expirytime      \
    collapsekey     retracts        traceparent     tracestate      \

    """
  }

  /// The name in structured mode; in binary mode with `ce_` before it.
  var name: String {
    let row = UnsafeBufferPointer(start: Self.names.utf8Start + place * 16, count: 16)
    return String(decoding: row.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
  }

  /// The attribute of that name; nil for an extension that Tidings does not know.
  @inline(__always)
  init?(name: ByteView) {
    guard let start = name.start else { return nil }
    switch (name.count, name.count > 2 ? start[2] : 0) {
    case (2, _): self = .id
    case (4, UInt8(ascii: "p")): self = .type
    case (4, UInt8(ascii: "m")): self = .time
    case (5, _): self = .actor
    case (6, UInt8(ascii: "u")): self = .source
    case (6, UInt8(ascii: "n")): self = .tenant
    case (7, _): self = .subject
    case (8, UInt8(ascii: "t")): self = start[0] == UInt8(ascii: "c") ? .category : .retracts
    case (8, UInt8(ascii: "i")): self = .priority
    case (8, UInt8(ascii: "d")): self = .audience
    case (9, _): self = .recipient
    case (10, UInt8(ascii: "c")): self = .recipients
    case (10, UInt8(ascii: "t")): self = .dataschema
    case (10, UInt8(ascii: "p")): self = .expirytime
    case (10, UInt8(ascii: "a")): self = .tracestate
    case (11, UInt8(ascii: "e")): self = .specversion
    case (11, UInt8(ascii: "l")): self = .collapsekey
    case (11, UInt8(ascii: "a")): self = .traceparent
    case (15, _): self = .datacontenttype
    default: return nil
    }
    guard isNamed(UnsafeRawPointer(start), name.count) else { return nil }
  }

  /// Whether the name is the first `count` bytes of a text, of which there are 2 or 4 to 16.
  @inline(__always)
  private func isNamed(_ text: UnsafeRawPointer, _ count: Int) -> Bool {
    let name = UnsafeRawPointer(Self.names.utf8Start) + place &* 16
    // The second word overlaps the first one.
    if count >= 8 {
      return Self.word(text, UInt64.self) == Self.word(name, UInt64.self)
        && Self.word(text + (count &- 8), UInt64.self) == Self.word(name + (count &- 8), UInt64.self)
    }
    if count >= 4 {
      return Self.word(text, UInt32.self) == Self.word(name, UInt32.self)
        && Self.word(text + (count &- 4), UInt32.self) == Self.word(name + (count &- 4), UInt32.self)
    }
    return Self.word(text, UInt16.self) == Self.word(name, UInt16.self)
  }

  @inline(__always)
  private static func word<Word: FixedWidthInteger & BitwiseCopyable>(
    _ address: UnsafeRawPointer, _ type: Word.Type
  ) -> Word {
    address.loadUnaligned(as: type)
  }

  /// Whether CloudEvents itself defines the attribute, as a string: JSON numbers and truth values are refused then.
  var isCore: Bool { place <= EventAttribute.dataschema.place }
}
