import Contract
import Logging

/// Renders what the catalog's templates in a delivery say: titles and links, as plain text. Any task may use it.
///
/// Whoever shows a text escapes it for where it is shown, and lets no link through that its place cannot take.
public struct DeliveryTemplates: Sendable {
  private let cache: TemplateCache

  /// Templates that are compiled once and kept; one that does not compile is logged once.
  public init(logger: Logger) { cache = TemplateCache(logger: logger) }

  /// The title of an item; nil when its template does not compile.
  public func title(of item: Delivery.Item, in delivery: Delivery) -> String? {
    cache.render(item.title, TemplateFields.item(item, of: delivery))
  }

  /// The link of an item; nil when it has none, or its template does not compile.
  public func link(of item: Delivery.Item, in delivery: Delivery) -> String? {
    item.link.flatMap { cache.render($0, TemplateFields.item(item, of: delivery)) }
  }

  /// The title of a digest; nil when the catalog gives none, or its template does not compile.
  public func digestTitle(of delivery: Delivery) -> String? {
    delivery.digestTitle.flatMap { cache.render($0, TemplateFields.digest(delivery)) }
  }
}
