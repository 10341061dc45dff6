import Contract

/// An event for an audience whose followers are not all served yet: the event's bytes, and how far it has come.
///
/// Followers are served in the order of the hashes of their ids, so that one number says who was: all whose hash is
/// below it, whatever has become of the audience meanwhile.
struct FanOut: Equatable {
  /// The identity of the event and its audience.
  var key: Hash128
  /// Its place in the queue: the lowest goes next, and then behind all others.
  var turn: UInt64
  /// The lowest hash of a follower that is still to be served.
  var next: UInt64 = 0
  /// Followers served.
  var served: UInt64 = 0
  /// Where it was read, for whom it is, and the record for a follower but for the follower (`FanOutEvent`).
  var event: [UInt8]

  /// What it takes in memory and in a checkpoint, about.
  var byteCount: Int { event.count + 64 }

  func append(to buffer: inout OutputBuffer) {
    buffer.append(key)
    buffer.append(littleEndian: turn)
    buffer.append(littleEndian: next)
    buffer.append(littleEndian: served)
    event.withUnsafeBytes { buffer.append(lengthPrefixed: ByteView($0)) }
  }

  /// Reads what stands behind a key; nil where the bytes are no fan-out.
  init?(key: Hash128, _ reader: inout ByteReader) {
    guard let turn = reader.integer(UInt64.self), let next = reader.integer(UInt64.self),
      let served = reader.integer(UInt64.self), let bytes = reader.lengthPrefixed(),
      FanOutEvent(bytes) != nil
    else { return nil }
    self.init(key: key, turn: turn, next: next, served: served, event: Array(bytes.buffer))
  }

  init(key: Hash128, turn: UInt64, next: UInt64 = 0, served: UInt64 = 0, event: [UInt8]) {
    self.key = key
    self.turn = turn
    self.next = next
    self.served = served
    self.event = event
  }
}

/// The event of a fan-out, read from its bytes; valid as long as they are.
struct FanOutEvent {
  /// The topic and the offset of its record in the audience's home.
  var topic: InputTopic
  var offset: Int64
  var tenant: ByteView
  var audience: ByteView
  /// The headers of a follower's record; the first one names the follower, and is empty.
  var headers: [HeaderView]
  /// The value of a follower's record.
  var value: ByteView

  static func append(
    _ output: OutputRecord, of event: EventView, topic: InputTopic, offset: Int64,
    to buffer: inout OutputBuffer
  ) {
    buffer.append(byte: topic.rawValue)
    buffer.append(littleEndian: offset)
    buffer.append(lengthPrefixed: event.tenant)
    buffer.append(lengthPrefixed: event.audience)
    buffer.append(varint: UInt64(output.headers.count))
    for header in output.headers {
      buffer.append(lengthPrefixed: header.name)
      buffer.append(lengthPrefixed: header.value ?? .empty)
    }
    buffer.append(lengthPrefixed: output.value ?? .empty)
  }

  /// Reads an event; nil where the bytes are none.
  init?(_ bytes: ByteView) {
    var reader = ByteReader(bytes)
    guard let topic = reader.byte().flatMap({ InputTopic(rawValue: $0) }),
      let offset = reader.integer(Int64.self), let tenant = reader.lengthPrefixed(),
      let audience = reader.lengthPrefixed(), let headerCount = reader.varint(), headerCount > 0,
      headerCount <= UInt64(bytes.count)
    else { return nil }
    self.topic = topic
    self.offset = offset
    self.tenant = tenant
    self.audience = audience
    headers = []
    headers.reserveCapacity(Int(headerCount))
    for _ in 0..<headerCount {
      guard let name = reader.lengthPrefixed(), let value = reader.lengthPrefixed() else { return nil }
      headers.append(HeaderView(name: name, value: value))
    }
    guard let value = reader.lengthPrefixed(), reader.isAtEnd else { return nil }
    self.value = value
  }

  /// The value of a header; empty where there is none.
  func header(_ name: StaticString) -> ByteView {
    headers.first { $0.name.equals(name) }?.value ?? .empty
  }
}
