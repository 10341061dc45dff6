import Contract
import Foundation
import Logging
import Mustache

/// Makes the inbox entry of a delivery: renders its title and link, and lets no link through that runs code.
///
/// Compiled templates are kept, by their text. Confined to the thread of its owner.
struct InboxRenderer {
  /// The longest title that is stored, in characters; the rest is cut.
  static let titleLimit = 500
  /// The longest link that is stored, in bytes; a longer one is left out, as a part of it leads nowhere.
  static let linkLimit = 2048
  /// The most templates that are kept. The catalog has far fewer; more are the doing of versions that come
  /// and go.
  static let templateLimit = 1000

  private let logger: Logger
  private var templates: [String: MustacheTemplate?] = [:]

  init(logger: Logger) { self.logger = logger }

  mutating func entry(for delivery: Delivery) -> InboxEntry {
    let context = Self.context(of: delivery)
    return InboxEntry(
      delivery: delivery.id,
      recipient: InboxRecipient(tenant: delivery.tenant, recipient: delivery.recipient),
      kind: delivery.kind.literal.description, title: title(of: delivery, context),
      link: link(of: delivery, context),
      category: delivery.category, type: delivery.type, eventCount: max(1, delivery.totalEvents),
      createdMilliseconds: delivery.timeMilliseconds)
  }

  private mutating func title(of delivery: Delivery, _ context: [String: Any]) -> String {
    let isDigest = delivery.kind == .digest
    let template = isDigest ? delivery.digestTitle ?? delivery.title : delivery.title
    let rendered = render(template, context).map(Self.onOneLine) ?? ""
    if !rendered.isEmpty { return String(rendered.prefix(Self.titleLimit)) }
    // A template whose fields this event lacks yields nothing, and a row without words helps nobody.
    return isDigest ? "\(delivery.totalEvents) × \(delivery.category)" : delivery.type
  }

  private mutating func link(of delivery: Delivery, _ context: [String: Any]) -> String? {
    // A digest of several events has no one place to lead to.
    guard let template = delivery.link, delivery.totalEvents <= 1, let link = render(template, context)
    else { return nil }
    return Self.safeLink(link)
  }

  /// The link if it is an `http` or `https` address or a path on the page's own server; else nil.
  static func safeLink(_ text: String) -> String? {
    let link = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !link.isEmpty, link.utf8.count <= linkLimit else { return nil }
    // Browsers skip control characters and read a backslash as a slash: neither has business in a link.
    let isPlain = link.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\\" }
    guard isPlain else { return nil }
    let lowered = link.lowercased()
    for scheme in ["http://", "https://"] where lowered.hasPrefix(scheme) && lowered.count > scheme.count {
      return link
    }
    // `//host` is another server by the scheme of the page; without a scheme of its own it is most likely a
    // slip.
    return link.hasPrefix("/") && !link.hasPrefix("//") ? link : nil
  }

  /// The text with each run of white space and control characters as one space.
  private static func onOneLine(_ text: String) -> String {
    text.unicodeScalars.split { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
      .map { String($0) }.joined(separator: " ")
  }

  private mutating func render(_ text: String, _ context: [String: Any]) -> String? {
    template(text)?.render(context)
  }

  private mutating func template(_ text: String) -> MustacheTemplate? {
    if let known = templates[text] { return known }
    if templates.count >= Self.templateLimit { templates.removeAll() }
    var compiled: MustacheTemplate?
    do {
      // The title is kept as plain text: whoever shows it escapes it for where it is shown.
      compiled = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}" + text)
    } catch {
      logger.error(
        "a template of the catalog does not compile; its deliveries are shown by type",
        metadata: ["template": "\(text.prefix(200))", "error": "\(error)"])
    }
    templates[text] = .some(compiled)
    return compiled
  }

  /// What templates may name: the fields of the first item, and the totals.
  private static func context(of delivery: Delivery) -> [String: Any] {
    var context: [String: Any] = [
      "category": delivery.category, "recipient": delivery.recipient, "tenant": delivery.tenant,
      "type": delivery.type, "priority": delivery.priority.literal.description,
      "totals": ["events": delivery.totalEvents, "actors": delivery.totalActors],
      "items": delivery.items.map(fields),
    ]
    if let window = delivery.window {
      context["window"] = [
        "id": window.id, "opened": InboxNotification.time(window.openedMilliseconds),
        "due": InboxNotification.time(window.dueMilliseconds),
      ]
    }
    if let first = delivery.items.first { context.merge(fields(of: first)) { _, item in item } }
    return context
  }

  private static func fields(of item: Delivery.Item) -> [String: Any] {
    var fields: [String: Any] = ["source": item.source, "id": item.id, "type": item.type]
    fields["time"] = item.time
    fields["actor"] = item.actor
    fields["subject"] = item.subject
    fields["data"] = item.data.flatMap(value)
    return fields
  }

  private static func value(_ tree: JSONTree) -> Any? {
    switch tree {
    case .null: nil
    case .bool(let value): value
    case .number(let text): text
    case .string(let text): text
    case .array(let elements): elements.compactMap(value)
    case .object(let members): members.compactMapValues(value)
    }
  }
}
