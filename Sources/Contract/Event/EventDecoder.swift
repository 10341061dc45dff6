/// Reads records of the events topics: CloudEvents 1.0 in both content modes of the Kafka binding.
///
/// Whatever a record holds, the answer is an event or a rejection. The decoder owns the memory that it works in, so
/// that steady use does not allocate; an event is valid until the next `decode`. Not thread-safe.
///
/// Source: CloudEvents 1.0.2, its Kafka protocol binding and its JSON event format.
public struct EventDecoder: ~Copyable {
  /// The bounds that records have to keep.
  public let limits: EventLimits
  var parser: JSONParser
  /// Holds unescaped and base64-decoded text; its room is made before the first view into it.
  var scratch: OutputBuffer
  /// The known attributes of the event at hand by their places; empty where it has none.
  let texts: UnsafeMutablePointer<ByteView>
  /// Which attributes the event at hand has: a bit for each, by its place.
  var present: UInt32 = 0
  /// The rest of the event at hand.
  let fields: UnsafeMutablePointer<EventFields>
  var recipients: RecipientList
  /// The extensions of the event at hand that are not known here.
  var extensions = HeaderList()
  /// Whether `category` may be all of them, as what recipients did can be about.
  var allowsEveryCategory = false

  /// A decoder with those limits.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(limits: EventLimits = EventLimits()) throws(JSONError) {
    self.limits = limits
    // In structured mode the event itself is one level around the data.
    self.parser = try JSONParser(maxDepth: limits.maxDepth + 1)
    self.scratch = OutputBuffer(capacity: 4096)
    self.texts = .allocate(capacity: EventAttribute.count)
    self.texts.initialize(repeating: .empty, count: EventAttribute.count)
    self.fields = .allocate(capacity: 1)
    self.fields.initialize(to: EventFields())
    self.recipients = RecipientList(limit: limits.maxRecipients)
  }

  deinit {
    texts.deallocate()
    fields.deallocate()
  }

  /// Decodes a record in the content mode that its headers say.
  ///
  /// - Parameter onIdentity: called before the data are looked at, where headers alone name the notification: who looks it
  ///   up can ask for that memory meanwhile. If there is an event at all, it has that identity.
  public mutating func decode(
    _ record: InputRecord, onIdentity: (EventIdentity) -> Void = { _ in }
  ) -> DecodedEvent {
    decode(record, prefersBinary: false, onIdentity)
  }

  /// Decodes a record that was forwarded, in binary mode whatever media type its data has.
  ///
  /// Older versions wrote the media type into `content-type` even where it says structured mode, as that of an event
  /// whose data is a CloudEvent does. What the data says is then none of this record's.
  ///
  /// - Parameter onIdentity: as in `decode(_:onIdentity:)`.
  public mutating func decode(
    forwarded record: InputRecord, onIdentity: (EventIdentity) -> Void = { _ in }
  ) -> DecodedEvent {
    decode(record, prefersBinary: true, onIdentity)
  }

  @inline(__always)
  private mutating func decode(
    _ record: InputRecord, prefersBinary: Bool, _ onIdentity: (EventIdentity) -> Void
  ) -> DecodedEvent {
    do throws(Rejection) {
      let size = record.byteCount
      guard size <= limits.maxRecordBytes else {
        throw Rejection(
          .recordTooLarge, "The record has \(size) bytes, and at most \(limits.maxRecordBytes) are allowed.")
      }
      guard let value = record.value else {
        throw Rejection(.tombstone, "The record has no value. An event without data has an empty value.")
      }
      prepare(for: size)
      let contentType = EventDecoder.contentType(of: record)
      if EventDecoder.isStructured(contentType), !prefersBinary || !EventDecoder.hasAttributes(record) {
        try readStructured(value)
        readOrigin(record)
      } else {
        try readBinary(record, value: value, contentType: contentType, onIdentity)
      }
      return .event(try event())
    } catch {
      return .rejected(error)
    }
  }

  /// Decodes the value of a record in structured mode: a CloudEvent as JSON, such as a line of NDJSON.
  public mutating func decode(structured json: ByteView) -> DecodedEvent {
    do throws(Rejection) {
      guard json.count <= limits.maxRecordBytes else {
        throw Rejection(
          .recordTooLarge,
          "The event has \(json.count) bytes, and at most \(limits.maxRecordBytes) are allowed.")
      }
      prepare(for: json.count)
      try readStructured(json)
      return .event(try event())
    } catch {
      return .rejected(error)
    }
  }

  private mutating func prepare(for size: Int) {
    scratch.removeAll()
    // Unescaped text is never longer than what it was made from; base64 may be unescaped first and then decoded.
    scratch.reserve(size * 2)
    texts.update(repeating: .empty, count: EventAttribute.count)
    present = 0
    fields.pointee = EventFields()
    recipients.removeAll()
    extensions.removeAll()
  }

  mutating func append(extension name: ByteView, _ value: ByteView) throws(Rejection) {
    guard value.count <= limits.maxAttributeBytes else { throw excess(of: name.excerpt(), value) }
    extensions.append(HeaderView(name: name, value: value))
  }

  /// Whether the event at hand has the attribute, be it empty.
  @inline(__always)
  func has(_ attribute: EventAttribute) -> Bool { present & attribute.bit != 0 }

  /// Notes a known attribute.
  @inline(__always)
  mutating func set(_ attribute: EventAttribute, _ value: ByteView) throws(Rejection) {
    guard !has(attribute), value.count <= limits.maxAttributeBytes || attribute == .recipients else {
      throw refusal(of: attribute, value)
    }
    note(attribute, value)
  }

  /// Notes a known attribute in place of what was noted before.
  @inline(__always)
  mutating func note(_ attribute: EventAttribute, _ value: ByteView) {
    present |= attribute.bit
    texts[attribute.place] = value
  }

  @inline(never)
  private mutating func refusal(of attribute: EventAttribute, _ value: ByteView) -> Rejection {
    if has(attribute) { return Rejection(.duplicateAttribute, "\"\(attribute.name)\" is given twice.") }
    return excess(of: attribute.name, value)
  }

  @inline(never)
  func excess(of name: String, _ value: ByteView) -> Rejection {
    Rejection(
      .attributeTooLong,
      "\"\(name)\" has \(value.count) bytes, and at most \(limits.maxAttributeBytes) are allowed.")
  }
}

extension EventAttribute {
  /// Its bit in a set of attributes.
  @inline(__always)
  fileprivate var bit: UInt32 { 1 &<< UInt32(truncatingIfNeeded: place) }
}
