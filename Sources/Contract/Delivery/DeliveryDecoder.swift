/// Reads the records of delivery topics. Unknown fields are ignored, so that a sink outlives additions.
public struct DeliveryDecoder: ~Copyable {
  private var parser: JSONParser

  /// A decoder; its memory is reused for every record.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init() throws(JSONError) {
    // Data stands four levels below the delivery.
    parser = try JSONParser(maxDepth: EventLimits().maxDepth + 28)
  }

  /// Decodes the value of a record.
  ///
  /// - Throws: `Rejection` with the field that is wrong: such a record belongs to the dead letters.
  public mutating func decode(_ value: ByteView?) throws(Rejection) -> Delivery {
    guard let value else { throw Rejection(.tombstone, "The record has no value.") }
    let root: JSONValue
    do {
      root = try parser.parse(value)
    } catch {
      throw Rejection(
        error.kind == .invalidUTF8 ? .invalidUTF8 : .notJSON, "The delivery is not JSON: \(error).")
    }
    guard root.kind == .object else { throw Rejection(.notJSON, "The delivery is not a JSON object.") }
    let version = try root.requiredText("specversion")
    guard version == "1.0" else {
      throw Rejection(.unsupportedSpecVersion, "\"specversion\" is \"\(version)\" and not \"1.0\".")
    }
    let type = try root.requiredText("type")
    guard type == "tidings.delivery.v1" else {
      throw Rejection(
        .unknownType, "The record is a \"\(type)\", and this version reads \"tidings.delivery.v1\".")
    }
    return try Delivery(root: root, data: try root.required("data", .object))
  }
}

extension Delivery {
  fileprivate init(root: JSONValue, data: JSONValue) throws(Rejection) {
    id = try root.requiredText("id")
    guard let time = try root.optionalInstant("time") else {
      throw Rejection(.missingAttribute, "\"time\" is missing.")
    }
    timeMilliseconds = time
    traceparent = try root.optionalText("traceparent")
    tracestate = try root.optionalText("tracestate")
    tenant = try data.requiredText("tenant")
    recipient = try data.requiredText("recipient")
    channel = try data.choice("channel", Channel.allCases, \.literal)
    kind = try data.choice("kind", DeliveryKind.allCases, \.literal)
    priority = try data.choice("priority", Priority.allCases, \.literal)
    let category = try data.requiredText("category")
    self.category = data["severalCategories"]?.bool ?? false ? nil : category
    self.type = try data.requiredText("type")
    address = try data.optionalText("address")
    locale = try data.optionalText("locale")
    timeZone = try data.optionalText("timeZone")
    title = try data.requiredText("title")
    link = try data.optionalText("link")
    digestTitle = try data.optionalText("digestTitle")
    catalog = try data.requiredText("catalog")
    recipientRecord = try data.optionalInteger("recipientRecord")
    window = try Window(of: data)
    let totals = try data.required("totals", .object)
    let list = try data.required("items", .array)
    items = []
    for element in list.elements { items.append(try Item(element, title: title, link: link)) }
    // Of a digest whose first items had all expired only the totals are left.
    guard !items.isEmpty || kind == .digest else {
      throw Rejection(.invalidAttribute, "\"items\" is empty.")
    }
    totalEvents = Int(clamping: try totals.optionalInteger("events") ?? Int64(items.count))
    totalActors = Int(clamping: try totals.optionalInteger("actors") ?? 0)
    guard (items.count...Delivery.totalLimit).contains(totalEvents), (0...totalEvents).contains(totalActors)
    else {
      throw Rejection(
        .invalidAttribute,
        "\"totals\" counts \(totalEvents) events and \(totalActors) actors of \(items.count) items.")
    }
  }
}

extension Delivery.Window {
  fileprivate init?(of data: JSONValue) throws(Rejection) {
    guard let window = data["window"], window.kind != .null else { return nil }
    guard window.kind == .object else { throw Rejection(.invalidAttribute, "\"window\" is not an object.") }
    id = try window.requiredText("id")
    guard let opened = try window.optionalInstant("opened"), let due = try window.optionalInstant("due")
    else {
      throw Rejection(.missingAttribute, "\"window\" lacks \"opened\" or \"due\".")
    }
    openedMilliseconds = opened
    dueMilliseconds = due
  }
}

extension Delivery.Item {
  /// - Parameters: the delivery's templates, for an item that has none of its own.
  fileprivate init(_ item: JSONValue, title: String, link: String?) throws(Rejection) {
    guard item.kind == .object else {
      throw Rejection(.invalidAttribute, "An entry of \"items\" is not an object.")
    }
    source = try item.requiredText("source")
    id = try item.requiredText("id")
    type = try item.requiredText("type")
    time = try item.optionalText("time")
    actor = try item.optionalText("actor")
    subject = try item.optionalText("subject")
    guard let accepted = try item.optionalInstant("acceptedAt") else {
      throw Rejection(.missingAttribute, "An item has no \"acceptedAt\".")
    }
    acceptedAtMilliseconds = accepted
    if let own = try item.optionalText("title") {
      self.title = own
      let ownLink = try item.optionalText("link")
      self.link = ownLink?.isEmpty ?? true ? nil : ownLink
    } else {
      self.title = title
      self.link = link
    }
    dataContentType = try item.optionalText("datacontenttype")
    data = item["data"].map { JSONTree($0) }
    dataBase64 = try item.optionalText("data_base64")
    isDataOmitted = item["dataOmitted"]?.bool ?? false
  }
}

extension JSONValue {
  /// The field as one of a few names.
  fileprivate func choice<Value>(
    _ name: StaticString, _ values: some Collection<Value>, _ literal: (Value) -> StaticString
  ) throws(Rejection) -> Value {
    let text = try requiredText(name)
    for value in values where literal(value).description == text { return value }
    let known = values.map { "\"\(literal($0))\"" }.joined(separator: ", ")
    throw Rejection(.invalidAttribute, "\"\(name)\" is \"\(text)\", and known are \(known).")
  }
}
