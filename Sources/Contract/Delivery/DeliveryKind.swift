/// What a delivery holds.
public enum DeliveryKind: UInt8, CaseIterable, Sendable {
  /// One notification.
  case single = 0
  /// The notifications of a window.
  case digest = 1

  /// The name in records.
  public var literal: StaticString {
    switch self {
    case .single: "single"
    case .digest: "digest"
    }
  }
}
