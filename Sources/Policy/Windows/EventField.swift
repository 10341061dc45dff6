import Contract

/// A part of an event by which notifications are told apart: an attribute, or a place in its data.
public enum EventField: Hashable, Sendable {
  /// Who caused the event.
  case actor
  /// The category, the event's own or that of its type.
  case category
  /// CloudEvents `source`.
  case source
  /// CloudEvents `subject`.
  case subject
  /// CloudEvents `type`.
  case type
  /// A value in the JSON data.
  case data(JSONPointer)

  /// The attributes by the names that catalogs use.
  static let attributes: KeyValuePairs<String, EventField> = [
    "actor": .actor, "category": .category, "source": .source, "subject": .subject, "type": .type,
  ]

  /// As catalogs write it: the name of an attribute, or a JSON pointer.
  public var name: String {
    if case .data(let pointer) = self { return pointer.description }
    return Self.attributes.first { $0.value == self }?.key ?? ""
  }
}
