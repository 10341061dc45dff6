/// A CloudEvent that was decoded and keeps the contract: views into the record or into the decoder.
///
/// It is valid until the decoder's next event and as long as the record is. Attributes that are absent are empty.
public struct EventView {
  /// What the data of an event is.
  public enum DataKind: UInt8, Sendable {
    /// No data.
    case none
    /// Valid JSON.
    case json
    /// UTF-8 text of another media type.
    case text
    /// Bytes.
    case binary
  }

  /// CloudEvents `id`: with the source, it names the event.
  public internal(set) var id: ByteView
  /// CloudEvents `source`.
  public internal(set) var source: ByteView
  /// CloudEvents `type`, which the catalog looks up.
  public internal(set) var type: ByteView
  /// The tenant; `default` when the event names none.
  public internal(set) var tenant: ByteView
  /// The audience whose followers are told; empty where the event names its recipients itself.
  public internal(set) var audience: ByteView
  /// Of an event that was fanned out: the audience that its recipient follows.
  public internal(set) var followedAudience: ByteView
  /// Who caused the event.
  public internal(set) var actor: ByteView
  /// The category; if absent, the catalog's.
  public internal(set) var category: ByteView
  /// CloudEvents `subject`.
  public internal(set) var subject: ByteView
  /// The priority; if absent, the catalog's.
  public internal(set) var priority: Priority?
  /// After this instant nothing of the event is delivered, in milliseconds since the epoch.
  public internal(set) var expiryMilliseconds: Int64?
  /// `expirytime` as it was written.
  public internal(set) var expiry: ByteView
  /// A newer event replaces the one with the same key that still waits.
  public internal(set) var collapseKey: ByteView
  /// The id of an earlier event of the same source that is taken back.
  public internal(set) var retracts: ByteView
  /// W3C trace context, handed on.
  public internal(set) var traceparent: ByteView
  /// W3C trace context, handed on.
  public internal(set) var tracestate: ByteView
  /// CloudEvents `time`, in milliseconds since the epoch.
  public internal(set) var timeMilliseconds: Int64?
  /// `time` as it was written.
  public internal(set) var time: ByteView
  /// CloudEvents `dataschema`.
  public internal(set) var dataSchema: ByteView
  /// The media type of the data; absent means JSON.
  public internal(set) var dataContentType: ByteView
  /// What the data is.
  public internal(set) var dataKind: DataKind
  /// The data: in structured mode the slice of the JSON text, or the decoded string or base64.
  public internal(set) var data: ByteView
  /// The recipients, each once, in the order of the event: at least one, or none where it names an audience.
  public internal(set) var recipients: UnsafeBufferPointer<ByteView>
  /// Extension attributes that Tidings does not know, by their CloudEvents names; they are forwarded.
  public internal(set) var extensions: UnsafeBufferPointer<HeaderView>
  /// Where a forwarded event was read first; nil for one that was not forwarded.
  public internal(set) var origin: RecordPosition?
  /// When a forwarded event was appended where it was read first, in milliseconds since the epoch; nil for one that was
  /// not forwarded, or by a version that did not note it.
  public internal(set) var originAppendedMilliseconds: Int64?

  /// The number of distinct recipients.
  public var recipientCount: Int { recipients.count }

  /// The recipient at `index`, which must be below `recipientCount`.
  public func recipient(at index: Int) -> ByteView { recipients[index] }
}

/// What names a notification. Its views are valid as long as the event's.
public struct EventIdentity {
  /// The tenant.
  public var tenant: ByteView
  /// CloudEvents `source`.
  public var source: ByteView
  /// CloudEvents `id`.
  public var id: ByteView
  /// The one recipient.
  public var recipient: ByteView

  /// An identity of those parts.
  public init(tenant: ByteView, source: ByteView, id: ByteView, recipient: ByteView) {
    self.tenant = tenant
    self.source = source
    self.id = id
    self.recipient = recipient
  }
}

/// What a record turned out to be.
public enum DecodedEvent {
  /// An event that keeps the contract.
  case event(EventView)
  /// A record that does not, with the reason.
  case rejected(Rejection)
}
