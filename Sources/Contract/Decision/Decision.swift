/// What every decision says of itself.
public struct DecisionHead {
  /// The home partition.
  public var partition: Int32
  /// The number of the decision in its partition: with the partition it is the decision's id.
  public var number: UInt64
  /// When it was decided, in milliseconds since the epoch.
  public var timeMilliseconds: Int64

  /// A head of those parts.
  public init(partition: Int32, number: UInt64, timeMilliseconds: Int64) {
    self.partition = partition
    self.number = number
    self.timeMilliseconds = timeMilliseconds
  }
}

/// The decision about one record for one recipient. Views have to be valid while it is written; empty is absent.
public struct ArrivalDecision {
  /// The recipient's tenant.
  public var tenant: ByteView
  /// The recipient's id.
  public var recipient: ByteView
  /// The event's source.
  public var source: ByteView
  /// The event's id.
  public var event: ByteView
  /// The event's type.
  public var type: ByteView
  /// The category.
  public var category: ByteView
  /// The notification's hash.
  public var notification: Hash128
  /// The topic that the record was read from, in the home partition.
  public var topic: ByteView
  /// The record's offset there.
  public var offset: Int64
  /// The version of the catalog that decided.
  public var catalog: UInt64
  /// Whether the notification was decided before, within the dedup horizon.
  public var isDuplicate: Bool
  /// The offset of the recipient's record that it was decided with; nil where there was none, and of a duplicate.
  public var recipientRecord: Int64?
  /// The hash of the notification that it takes back; nil where it takes none back, and of a duplicate.
  public var retracts: Hash128?
  /// What became of it by channel; of a duplicate, `suppressed(duplicate)` on each channel of its type.
  public var channels: ChannelValues<ChannelOutcome>
  /// What decided, by channel; none of a duplicate.
  public var grounds: ChannelValues<DecisionGrounds>

  /// A decision of those parts.
  @inlinable
  public init(
    tenant: ByteView, recipient: ByteView, source: ByteView, event: ByteView, type: ByteView,
    category: ByteView,
    notification: Hash128, topic: ByteView, offset: Int64, catalog: UInt64, isDuplicate: Bool,
    recipientRecord: Int64? = nil, retracts: Hash128? = nil, channels: ChannelValues<ChannelOutcome>,
    grounds: ChannelValues<DecisionGrounds> = ChannelValues()
  ) {
    self.tenant = tenant
    self.recipient = recipient
    self.source = source
    self.event = event
    self.type = type
    self.category = category
    self.notification = notification
    self.topic = topic
    self.offset = offset
    self.catalog = catalog
    self.isDuplicate = isDuplicate
    self.recipientRecord = recipientRecord
    self.retracts = retracts
    self.channels = channels
    self.grounds = grounds
  }
}

/// The decision about a window that was closed. Views have to be valid while it is written.
public struct ClosureDecision {
  /// The recipient's tenant.
  public var tenant: ByteView
  /// The recipient's id.
  public var recipient: ByteView
  /// The channel.
  public var channel: Channel
  /// The window's id.
  public var window: Hash128
  /// The delivery that it became; nil if all its members had expired, were taken out before, suppressed, or delivered
  /// singly.
  public var delivery: Hash128?
  /// Whether its members were too few for a digest and delivered each by itself, with the id of a single delivery.
  public var isSingly: Bool
  /// The notifications that were delivered.
  public var members: UnsafeBufferPointer<Hash128>
  /// The notifications that were left out, because they had expired.
  public var expired: UnsafeBufferPointer<Hash128>
  /// The notifications that the channel gets nothing of after all.
  public var suppressed: UnsafeBufferPointer<Hash128>
  /// Why it gets nothing of them.
  public var suppressionReason: SuppressionReason

  /// A decision of those parts.
  public init(
    tenant: ByteView, recipient: ByteView, channel: Channel, window: Hash128, delivery: Hash128?,
    isSingly: Bool = false, members: UnsafeBufferPointer<Hash128>,
    expired: UnsafeBufferPointer<Hash128> = UnsafeBufferPointer(start: nil, count: 0),
    suppressed: UnsafeBufferPointer<Hash128> = UnsafeBufferPointer(start: nil, count: 0),
    because suppressionReason: SuppressionReason = .noAddress
  ) {
    self.tenant = tenant
    self.recipient = recipient
    self.channel = channel
    self.window = window
    self.delivery = delivery
    self.isSingly = isSingly
    self.members = members
    self.expired = expired
    self.suppressed = suppressed
    self.suppressionReason = suppressionReason
  }
}
