import Contract

/// What a member of a window needs to be delivered by itself after all, besides its item: what its own type and the
/// catalog of its arrival said.
struct LoneItem {
  var category: ByteView
  var type: ByteView
  var title: ByteView
  var link: ByteView
  var priority: Priority
  var catalogVersion: UInt64
  var traceparent: ByteView
  var tracestate: ByteView

  func append(to buffer: inout OutputBuffer) {
    buffer.append(byte: priority.rawValue)
    buffer.append(littleEndian: catalogVersion)
    buffer.append(lengthPrefixed: category)
    buffer.append(lengthPrefixed: type)
    buffer.append(lengthPrefixed: title)
    buffer.append(lengthPrefixed: link)
    buffer.append(lengthPrefixed: traceparent)
    buffer.append(lengthPrefixed: tracestate)
  }
}

extension LoneItem {
  /// Reads what was appended; nil where the bytes are something else.
  init?(_ bytes: ByteView) {
    var reader = ByteReader(bytes)
    guard let priority = reader.byte().flatMap({ Priority(rawValue: $0) }),
      let version = reader.integer(UInt64.self), let category = reader.lengthPrefixed(),
      let type = reader.lengthPrefixed(), let title = reader.lengthPrefixed(),
      let link = reader.lengthPrefixed(), let traceparent = reader.lengthPrefixed(),
      let tracestate = reader.lengthPrefixed()
    else { return nil }
    self.init(
      category: category, type: type, title: title, link: link, priority: priority, catalogVersion: version,
      traceparent: traceparent, tracestate: tracestate)
  }
}
