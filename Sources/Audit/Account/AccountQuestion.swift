import Contract

/// Whose notifications are asked for, and which.
public struct AccountQuestion: Sendable {
  /// The tenant.
  public var tenant: String
  /// The recipient's id.
  public var recipient: String
  /// Only those of this event id; nil for all.
  public var event: String?
  /// Only those of this source; nil for all.
  public var source: String?
  /// From when on, in milliseconds since the epoch.
  public var sinceMilliseconds: Int64

  /// A question about a recipient.
  public init(
    tenant: String = "default", recipient: String, event: String? = nil, source: String? = nil,
    sinceMilliseconds: Int64
  ) {
    self.tenant = tenant
    self.recipient = recipient
    self.event = event
    self.source = source
    self.sinceMilliseconds = sinceMilliseconds
  }

  /// The recipient's key.
  ///
  /// - Throws: `AuditFault.recipient` where tenant or recipient are none.
  func key() throws(AuditFault) -> String {
    let key = tenant == RecipientKey.defaultTenant.description ? recipient : "\(tenant)/\(recipient)"
    let rejection: Rejection? = key.withByteView { view in
      do throws(Rejection) {
        let parts = try RecipientKey.split(view)
        guard parts.recipient.string == recipient, parts.tenant.string == tenant else {
          return Rejection(.invalidRecipient, "The recipient \"\(recipient)\" holds \"/\": give --tenant.")
        }
        return nil
      } catch {
        return error
      }
    }
    if let rejection { throw .recipient(rejection) }
    return key
  }

  func matches(_ decision: Decision) -> Bool {
    guard let recipient = decision.text("recipient"), let tenant = decision.text("tenant") else {
      return false
    }
    return matches(recipient: recipient, tenant: tenant)
  }

  /// Whether that is the recipient. Ids are told apart by their bytes, as everywhere: a `String` takes some for the
  /// same.
  func matches(recipient: String, tenant: String) -> Bool {
    ExactText(recipient) == ExactText(self.recipient) && ExactText(tenant) == ExactText(self.tenant)
  }

  func matches(event: String, source: String) -> Bool {
    ExactText(self.event ?? event) == ExactText(event)
      && ExactText(self.source ?? source) == ExactText(source)
  }
}
