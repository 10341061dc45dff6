/// Why a channel gets nothing of a notification. The codes are stable; `docs/formats.md` explains each.
public enum SuppressionReason: UInt8, CaseIterable, Sendable {
  /// The same notification was decided within the dedup horizon.
  case duplicate = 0
  /// The recipient does not want this category on this channel.
  case optedOut = 1
  /// The channel needs an address, and the recipient has none.
  case noAddress = 2
  /// The recipient wants to hear nothing of the event's subject for a time.
  case muted = 3
  /// The recipient is the event's actor.
  case ownAction = 4
  /// The recipient has unsubscribed from this category on this channel.
  case unsubscribed = 5
  /// The recipient has called mail unwanted.
  case complained = 6
  /// The recipient's address takes no mail.
  case bounced = 7
  /// The recipient saw it already.
  case seen = 8

  /// The code in decisions and metrics.
  public var literal: StaticString {
    switch self {
    case .duplicate: "duplicate"
    case .optedOut: "optedOut"
    case .noAddress: "noAddress"
    case .muted: "muted"
    case .ownAction: "ownAction"
    case .unsubscribed: "unsubscribed"
    case .complained: "complained"
    case .bounced: "bounced"
    case .seen: "seen"
    }
  }
}

/// What became of an arrival on one channel.
public enum ChannelOutcome: Equatable, Sendable {
  /// It waits in a window, until an instant in milliseconds since the epoch.
  case open(window: Hash128, untilMilliseconds: Int64)
  /// It was delivered alone.
  case delivered(delivery: Hash128)
  /// The channel gets nothing.
  case suppressed(SuppressionReason)
  /// It was too late.
  case expired
  /// Its producer took it back.
  case retracted
  /// A newer event replaced it.
  case collapsed
}
