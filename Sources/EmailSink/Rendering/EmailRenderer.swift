import Contract
import Delivery
import Foundation
import Logging

/// Makes subject and bodies of a delivery. Any task may use it.
///
/// Titles and links come from the templates of the catalog that the delivery carries. A title that yields nothing is
/// replaced by the event's type and subject; only `http` and `https` links are written.
struct EmailRenderer: Sendable {
  /// What a mail says.
  struct Content: Equatable, Sendable {
    let subject: String
    let text: String
    let html: String
  }

  /// The longest title of an item, in characters.
  static let titleLimit = 500
  /// The longest link, in bytes; a longer one is left out.
  static let linkLimit = 2048

  private let templates: DeliveryTemplates
  private let bodies: BodyTemplates

  /// - Throws: `MustacheTemplate.Error` if a template of the program's own is broken.
  init(logger: Logger) throws {
    templates = DeliveryTemplates(logger: logger)
    bodies = try BodyTemplates()
  }

  /// - Parameter unsubscribeLink: where the recipient unsubscribes from the category; nil for no such link.
  func content(of delivery: Delivery, unsubscribeLink: String? = nil) -> Content {
    let dates = LocalDates(locale: delivery.locale, timeZone: delivery.timeZone)
    let isDigest = delivery.kind == .digest
    let items = delivery.items.map { item in
      var fields: [String: Any] = [
        "title": title(of: item, delivery), "byline": byline(of: item, dates),
        "bullet": isDigest ? "* " : "", "indent": isDigest ? "  " : "",
      ]
      fields["link"] = link(of: item, delivery)
      return fields
    }
    let subject = isDigest ? digestTitle(of: delivery) : items.first?["title"] as? String ?? delivery.type
    var fields: [String: Any] = ["subject": subject, "items": items, "recipient": delivery.recipient]
    fields["category"] = delivery.category
    fields["unsubscribe"] = unsubscribeLink
    if isDigest { fields["heading"] = heading(subject, delivery) }
    let more = delivery.totalEvents.subtractingReportingOverflow(items.count)
    if !more.overflow, more.partialValue > 0 { fields["more"] = more.partialValue }
    let (text, html) = bodies.render(fields)
    return Content(subject: subject, text: text, html: html)
  }

  private func title(of item: Delivery.Item, _ delivery: Delivery) -> String {
    let title = Self.bounded(templates.title(of: item, in: delivery) ?? "")
    return title.isEmpty
      ? Self.bounded([item.type, item.subject].compactMap(\.self).joined(separator: ": ")) : title
  }

  private func digestTitle(of delivery: Delivery) -> String {
    let title = Self.bounded(templates.digestTitle(of: delivery) ?? "")
    guard title.isEmpty else { return title }
    if let category = delivery.category { return "\(delivery.totalEvents) new in \(category)" }
    return "\(delivery.totalEvents) new notification\(delivery.totalEvents == 1 ? "" : "s")"
  }

  /// The digest's title with the totals, where it does not say them itself.
  private func heading(_ subject: String, _ delivery: Delivery) -> String {
    guard !subject.contains("\(delivery.totalEvents)") else { return subject }
    let people = delivery.totalActors > 1 ? " by \(delivery.totalActors) people" : ""
    return "\(subject) (\(delivery.totalEvents)\(people))"
  }

  private func byline(of item: Delivery.Item, _ dates: LocalDates) -> String {
    let time =
      item.time.flatMap { $0.withByteView { RFC3339.milliseconds(of: $0) } } ?? item.acceptedAtMilliseconds
    return [item.actor.map(Self.bounded), dates.text(milliseconds: time)].compactMap(\.self).joined(
      separator: ", ")
  }

  private func link(of item: Delivery.Item, _ delivery: Delivery) -> String? {
    templates.link(of: item, in: delivery).flatMap(Self.safeLink)
  }

  /// The link if it is an `http` or `https` address without blanks and control characters; else nil.
  static func safeLink(_ text: String) -> String? {
    let link = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let isPlain = link.unicodeScalars.allSatisfy {
      !$0.properties.isWhitespace && $0.value > 0x20 && $0.value != 0x7f
    }
    guard isPlain, link.utf8.count <= linkLimit else { return nil }
    let lowered = link.lowercased()
    return ["http://", "https://"].contains { lowered.hasPrefix($0) && lowered.count > $0.count } ? link : nil
  }

  private static func bounded(_ text: String) -> String {
    // Cut before the line is made, so that a huge value costs no more than a long one.
    let line = HeaderWriter.singleLine(String(text.prefix(titleLimit * 2)))
    return line.count > titleLimit ? line.prefix(titleLimit - 1) + "…" : line
  }
}
