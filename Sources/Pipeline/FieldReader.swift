import Contract
import Policy

/// Reads parts of events: attributes, and values in their JSON data. Its memory is used again for every event.
struct FieldReader: ~Copyable {
  private var parser: JSONParser
  private var scratch = OutputBuffer(capacity: 64)

  /// - Throws: `JSONError` when there is no memory.
  init() throws(JSONError) { parser = try JSONParser() }

  /// Appends the values of some fields, so framed that no two lists of values, and no list and a group, give the same
  /// bytes: a zero byte; then for each field the byte 0 where the event has none, or 1 for a text and 2 for any other
  /// JSON value with the length of the bytes and the bytes.
  mutating func append(valuesOf fields: [EventField], of arrival: Arrival, to buffer: inout OutputBuffer) {
    let event = arrival.event
    buffer.append(byte: 0)
    let root = fields.contains(where: \.isInData) ? parse(event) : nil
    for field in fields {
      switch field {
      case .actor: append(event.actor, to: &buffer)
      case .category: append(arrival.category, to: &buffer)
      case .source: append(event.source, to: &buffer)
      case .subject: append(event.subject, to: &buffer)
      case .type: append(event.type, to: &buffer)
      case .data(let pointer): append(root?[pointer], to: &buffer)
      }
    }
  }

  /// The number at a place in an event's data; nil where there is none, or no number.
  mutating func number(at pointer: JSONPointer, in event: EventView) -> Double? {
    guard let value = parse(event)?[pointer], value.kind == .number else { return nil }
    return Double(value.raw.string)
  }

  private mutating func parse(_ event: EventView) -> JSONValue? {
    guard event.dataKind == .json else { return nil }
    // The decoder has found it valid.
    return try? parser.parse(event.data)
  }

  private func append(_ attribute: ByteView, to buffer: inout OutputBuffer) {
    buffer.append(byte: attribute.isEmpty ? 0 : 1)
    if !attribute.isEmpty { buffer.append(lengthPrefixed: attribute) }
  }

  private mutating func append(_ value: JSONValue?, to buffer: inout OutputBuffer) {
    guard let value, value.kind != .null else {
      buffer.append(byte: 0)
      return
    }
    if value.kind == .string {
      scratch.removeAll()
      scratch.reserve(value.rawString.count)
      buffer.append(byte: 1)
      buffer.append(lengthPrefixed: value.string(scratch: &scratch))
    } else {
      buffer.append(byte: 2)
      buffer.append(lengthPrefixed: value.raw)
    }
  }
}

extension EventField {
  fileprivate var isInData: Bool {
    if case .data = self { return true }
    return false
  }
}
