extension OutputBuffer {
  /// Appends one item of a delivery as a JSON object. A window keeps these bytes and joins them with commas.
  ///
  /// - Parameters:
  ///   - acceptedAtMilliseconds: the append time of the event, in milliseconds since the epoch.
  ///   - maxDataBytes: data larger than this is left out, and the item says so (`dataOmitted`).
  ///   - templates: title and link templates of the item's type, where they are not those of the delivery: a digest
  ///     may hold several types. An empty link stands for none.
  public mutating func append(
    deliveryItem event: EventView, acceptedAtMilliseconds: Int64, maxDataBytes: Int,
    templates: (title: ByteView, link: ByteView)? = nil
  ) {
    let texts =
      event.source.count + event.id.count + event.type.count + event.time.count + event.actor.count
      + event.subject.count + (templates.map { $0.title.count + $0.link.count } ?? 0)
    write(atMost: 256 + 6 * texts) { $0.write(event, acceptedAtMilliseconds, templates) }
    if event.dataKind == .text || event.dataKind == .binary {
      append(comma: "datacontenttype", present: event.dataContentType)
    }
    if event.data.count > maxDataBytes {
      append(",\"dataOmitted\":true}")
      return
    }
    switch event.dataKind {
    case .none: break
    case .json:
      append(comma: "data")
      append(event.data)
    case .text:
      append(comma: "data", text: event.data)
    case .binary:
      append(comma: "data_base64")
      append(base64: event.data)
    }
    append(byte: UInt8(ascii: "}"))
  }

  /// Appends a whole delivery: a CloudEvent of type `tidings.delivery.v1` in the JSON format.
  ///
  /// - Parameter items: the items' objects, joined with commas; at least one.
  public mutating func append(delivery head: DeliveryHead, items: ByteView) {
    let texts =
      head.tenant.count + 2 * head.recipient.count + head.category.count + head.type.count
      + head.address.count + head.locale.count + head.timeZone.count + head.title.count + head.link.count
      + head.digestTitle.count + head.traceparent.count + head.tracestate.count
    write(atMost: 1024 + 6 * texts + items.count) { $0.write(head, items) }
  }
}

extension OutputCursor {
  /// An item up to its data.
  fileprivate mutating func write(
    _ event: EventView, _ acceptedAtMilliseconds: Int64, _ templates: (title: ByteView, link: ByteView)?
  ) {
    literal(#"{"source":"#)
    string(event.source)
    literal(#","id":"#)
    string(event.id)
    literal(#","type":"#)
    string(event.type)
    member(#","time":"#, present: event.time)
    member(#","actor":"#, present: event.actor)
    member(#","subject":"#, present: event.subject)
    literal(#","acceptedAt":"#)
    time(acceptedAtMilliseconds)
    if let templates {
      literal(#","title":"#)
      string(templates.title)
      literal(#","link":"#)
      string(templates.link)
    }
  }

  fileprivate mutating func write(_ head: DeliveryHead, _ items: ByteView) {
    literal(#"{"specversion":"1.0","id":"#)
    quoted(head.id)
    literal(#","source":"tidings","type":"tidings.delivery.v1","time":"#)
    time(head.timeMilliseconds)
    literal(#","subject":"#)
    string(head.recipient)
    literal(#","datacontenttype":"application/json""#)
    member(#","traceparent":"#, present: head.traceparent)
    member(#","tracestate":"#, present: head.tracestate)
    literal(#","data":{"tenant":"#)
    string(head.tenant)
    literal(#","recipient":"#)
    string(head.recipient)
    literal(#","channel":"#)
    quoted(head.channel.literal)
    literal(#","kind":"#)
    quoted(head.kind.literal)
    literal(#","category":"#)
    string(head.category)
    if head.hasSeveralCategories { literal(#","severalCategories":true"#) }
    literal(#","type":"#)
    string(head.type)
    literal(#","priority":"#)
    quoted(head.priority.literal)
    literal(#","address":"#)
    if head.address.isEmpty { literal("null") } else { string(head.address) }
    member(#","locale":"#, present: head.locale)
    member(#","timeZone":"#, present: head.timeZone)
    literal(#","title":"#)
    string(head.title)
    member(#","link":"#, present: head.link)
    member(#","digestTitle":"#, present: head.digestTitle)
    literal(#","catalog":"#)
    quoted(catalog: head.catalog)
    literal(#","recipientRecord":"#)
    if let offset = head.recipientRecord { decimal(offset) } else { literal("null") }
    if let window = head.window {
      literal(#","window":{"id":"#)
      quoted(window.id)
      literal(#","opened":"#)
      time(window.openedMilliseconds)
      literal(#","due":"#)
      time(window.dueMilliseconds)
      byte(UInt8(ascii: "}"))
    }
    literal(#","totals":{"events":"#)
    decimal(Int64(head.totalEvents))
    literal(#","actors":"#)
    decimal(Int64(head.totalActors))
    literal(#"},"items":["#)
    bytes(items)
    literal("]}}")
  }

  /// A member with a text, unless that is empty.
  @inline(__always)
  private mutating func member(_ name: StaticString, present text: ByteView) {
    if text.isEmpty { return }
    literal(name)
    string(text)
  }
}
