/// Whose inbox: a recipient of a tenant.
public struct InboxRecipient: Hashable, Sendable, Comparable {
  /// The tenant; `default` unless the events name one.
  public let tenant: String
  /// The recipient's id within the tenant.
  public let recipient: String

  /// A recipient of a tenant.
  public init(tenant: String = "default", recipient: String) {
    self.tenant = tenant
    self.recipient = recipient
  }

  /// Orders by tenant, then by recipient.
  public static func < (left: InboxRecipient, right: InboxRecipient) -> Bool {
    left.tenant == right.tenant ? left.recipient < right.recipient : left.tenant < right.tenant
  }
}
