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
  /// The known attributes of the event at hand by raw value; nil is absent.
  let attributes: UnsafeMutablePointer<ByteView?>
  var recipients: RecipientList
  /// Room for `extensionCapacity` unknown extensions.
  var extensions: UnsafeMutablePointer<HeaderView>
  var extensionCapacity: Int
  var extensionCount = 0
  var dataKind = EventView.DataKind.none
  var data = ByteView.empty
  var origin: RecordPosition?
  var originAppended: Int64?
  var followedAudience = ByteView.empty

  /// A decoder with those limits.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(limits: EventLimits = EventLimits()) throws(JSONError) {
    self.limits = limits
    // In structured mode the event itself is one level around the data.
    self.parser = try JSONParser(maxDepth: limits.maxDepth + 1)
    self.scratch = OutputBuffer(capacity: 4096)
    self.attributes = .allocate(capacity: EventAttribute.allCases.count)
    self.recipients = RecipientList(limit: limits.maxRecipients)
    self.extensionCapacity = 16
    self.extensions = .allocate(capacity: 16)
  }

  deinit {
    attributes.deallocate()
    extensions.deallocate()
  }

  /// Decodes a record in the content mode that its headers say.
  ///
  /// - Parameter onIdentity: called before the data are looked at, where headers alone name the notification: who looks it
  ///   up can ask for that memory meanwhile. If there is an event at all, it has that identity.
  public mutating func decode(
    _ record: InputRecord, onIdentity: (EventIdentity) -> Void = { _ in }
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
      if EventDecoder.isStructured(contentType) {
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
    attributes.initialize(repeating: nil, count: EventAttribute.allCases.count)
    recipients.removeAll()
    extensionCount = 0
    dataKind = .none
    data = .empty
    origin = nil
    originAppended = nil
    followedAudience = .empty
  }

  mutating func append(extension name: ByteView, _ value: ByteView) {
    if extensionCount == extensionCapacity {
      let grown = UnsafeMutablePointer<HeaderView>.allocate(capacity: extensionCapacity * 2)
      grown.moveInitialize(from: extensions, count: extensionCount)
      extensions.deallocate()
      extensions = grown
      extensionCapacity *= 2
    }
    (extensions + extensionCount).initialize(to: HeaderView(name: name, value: value))
    extensionCount += 1
  }

  /// Notes a known attribute.
  mutating func set(_ attribute: EventAttribute, _ value: ByteView) throws(Rejection) {
    guard attributes[attribute.rawValue] == nil else {
      throw Rejection(.duplicateAttribute, "\"\(attribute.literal)\" is given twice.")
    }
    if attribute != .recipients && value.count > limits.maxAttributeBytes {
      throw Rejection(
        .attributeTooLong,
        "\"\(attribute.literal)\" has \(value.count) bytes, and at most \(limits.maxAttributeBytes) are allowed."
      )
    }
    attributes[attribute.rawValue] = value
  }
}
