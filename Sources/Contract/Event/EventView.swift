/// A CloudEvent that was decoded and keeps the contract: views into the record or into the decoder.
///
/// It is valid until the decoder's next event and as long as decoder and record are: it says where the decoder has the
/// event, so that handing it on costs nothing. Attributes that are absent are empty.
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

  /// The attributes by their places; those that are absent are empty.
  @usableFromInline let texts: UnsafePointer<ByteView>
  /// What was read out of them, and the rest.
  @usableFromInline let fields: UnsafePointer<EventFields>

  init(texts: UnsafePointer<ByteView>, fields: UnsafePointer<EventFields>) {
    self.texts = texts
    self.fields = fields
  }

  @inlinable @inline(__always)
  func text(_ attribute: EventAttribute) -> ByteView { texts[attribute.place] }

  /// CloudEvents `id`: with the source, it names the event.
  @inlinable public var id: ByteView { text(.id) }
  /// CloudEvents `source`.
  @inlinable public var source: ByteView { text(.source) }
  /// CloudEvents `type`, which the catalog looks up.
  @inlinable public var type: ByteView { text(.type) }
  /// The tenant; `default` when the event names none.
  @inlinable public var tenant: ByteView { text(.tenant) }
  /// The audience whose followers are told; empty where the event names its recipients itself.
  @inlinable public var audience: ByteView { text(.audience) }
  /// Who caused the event.
  @inlinable public var actor: ByteView { text(.actor) }
  /// The category; if absent, the catalog's.
  @inlinable public var category: ByteView { text(.category) }
  /// CloudEvents `subject`.
  @inlinable public var subject: ByteView { text(.subject) }
  /// `expirytime` as it was written.
  @inlinable public var expiry: ByteView { text(.expirytime) }
  /// A newer event replaces the one with the same key that still waits.
  @inlinable public var collapseKey: ByteView { text(.collapsekey) }
  /// The id of an earlier event of the same source that is taken back.
  @inlinable public var retracts: ByteView { text(.retracts) }
  /// W3C trace context, handed on.
  @inlinable public var traceparent: ByteView { text(.traceparent) }
  /// W3C trace context, handed on.
  @inlinable public var tracestate: ByteView { text(.tracestate) }
  /// `time` as it was written.
  @inlinable public var time: ByteView { text(.time) }
  /// CloudEvents `dataschema`.
  @inlinable public var dataSchema: ByteView { text(.dataschema) }
  /// The media type of the data; absent means JSON.
  @inlinable public var dataContentType: ByteView { text(.datacontenttype) }
  /// Of an event that was fanned out: the audience that its recipient follows.
  @inlinable public var followedAudience: ByteView { fields.pointee.followedAudience }
  /// The priority; if absent, the catalog's.
  @inlinable public var priority: Priority? { fields.pointee.priority }
  /// After this instant nothing of the event is delivered, in milliseconds since the epoch.
  @inlinable public var expiryMilliseconds: Int64? { fields.pointee.expiryMilliseconds }
  /// CloudEvents `time`, in milliseconds since the epoch.
  @inlinable public var timeMilliseconds: Int64? { fields.pointee.timeMilliseconds }
  /// What the data is.
  @inlinable public var dataKind: DataKind { fields.pointee.dataKind }
  /// The data: in structured mode the slice of the JSON text, or the decoded string or base64.
  @inlinable public var data: ByteView { fields.pointee.data }
  /// The recipients, each once, in the order of the event: at least one, or none where it names an audience.
  @inlinable public var recipients: UnsafeBufferPointer<ByteView> { fields.pointee.recipients }
  /// Extension attributes that Tidings does not know, by their CloudEvents names; they are forwarded.
  @inlinable public var extensions: UnsafeBufferPointer<HeaderView> { fields.pointee.extensions }
  /// Where a forwarded event was read first; nil for one that was not forwarded.
  @inlinable public var origin: RecordPosition? { fields.pointee.origin }
  /// When a forwarded event was appended where it was read first, in milliseconds since the epoch; nil for one that was
  /// not forwarded, or by a version that did not note it.
  @inlinable public var originAppendedMilliseconds: Int64? { fields.pointee.originAppendedMilliseconds }

  /// The number of distinct recipients.
  @inlinable public var recipientCount: Int { recipients.count }

  /// The recipient at `index`, which must be below `recipientCount`.
  @inlinable public func recipient(at index: Int) -> ByteView { recipients[index] }
}

/// What a decoder has of an event besides its attributes (`EventView` explains each).
@usableFromInline
struct EventFields {
  @usableFromInline var followedAudience = ByteView.empty
  @usableFromInline var priority: Priority?
  @usableFromInline var expiryMilliseconds: Int64?
  @usableFromInline var timeMilliseconds: Int64?
  @usableFromInline var dataKind = EventView.DataKind.none
  @usableFromInline var data = ByteView.empty
  @usableFromInline var recipients = UnsafeBufferPointer<ByteView>(start: nil, count: 0)
  @usableFromInline var extensions = UnsafeBufferPointer<HeaderView>(start: nil, count: 0)
  @usableFromInline var origin: RecordPosition?
  @usableFromInline var originAppendedMilliseconds: Int64?
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
