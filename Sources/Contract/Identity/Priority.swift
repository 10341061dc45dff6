/// How urgent a notification is: what is critical passes by quiet hours and limits.
public enum Priority: UInt8, CaseIterable, Sendable {
  /// Waits as the policy says.
  case normal = 0
  /// Is not held back.
  case critical = 1

  /// The name in events, catalogs and records.
  public var literal: StaticString {
    switch self {
    case .normal: "normal"
    case .critical: "critical"
    }
  }

  /// The name in events, catalogs and records.
  public var name: String { literal.description }

  /// The priority of that name; nil if there is none.
  public init?(name: ByteView) {
    for priority in Priority.allCases where name.equals(priority.literal) {
      self = priority
      return
    }
    return nil
  }

  /// The priority of that name; nil if there is none.
  public init?(name: String) {
    guard let priority = name.withByteView({ Priority(name: $0) }) else { return nil }
    self = priority
  }
}
