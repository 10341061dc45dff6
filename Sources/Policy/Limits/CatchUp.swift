/// What becomes of notifications that come too late to be delivered at once, as they do after an outage.
public struct CatchUp: Equatable, Sendable {
  /// The age in milliseconds above which a notification is too late, 1 s to 31 days.
  public let afterMilliseconds: Int64
  /// The digest that takes them.
  public let overflow: DigestRule

  /// The ages that may be too much.
  public static let afterBounds = Duration.seconds(1)...Duration.seconds(31 * 86_400)
}
