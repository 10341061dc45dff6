/// A delivery as a sink reads it: everything that it needs to render and send, with its own memory.
public struct Delivery: Equatable, Sendable {
  /// The window of a digest.
  public struct Window: Equatable, Sendable {
    /// The window's id: 32 hexadecimal digits.
    public var id: String
    /// When it opened, in milliseconds since the epoch.
    public var openedMilliseconds: Int64
    /// When it was due, in milliseconds since the epoch.
    public var dueMilliseconds: Int64
  }

  /// One event of the delivery.
  public struct Item: Equatable, Sendable {
    /// CloudEvents `source`.
    public var source: String
    /// CloudEvents `id`.
    public var id: String
    /// CloudEvents `type`.
    public var type: String
    /// CloudEvents `time`, as it was written.
    public var time: String?
    /// Who caused the event.
    public var actor: String?
    /// CloudEvents `subject`.
    public var subject: String?
    /// The append time of the event, in milliseconds since the epoch.
    public var acceptedAtMilliseconds: Int64
    /// Mustache template of the item's title: its own, or the delivery's.
    public var title: String
    /// Mustache template of the item's link: its own, or the delivery's; nil for none.
    public var link: String?
    /// The media type of the data, unless it is JSON.
    public var dataContentType: String?
    /// The event's data: a JSON value, or a string for text; nil if there is none, or it is binary or omitted.
    public var data: JSONTree?
    /// Binary data in base64.
    public var dataBase64: String?
    /// Whether data was left out because of its size.
    public var isDataOmitted: Bool
  }

  /// The delivery's id: 32 hexadecimal digits, the same however often it is sent.
  public var id: String
  /// When it was decided, in milliseconds since the epoch.
  public var timeMilliseconds: Int64
  /// The recipient's tenant.
  public var tenant: String
  /// The recipient's id.
  public var recipient: String
  /// The channel.
  public var channel: Channel
  /// Single or digest.
  public var kind: DeliveryKind
  /// The category; nil of a digest that has several, of which none stands for all.
  public var category: String?
  /// The event type; of a digest, that of the notification that opened its window.
  public var type: String
  /// The priority.
  public var priority: Priority
  /// Where the channel reaches the recipient; nil where it needs no address.
  public var address: String?
  /// The recipient's locale (BCP 47).
  public var locale: String?
  /// The recipient's time zone (IANA).
  public var timeZone: String?
  /// Mustache template of an item's title, unless the item has its own.
  public var title: String
  /// Mustache template of an item's link, unless the item has its own.
  public var link: String?
  /// Mustache template of the digest's title.
  public var digestTitle: String?
  /// The version of the catalog that decided: 16 hexadecimal digits.
  public var catalog: String
  /// The offset of the recipient's record that it was decided with; nil if there was none.
  public var recipientRecord: Int64?
  /// The window of a digest; nil for a single notification.
  public var window: Window?
  /// The events that the delivery stands for; there may be fewer items.
  public var totalEvents: Int
  /// The distinct actors of these events.
  public var totalActors: Int
  /// The events in full, in the order of the home partition. A single delivery has one; a digest may have none, if those
  /// that it would show had expired.
  public var items: [Item]
  /// W3C trace context of the event.
  public var traceparent: String?
  /// W3C trace context of the event.
  public var tracestate: String?

  /// The most events that a delivery may stand for.
  public static let totalLimit = 1_000_000_000

  /// The recipient's key, which is the key of the record too.
  public var recipientKey: String {
    tenant == RecipientKey.defaultTenant.description ? recipient : "\(tenant)/\(recipient)"
  }
}
