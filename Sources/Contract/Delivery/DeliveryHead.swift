/// What a delivery says beside its items. Views have to be valid while it is written; empty is absent.
public struct DeliveryHead {
  /// The window of a digest.
  public struct Window {
    /// The window's id, which is the digest's too.
    public var id: Hash128
    /// When it opened, in milliseconds since the epoch.
    public var openedMilliseconds: Int64
    /// When it was due, in milliseconds since the epoch.
    public var dueMilliseconds: Int64

    /// A window of those instants.
    public init(id: Hash128, openedMilliseconds: Int64, dueMilliseconds: Int64) {
      self.id = id
      self.openedMilliseconds = openedMilliseconds
      self.dueMilliseconds = dueMilliseconds
    }
  }

  /// The delivery's id, the same however often it is sent.
  public var id: Hash128
  /// When it was decided, in milliseconds since the epoch.
  public var timeMilliseconds: Int64
  /// The recipient's tenant.
  public var tenant: ByteView
  /// The recipient's id.
  public var recipient: ByteView
  /// The channel.
  public var channel: Channel
  /// Single or digest.
  public var kind: DeliveryKind
  /// The category; of a digest, that of the notification which opened its window.
  public var category: ByteView
  /// Whether a digest has notifications of other categories.
  public var hasSeveralCategories = false
  /// The event type; of a digest, that of the notification that opened its window.
  public var type: ByteView
  /// The priority.
  public var priority: Priority
  /// Where the channel reaches the recipient; empty where it needs no address.
  public var address: ByteView = .empty
  /// The recipient's locale (BCP 47).
  public var locale: ByteView = .empty
  /// The recipient's time zone (IANA).
  public var timeZone: ByteView = .empty
  /// Mustache template of an item's title.
  public var title: ByteView
  /// Mustache template of an item's link.
  public var link: ByteView = .empty
  /// Mustache template of the digest's title.
  public var digestTitle: ByteView = .empty
  /// The version of the catalog that decided.
  public var catalog: UInt64
  /// The offset of the recipient's record that it was decided with; nil if there was none.
  public var recipientRecord: Int64?
  /// The window of a digest.
  public var window: Window?
  /// The events that the delivery stands for; there may be fewer items.
  public var totalEvents: Int
  /// The distinct actors of these events.
  public var totalActors: Int
  /// W3C trace context of the event.
  public var traceparent: ByteView = .empty
  /// W3C trace context of the event.
  public var tracestate: ByteView = .empty

  /// A head of what every delivery has; the rest is absent.
  public init(
    id: Hash128, timeMilliseconds: Int64, tenant: ByteView, recipient: ByteView, channel: Channel,
    kind: DeliveryKind,
    category: ByteView, type: ByteView, priority: Priority, title: ByteView, catalog: UInt64,
    totalEvents: Int,
    totalActors: Int
  ) {
    self.id = id
    self.timeMilliseconds = timeMilliseconds
    self.tenant = tenant
    self.recipient = recipient
    self.channel = channel
    self.kind = kind
    self.category = category
    self.type = type
    self.priority = priority
    self.title = title
    self.catalog = catalog
    self.totalEvents = totalEvents
    self.totalActors = totalActors
  }
}
