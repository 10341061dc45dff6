import Contract

/// What is known of a recipient's engagement, as far as it matters for one notification on one channel.
public struct EngagementMarks: Equatable, Sendable {
  /// Whether the recipient has unsubscribed from the category, or from all, on the channel.
  public var isUnsubscribed = false
  /// Whether the recipient has called what came by the channel unwanted.
  public var hasComplained = false
  /// The hash of the address that takes nothing on the channel; nil where none has bounced.
  public var bounced: UInt64?
  /// Whether the recipient saw the notification.
  public var isSeen = false

  /// Nothing is known.
  public init() {}

  /// The hash of an address: it is compared letter for letter.
  public static func hash(ofAddress address: ByteView) -> UInt64 { Hash128(of: address).low }
}
