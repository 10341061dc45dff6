import Contract
import Foundation

/// Makes the links by which recipients unsubscribe with one click (RFC 8058).
public struct UnsubscribeLinks: Sendable {
  private let base: String
  let key: UnsubscribeKey

  /// The longest link, in bytes: a header line holds 998 (RFC 5322 §2.1.1). Where it would be longer, a mail has none.
  static let limit = 960

  /// Links below an address.
  ///
  /// - Parameter base: the `https` address that leads to an ``UnsubscribeServer``; the token follows a slash.
  public init(base: String, key: UnsubscribeKey) {
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    self.key = key
  }

  /// The link for the recipient and the category of a delivery; nil where it would be too long for a header, and for a
  /// digest of several categories: one click would end one of them that nobody chose.
  func link(for delivery: Delivery) -> String? {
    guard let category = delivery.category else { return nil }
    let token = UnsubscribeToken(
      delivery: delivery.id, tenant: delivery.tenant, recipient: delivery.recipient, category: category)
    let link = "\(base)/\(token.text(key: key))"
    return link.utf8.count <= Self.limit ? link : nil
  }
}
