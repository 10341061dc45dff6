import Contract
import Delivery
import Foundation
import Logging

/// Makes the inbox entry of a delivery: renders its title and link, and lets no link through that runs code.
///
/// The title is kept as plain text: whoever shows it escapes it for where it is shown.
struct InboxRenderer: Sendable {
  /// The longest title that is stored, in characters; the rest is cut.
  static let titleLimit = 500
  /// The longest link that is stored, in bytes; a longer one is left out, as a part of it leads nowhere.
  static let linkLimit = 2048

  private let templates: DeliveryTemplates

  init(logger: Logger) { templates = DeliveryTemplates(logger: logger) }

  func entry(for delivery: Delivery) -> InboxEntry {
    InboxEntry(
      delivery: delivery.id,
      recipient: InboxRecipient(tenant: delivery.tenant, recipient: delivery.recipient),
      kind: delivery.kind.literal.description, title: title(of: delivery), link: link(of: delivery),
      category: delivery.category ?? "", type: delivery.type, eventCount: max(1, delivery.totalEvents),
      createdMilliseconds: delivery.timeMilliseconds,
      shown: delivery.items.map { EngagementReport.Notification(source: $0.source, id: $0.id) })
  }

  private func title(of delivery: Delivery) -> String {
    let isDigest = delivery.kind == .digest && delivery.totalEvents > 1
    if isDigest {
      if let title = Self.shown(templates.digestTitle(of: delivery)) { return title }
      return delivery.category.map { "\(delivery.totalEvents) × \($0)" }
        ?? "\(delivery.totalEvents) notifications"
    }
    let title = delivery.items.first.flatMap { templates.title(of: $0, in: delivery) }
    // A template whose fields this event lacks yields nothing, and a row without words helps nobody.
    return Self.shown(title) ?? delivery.type
  }

  private func link(of delivery: Delivery) -> String? {
    // A digest of several events has no one place to lead to.
    guard delivery.totalEvents <= 1, let item = delivery.items.first else { return nil }
    return templates.link(of: item, in: delivery).flatMap(Self.safeLink)
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
    // `//host` is another server by the scheme of the page; without a scheme of its own it is most likely a slip.
    return link.hasPrefix("/") && !link.hasPrefix("//") ? link : nil
  }

  /// The text with each run of white space and control characters as one space, cut to the limit; nil when nothing
  /// is left.
  private static func shown(_ text: String?) -> String? {
    guard let text else { return nil }
    let words = text.unicodeScalars.split {
      $0.properties.isWhitespace || $0.properties.generalCategory == .control
    }
    let line = words.map { String($0) }.joined(separator: " ")
    return line.isEmpty ? nil : String(line.prefix(titleLimit))
  }
}
