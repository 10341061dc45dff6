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
    append("{\"source\":")
    append(jsonString: event.source)
    append(comma: "id", text: event.id)
    append(comma: "type", text: event.type)
    append(comma: "time", present: event.time)
    append(comma: "actor", present: event.actor)
    append(comma: "subject", present: event.subject)
    append(comma: "acceptedAt", instant: acceptedAtMilliseconds)
    if let templates {
      append(comma: "title", text: templates.title)
      append(comma: "link", text: templates.link)
    }
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
    reserve(items.count + 1024)
    append(envelopeOf: head)
    append(",\"data\":{\"tenant\":")
    append(jsonString: head.tenant)
    append(comma: "recipient", text: head.recipient)
    append(comma: "channel", literal: head.channel.literal)
    append(comma: "kind", literal: head.kind.literal)
    append(comma: "category", text: head.category)
    append(comma: "type", text: head.type)
    append(comma: "priority", literal: head.priority.literal)
    if head.address.isEmpty {
      append(",\"address\":null")
    } else {
      append(comma: "address", text: head.address)
    }
    append(comma: "locale", present: head.locale)
    append(comma: "timeZone", present: head.timeZone)
    append(comma: "title", text: head.title)
    append(comma: "link", present: head.link)
    append(comma: "digestTitle", present: head.digestTitle)
    append(comma: "catalog", catalog: head.catalog)
    if let offset = head.recipientRecord {
      append(comma: "recipientRecord", number: offset)
    } else {
      append(",\"recipientRecord\":null")
    }
    if let window = head.window { append(window: window) }
    append(",\"totals\":{\"events\":")
    append(decimal: Int64(head.totalEvents))
    append(comma: "actors", number: Int64(head.totalActors))
    append("},\"items\":[")
    append(items)
    append("]}}")
  }

  private mutating func append(envelopeOf head: DeliveryHead) {
    append("{\"specversion\":\"1.0\",\"id\":")
    append(quoted: head.id)
    append(",\"source\":\"tidings\",\"type\":\"tidings.delivery.v1\"")
    append(comma: "time", instant: head.timeMilliseconds)
    append(comma: "subject", text: head.recipient)
    append(",\"datacontenttype\":\"application/json\"")
    append(comma: "traceparent", present: head.traceparent)
    append(comma: "tracestate", present: head.tracestate)
  }

  private mutating func append(window: DeliveryHead.Window) {
    append(",\"window\":{\"id\":")
    append(quoted: window.id)
    append(comma: "opened", instant: window.openedMilliseconds)
    append(comma: "due", instant: window.dueMilliseconds)
    append("}")
  }
}
