/// The decision about a notification that was taken out of the window it waited in. Views have to be valid while it is
/// written.
public struct WithdrawalDecision {
  /// What became of it.
  public enum Outcome: Equatable, Sendable {
    /// Its producer took it back.
    case retracted
    /// A newer event of the same collapse key replaced it.
    case collapsed
    /// The channel gets nothing of it after all.
    case suppressed(SuppressionReason)
  }

  /// The recipient's tenant.
  public var tenant: ByteView
  /// The recipient's id.
  public var recipient: ByteView
  /// The channel.
  public var channel: Channel
  /// The window's id.
  public var window: Hash128
  /// The notification's hash.
  public var notification: Hash128
  /// What became of it.
  public var outcome: Outcome
  /// The source of the event that caused it; empty where none did.
  public var causeSource: ByteView
  /// The id of that event.
  public var causeEvent: ByteView

  /// A decision of those parts.
  public init(
    tenant: ByteView, recipient: ByteView, channel: Channel, window: Hash128, notification: Hash128,
    outcome: Outcome, causeSource: ByteView = .empty, causeEvent: ByteView = .empty
  ) {
    self.tenant = tenant
    self.recipient = recipient
    self.channel = channel
    self.window = window
    self.notification = notification
    self.outcome = outcome
    self.causeSource = causeSource
    self.causeEvent = causeEvent
  }
}

extension OutputBuffer {
  /// Appends the decision about a notification that was taken out of its window: a CloudEvent of type
  /// `tidings.decision.v1`.
  public mutating func append(withdrawal: WithdrawalDecision, head: DecisionHead) {
    append(envelopeOf: head)
    append("{\"tenant\":")
    append(jsonString: withdrawal.tenant)
    append(comma: "recipient", text: withdrawal.recipient)
    append(comma: "channel", literal: withdrawal.channel.literal)
    append(comma: "window", hash: withdrawal.window)
    append(comma: "notification", hash: withdrawal.notification)
    switch withdrawal.outcome {
    case .retracted: append(comma: "outcome", literal: "retracted")
    case .collapsed: append(comma: "outcome", literal: "collapsed")
    case .suppressed(let reason):
      append(comma: "outcome", literal: "suppressed")
      append(comma: "reason", literal: reason.literal)
    }
    if !withdrawal.causeEvent.isEmpty {
      append(",\"by\":{\"source\":")
      append(jsonString: withdrawal.causeSource)
      append(comma: "event", text: withdrawal.causeEvent)
      append("}")
    }
    append("}}")
  }
}
