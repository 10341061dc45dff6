import Contract
import Policy

extension Pipeline {
  /// Delivers an arrival by itself.
  mutating func deliver(
    _ arrival: Arrival, on channel: Channel, _ profile: RecipientAddressing
  ) -> ChannelOutcome {
    let id = DeliveryID.single(arrival.notification, channel: channel)
    var head = DeliveryHead(
      id: id, timeMilliseconds: arrival.now, tenant: arrival.event.tenant, recipient: arrival.recipient,
      channel: channel,
      kind: .single, category: arrival.category, type: arrival.event.type,
      priority: arrival.priority,
      title: catalog.text(arrival.rules.title), catalog: catalog.version, totalEvents: 1,
      totalActors: arrival.event.actor.isEmpty ? 0 : 1)
    if let link = arrival.rules.link { head.link = catalog.text(link) }
    if let digestTitle = arrival.rules.digestTitle { head.digestTitle = catalog.text(digestTitle) }
    head.recipientRecord = profile.offset
    head.traceparent = arrival.event.traceparent
    head.tracestate = arrival.event.tracestate
    var item = item(of: arrival, maxDataBytes: configuration.deliveryLimit)
    if item.count > configuration.deliveryLimit - 16_384 { item = self.item(of: arrival, maxDataBytes: -1) }
    write(&head, items: item, on: channel, profile, eventAppended: arrival.appended)
    return .delivered(delivery: id)
  }

  /// The JSON of an arrival's item, valid until the next one is asked for. All deliveries and windows that take it as it
  /// is share its bytes.
  ///
  /// - Parameters:
  ///   - maxDataBytes: data larger than this is left out.
  ///   - templates: of the item's type, where they are not those of its digest.
  mutating func item(
    of arrival: Arrival, maxDataBytes: Int, templates: (title: ByteView, link: ByteView)? = nil
  ) -> ByteView {
    if templates == nil, arrival.event.data.count <= maxDataBytes {
      if itemScratch.count == 0 { Self.encode(arrival, maxDataBytes, templates: nil, to: &itemScratch) }
      return itemScratch.view
    }
    memberScratch.removeAll()
    Self.encode(arrival, maxDataBytes, templates: templates, to: &memberScratch)
    return memberScratch.view
  }

  private static func encode(
    _ arrival: Arrival, _ maxDataBytes: Int, templates: (title: ByteView, link: ByteView)?,
    to buffer: inout OutputBuffer
  ) {
    buffer.append(
      deliveryItem: arrival.event, acceptedAtMilliseconds: arrival.appended, maxDataBytes: maxDataBytes,
      templates: templates)
  }

  /// Puts a delivery into the outbox, with what the recipient's record says.
  mutating func write(
    _ head: inout DeliveryHead, items: ByteView, on channel: Channel, _ profile: RecipientAddressing,
    eventAppended: Int64
  ) {
    let keyStart = outbox.bytes.count
    RecipientKey.append(tenant: head.tenant, recipient: head.recipient, to: &outbox.bytes)
    let valueStart = outbox.bytes.count
    if configuration.flaws.contains(.recipientRecordNotNamed) { head.recipientRecord = nil }
    head.address = profile.layers.recipient?.address(for: channel) ?? .empty
    head.locale = profile.layers.locale
    head.timeZone = profile.layers.timeZone
    outbox.bytes.append(delivery: head, items: items)
    outbox.addDelivery(
      on: channel, partition: configuration.partition, keyStart: keyStart, valueStart: valueStart,
      eventAppended: eventAppended)
  }
}
