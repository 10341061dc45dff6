import Contract

/// What holds for the recipients of a tenant where their own record says nothing.
struct TenantDefaults: Equatable {
  /// The language, as a BCP 47 tag.
  var locale: String?
  /// The time zone, as an IANA name.
  var timeZone: String?
  /// What its recipients want.
  var preferences: [Preference] = []
  /// When its recipients want to be left alone.
  var quietHours: QuietHours?

  /// The most preferences of one tenant, as of one recipient.
  static let maxPreferences = RecipientRecord.maxPreferences

  /// The same in the form in which a recipient's record is read on the data path.
  var profile: RecipientProfile {
    RecipientProfile(
      locale: locale, timeZone: timeZone, preferences: preferences, quietHours: quietHours)
  }

  /// Appends the one encoding that equal defaults have, whatever the order of their preferences.
  func appendCanonical(to output: inout OutputBuffer) {
    var sorted = self
    sorted.preferences.sort { left, right in
      (left.category ?? "*", left.channel?.name ?? "*") < (right.category ?? "*", right.channel?.name ?? "*")
    }
    sorted.profile.encode(into: &output)
  }
}

/// What is said of a recipient by their own record, and by their tenant's defaults below it.
///
/// Views have to be valid while it is used. Nil is a recipient without a record, or a tenant without defaults.
public struct ProfileLayers {
  /// The recipient's own record.
  public let recipient: RecipientProfileView?
  /// The tenant's defaults.
  public let tenant: RecipientProfileView?

  /// What a recipient and a tenant say.
  public init(recipient: RecipientProfileView?, tenant: RecipientProfileView?) {
    self.recipient = recipient
    self.tenant = tenant
  }

  /// The language; empty where nobody names one.
  public var locale: ByteView { nearest(recipient?.locale, tenant?.locale) }

  /// The time zone as the nearest of the two names it, whether there is such a zone or not; empty where neither does.
  public var timeZone: ByteView { nearest(recipient?.timeZone, tenant?.timeZone) }

  /// The quiet hours: the recipient's as a whole, also where they say that there are none, or else the tenant's.
  public var quietHours: QuietHours { recipient?.quietHours ?? tenant?.quietHours ?? .none }

  /// Whether there are quiet hours.
  public var hasQuietHours: Bool {
    (recipient?.namesQuietHours ?? false || tenant?.namesQuietHours ?? false) && !quietHours.isEmpty
  }

  private func nearest(_ own: ByteView?, _ tenants: ByteView?) -> ByteView {
    if let own, !own.isEmpty { return own }
    return tenants ?? .empty
  }
}

extension ZoneCache {
  /// The zone that decides for a recipient; `deployment` is the zone of those of whom none is known.
  public func choose(_ layers: ProfileLayers, deployment: ByteView) -> ZoneChoice {
    choose(
      recipient: layers.recipient?.timeZone ?? .empty, tenant: layers.tenant?.timeZone ?? .empty,
      deployment: deployment)
  }
}
