import Contract

/// Whose inbox: a recipient of a tenant. Ids of different bytes are different, as they are in Kafka and in the database.
public struct InboxRecipient: Hashable, Sendable {
  private let exactTenant: ExactText
  private let exactRecipient: ExactText

  /// A recipient of a tenant.
  public init(tenant: String = "default", recipient: String) {
    exactTenant = ExactText(tenant)
    exactRecipient = ExactText(recipient)
  }

  /// The tenant; `default` unless the events name one.
  public var tenant: String { exactTenant.string }

  /// The recipient's id within the tenant.
  public var recipient: String { exactRecipient.string }
}
