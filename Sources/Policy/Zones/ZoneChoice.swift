import Contract

/// Whose zone decides.
public enum ZoneOrigin: String, CaseIterable, Sendable {
  /// The recipient's own record.
  case recipient
  /// The tenant's defaults.
  case tenant
  /// The deployment's default.
  case deployment
  /// Nobody's: UTC, since no other is known.
  case utc = "UTC"

  /// The name that decisions and reports carry.
  public var name: String { rawValue }
}

/// The zone by which something is decided for a recipient, and why it is that one.
public struct ZoneChoice {
  /// The zone.
  public let zone: ZoneOffsets
  /// Whose it is.
  public let origin: ZoneOrigin
  /// The nearest level whose name is no zone, so that a later one had to decide; nil where every name that was asked
  /// for is one.
  public let unknown: ZoneOrigin?
}

extension ZoneCache {
  /// The nearest zone that is known, of recipient, tenant and deployment in this order, and UTC in the last place.
  ///
  /// An empty name is an absent one. A name that is no zone is passed over and reported by `ZoneChoice.unknown`.
  public func choose(recipient: ByteView, tenant: ByteView, deployment: ByteView) -> ZoneChoice {
    var unknown: ZoneOrigin?
    if let zone = zone(named: recipient, of: .recipient, &unknown) {
      return ZoneChoice(zone: zone, origin: .recipient, unknown: unknown)
    }
    if let zone = zone(named: tenant, of: .tenant, &unknown) {
      return ZoneChoice(zone: zone, origin: .tenant, unknown: unknown)
    }
    if let zone = zone(named: deployment, of: .deployment, &unknown) {
      return ZoneChoice(zone: zone, origin: .deployment, unknown: unknown)
    }
    return ZoneChoice(zone: .utc, origin: .utc, unknown: unknown)
  }

  private func zone(named name: ByteView, of origin: ZoneOrigin, _ unknown: inout ZoneOrigin?) -> ZoneOffsets?
  {
    guard !name.isEmpty else { return nil }
    if let zone = zone(named: name) { return zone }
    unknown = unknown ?? origin
    return nil
  }
}
