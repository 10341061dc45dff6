/// What goes wrong between clients and the cluster. Everything is off until it is set.
public struct BrokerFaults: Sendable {
  /// How likely a request is lost with its connection: it has no effect, and the client makes it again.
  public var requestLoss: Double = 0
  /// How likely a reply is lost with its connection: the request had its effect, and the client makes it again.
  public var replyLoss: Double = 0
  /// How likely a transaction's marker takes ``lateMarker`` instead of the usual time.
  public var lateMarkers: Double = 0
  /// How long a late marker takes, in milliseconds.
  public var lateMarker: ClosedRange<Int64> = 100...3000
  /// How likely the markers of a transaction land in its partitions only after that of the group's offsets
  /// (KAFKA-10167).
  public var offsetsFirst: Double = 0
  /// How likely the reply to a transaction's end is lost, on top of ``replyLoss``.
  public var endTransactionReplyLoss: Double = 0
  /// How likely nobody hears what became of a transaction's end: it arrives or it does not, each as likely, and the
  /// coordinator of transactions is away for ``silence`` afterwards.
  public var unknownOutcomes: Double = 0
  /// How long the coordinator is away then, in milliseconds: beyond the time-out of transactions the outcome is unknown.
  public var silence: ClosedRange<Int64> = 8_000...20_000
  /// Until when no request is taken: the brokers are down.
  public var brokersDownUntil: Int64 = 0
  /// Until when the coordinator of groups answers that it is not available.
  public var groupCoordinatorAwayUntil: Int64 = 0
  /// Until when the coordinator of transactions answers that it is not available.
  public var transactionCoordinatorAwayUntil: Int64 = 0

  /// Until when nothing may be added to a transaction: the access rules of its topics and its group are being changed.
  public var additionsForbiddenUntil: Int64 = 0

  /// No faults.
  public init() {}
}
