import Contract
import Foundation
import Mustache

/// What a template may name, as docs/catalog.md lists it.
enum TemplateFields {
  /// The fields of one event, for `title` and `link`.
  static func item(_ item: Delivery.Item, of delivery: Delivery) -> [String: Any] {
    var fields = shared(delivery)
    fields["source"] = item.source
    fields["id"] = item.id
    fields["type"] = item.type
    fields["time"] = item.time
    fields["actor"] = item.actor
    fields["subject"] = item.subject
    fields["data"] = item.data.map(value)
    return fields
  }

  /// The fields of a digest, for `digestTitle`.
  static func digest(_ delivery: Delivery) -> [String: Any] {
    var fields = shared(delivery)
    fields["type"] = delivery.type
    fields["totals"] = ["events": delivery.totalEvents, "actors": delivery.totalActors]
    fields["items"] = delivery.items.map { item($0, of: delivery) }
    if let window = delivery.window {
      fields["window"] = [
        "id": window.id, "opened": time(window.openedMilliseconds), "due": time(window.dueMilliseconds),
      ]
    }
    return fields
  }

  private static func shared(_ delivery: Delivery) -> [String: Any] {
    var fields: [String: Any] = [
      "tenant": delivery.tenant, "recipient": delivery.recipient,
      "priority": delivery.priority.literal.description,
    ]
    fields["category"] = delivery.category
    return fields
  }

  private static func time(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds / 1000)).ISO8601Format()
  }

  /// A JSON value as mustache takes it. Wrapped rather than made to conform: a conformance of Contract's type to
  /// Mustache's protocols would hold in the whole program.
  static func value(_ tree: JSONTree) -> Any {
    switch tree {
    case .null: NSNull()
    case .bool(let value): value
    case .number(let text), .string(let text): text
    case .array(let elements): TemplateList(elements: elements)
    case .object(let members): TemplateObject(members: members)
    }
  }
}

/// An object of the event's data: its members are converted when a template names them.
private struct TemplateObject: MustacheParent, MustacheCustomRenderable {
  let members: [String: JSONTree]

  func child(named name: String) -> Any? { members[name].map(TemplateFields.value) }

  /// An object has no text of its own.
  var renderText: String { "" }
  var isNull: Bool { false }
}

/// A list of the event's data: a section repeats over it, a variable joins its texts with commas.
private struct TemplateList: MustacheSequence, MustacheCustomRenderable, MustacheTransformable {
  let elements: [JSONTree]

  func makeIterator() -> AnyIterator<Any> {
    var rest = elements.makeIterator()
    return AnyIterator { rest.next().map(TemplateFields.value) }
  }

  var renderText: String { elements.compactMap(\.text).joined(separator: ", ") }
  var isNull: Bool { false }

  func transform(_ name: String) -> Any? { elements.map(TemplateFields.value).transform(name) }
}
