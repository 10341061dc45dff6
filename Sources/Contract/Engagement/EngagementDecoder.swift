/// Reads the records of the engagement topic: CloudEvents of one recipient in both content modes, with what they need
/// besides. Not thread-safe.
public struct EngagementDecoder: ~Copyable {
  private var events: EventDecoder
  private var parser: JSONParser
  private var scratch = OutputBuffer(capacity: 256)

  /// A decoder with the limits of events.
  ///
  /// - Throws: `JSONError` when there is no memory.
  public init(limits: EventLimits = EventLimits()) throws(JSONError) {
    // All that can fail comes before the first field: a part of a non-copyable value cannot be thrown away.
    var events = try EventDecoder(limits: limits)
    events.allowsEveryCategory = true
    let parser = try JSONParser(maxDepth: limits.maxDepth)
    self.events = events
    self.parser = parser
  }

  /// Decodes a record.
  ///
  /// - Throws: `Rejection` with the attribute that is wrong.
  public mutating func decode(_ record: InputRecord) throws(Rejection) -> Engagement {
    let event: EventView
    switch events.decode(record) {
    case .event(let decoded): event = decoded
    case .rejected(let rejection): throw rejection
    }
    let kind = try Self.kind(of: event)
    guard event.recipientCount == 1 else {
      throw Rejection(
        .invalidAttribute,
        "\"recipients\" names \(event.recipientCount) recipients. An engagement record is about one of them.")
    }
    let channel = try Self.channel(of: event, kind)
    if kind == .unsubscribed || kind == .resubscribed, event.category.isEmpty {
      throw Rejection(
        .missingAttribute, "\"category\" is missing: which one is \(kind.rawValue), on \"\(channel.name)\"?")
    }
    var engagement = Engagement(
      kind: kind, source: event.source, id: event.id, tenant: event.tenant, recipient: event.recipient(at: 0),
      channel: channel,
      category: event.category, address: .empty, delivery: Self.attribute("delivery", of: event),
      notifications: [], time: event.timeMilliseconds)
    if kind.isSight { engagement.notifications = try notifications(of: event) }
    if kind == .bounced { engagement.address = try address(of: event) }
    return engagement
  }

  private static func kind(of event: EventView) throws(Rejection) -> Engagement.Kind {
    let prefix = Engagement.Kind.typePrefix
    if event.type.hasPrefix(prefix) {
      let name = event.type.slice(prefix.utf8CodeUnitCount..<event.type.count).string
      if let kind = Engagement.Kind(rawValue: name) { return kind }
    }
    let known = Engagement.Kind.allCases.map { "\"\($0.type)\"" }.joined(separator: ", ")
    throw Rejection(.invalidAttribute, "\"type\" is \"\(event.type.excerpt())\"; \(known) are allowed.")
  }

  private static func channel(of event: EventView, _ kind: Engagement.Kind) throws(Rejection) -> Channel {
    let name = attribute("channel", of: event)
    guard !name.isEmpty else { throw Rejection(.missingAttribute, "\"channel\" is missing.") }
    guard let channel = Channel(name: name) else {
      throw Rejection(
        .invalidAttribute, "\"channel\" is \"\(name.excerpt())\"; \"email\" or \"inapp\" is allowed.")
    }
    guard channel == .email || (kind != .bounced && kind != .complained) else {
      throw Rejection(
        .invalidAttribute, "\"channel\" is \"\(channel.name)\", on which nothing is \(kind.rawValue).")
    }
    return channel
  }

  private static func attribute(_ name: StaticString, of event: EventView) -> ByteView {
    event.extensions.first { $0.name.equals(name) }?.value ?? .empty
  }

  // MARK: - Data

  private mutating func object(of event: EventView) throws(Rejection) -> JSONValue {
    guard event.dataKind == .json else {
      throw Rejection(.missingAttribute, "\"data\" is missing, or is not JSON.")
    }
    let root: JSONValue
    do {
      root = try parser.parse(event.data)
    } catch {
      throw Rejection(.notJSON, "The data is not JSON: \(error).")
    }
    guard root.kind == .object else { throw Rejection(.invalidAttribute, "\"data\" is not a JSON object.") }
    return root
  }

  private mutating func address(of event: EventView) throws(Rejection) -> ByteView {
    let root = try object(of: event)
    guard let value = root["address"], value.kind != .null else {
      throw Rejection(.missingAttribute, "\"address\" is missing in \"data\": which one has bounced?")
    }
    guard value.kind == .string, !value.string.isEmpty else {
      throw Rejection(.invalidAttribute, "\"address\" in \"data\" is no address.")
    }
    scratch.removeAll()
    scratch.reserve(value.raw.count)
    return value.string(scratch: &scratch)
  }

  private mutating func notifications(of event: EventView) throws(Rejection) -> [Hash128] {
    let root = try object(of: event)
    guard let list = root["events"] else {
      throw Rejection(.missingAttribute, "\"events\" is missing in \"data\": what was seen?")
    }
    guard list.kind == .array else {
      throw Rejection(.invalidAttribute, "\"events\" in \"data\" is not an array.")
    }
    var found: [Hash128] = []
    for element in list.elements {
      guard element.kind == .object else {
        throw Rejection(.invalidAttribute, "An entry of \"events\" is not an object.")
      }
      guard found.count < Engagement.maxNotifications else {
        throw Rejection(
          .invalidAttribute, "\"events\" has more than \(Engagement.maxNotifications) entries.")
      }
      let source = try element.requiredText("source")
      let id = try element.requiredText("id")
      found.append(
        source.withByteView { source in
          id.withByteView {
            NotificationID.hash(
              tenant: event.tenant, source: source, id: $0, recipient: event.recipient(at: 0))
          }
        })
    }
    guard !found.isEmpty else { throw Rejection(.emptyAttribute, "\"events\" in \"data\" is empty.") }
    return found
  }
}
