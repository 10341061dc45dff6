/// The decision about an event for an audience, in the audience's home. Views have to be valid while it is written.
public struct AudienceDecision {
  /// What became of it.
  public enum Outcome: Equatable, Sendable {
    /// All who follow the audience were served, each by a record of their own in `routed`.
    case fannedOut(recipients: UInt64)
    /// No record of the subscriptions topic names the audience.
    case unknownAudience
    /// The audience has parts, and nobody is in them.
    case emptyAudience
    /// It was taken in before, within the dedup horizon.
    case duplicate
  }

  /// The audience's tenant.
  public var tenant: ByteView
  /// The audience's name.
  public var audience: ByteView
  /// The event's source.
  public var source: ByteView
  /// The event's id.
  public var event: ByteView
  /// The event's type.
  public var type: ByteView
  /// The topic that the record was read from, in the audience's home.
  public var topic: ByteView
  /// The record's offset there.
  public var offset: Int64
  /// What became of it.
  public var outcome: Outcome

  /// A decision of those parts.
  public init(
    tenant: ByteView, audience: ByteView, source: ByteView, event: ByteView, type: ByteView, topic: ByteView,
    offset: Int64, outcome: Outcome
  ) {
    self.tenant = tenant
    self.audience = audience
    self.source = source
    self.event = event
    self.type = type
    self.topic = topic
    self.offset = offset
    self.outcome = outcome
  }
}

extension OutputBuffer {
  /// Appends the decision about an event for an audience: a CloudEvent of type `tidings.decision.v1`.
  public mutating func append(audience decision: AudienceDecision, head: DecisionHead) {
    append(envelopeOf: head)
    append("{\"tenant\":")
    append(jsonString: decision.tenant)
    append(comma: "audience", text: decision.audience)
    append(comma: "source", text: decision.source)
    append(comma: "event", text: decision.event)
    append(comma: "type", text: decision.type)
    append(",\"at\":{\"topic\":")
    append(jsonString: decision.topic)
    append(comma: "offset", number: decision.offset)
    append("}")
    switch decision.outcome {
    case .fannedOut(let recipients):
      append(comma: "outcome", literal: "fannedOut")
      append(comma: "recipients", number: Int64(clamping: recipients))
    case .unknownAudience, .emptyAudience:
      append(comma: "outcome", literal: "nobody")
      append(
        comma: "reason",
        literal: decision.outcome == .unknownAudience ? "unknownAudience" : "emptyAudience")
    case .duplicate: append(comma: "outcome", literal: "duplicate")
    }
    append("}}")
  }
}
