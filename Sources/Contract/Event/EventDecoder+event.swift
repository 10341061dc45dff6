extension EventDecoder {
  /// The event of the attributes and data that were read, if it keeps the contract.
  @inline(__always)
  mutating func event() throws(Rejection) -> EventView {
    try checkSpecVersion()
    let id = try required(.id)
    let source = try required(.source)
    let type = try required(.type)
    let tenant = try tenant()
    try readRecipients()
    let time = optional(.time)
    let expiry = optional(.expirytime)
    return EventView(
      id: id, source: source, type: type, tenant: tenant, audience: optional(.audience),
      followedAudience: followedAudience, actor: optional(.actor),
      category: optional(.category),
      subject: optional(.subject), priority: try priority(),
      expiryMilliseconds: try instant(.expirytime, expiry),
      expiry: expiry, collapseKey: optional(.collapsekey), retracts: optional(.retracts),
      traceparent: optional(.traceparent), tracestate: optional(.tracestate),
      timeMilliseconds: try instant(.time, time), time: time, dataSchema: optional(.dataschema),
      dataContentType: optional(.datacontenttype), dataKind: dataKind, data: data,
      recipients: recipients.view,
      extensions: UnsafeBufferPointer(start: extensions, count: extensionCount), origin: origin,
      originAppendedMilliseconds: originAppended)
  }

  private func optional(_ attribute: EventAttribute) -> ByteView { attributes[attribute.rawValue] ?? .empty }

  private func required(_ attribute: EventAttribute) throws(Rejection) -> ByteView {
    guard let value = attributes[attribute.rawValue] else {
      throw Rejection(.missingAttribute, "\"\(attribute.literal)\" is missing.")
    }
    guard !value.isEmpty else { throw Rejection(.emptyAttribute, "\"\(attribute.literal)\" is empty.") }
    return value
  }

  private func checkSpecVersion() throws(Rejection) {
    let version = try required(.specversion)
    guard version.equals("1.0") else {
      throw Rejection(
        .unsupportedSpecVersion,
        "\"specversion\" is \"\(version.excerpt())\", and \"1.0\" is what is supported.")
    }
  }

  private func tenant() throws(Rejection) -> ByteView {
    guard let tenant = attributes[EventAttribute.tenant.rawValue] else {
      return ByteView(RecipientKey.defaultTenant)
    }
    guard !tenant.isEmpty else {
      throw Rejection(.emptyAttribute, "\"tenant\" is empty. Leave it out for the tenant \"default\".")
    }
    try RecipientKey.check(tenant: tenant, named: "tenant")
    return tenant
  }

  private mutating func readRecipients() throws(Rejection) {
    let single = attributes[EventAttribute.recipient.rawValue]
    let list = attributes[EventAttribute.recipients.rawValue]
    if let audience = attributes[EventAttribute.audience.rawValue] {
      guard single == nil, list == nil else {
        throw Rejection(
          .conflictingRecipients,
          "\"audience\" is given and \"\(single == nil ? "recipients" : "recipient")\" as well; one is allowed."
        )
      }
      return try AudienceKey.check(audience: audience, named: "audience")
    }
    switch (single, list) {
    case (nil, nil):
      throw Rejection(
        .missingAttribute, "\"recipient\" is missing (or \"recipients\", comma-separated, or \"audience\").")
    case (.some, .some):
      throw Rejection(
        .conflictingRecipients, "Both \"recipient\" and \"recipients\" are given; one is allowed.")
    case (let recipient?, nil):
      try RecipientKey.check(recipient: recipient, named: "recipient")
      recipients.setSingle(recipient)
    case (nil, let list?):
      if list.isEmpty { throw Rejection(.emptyRecipient, "\"recipients\" is empty.") }
      try recipients.setList(list)
      for recipient in recipients.view {
        try RecipientKey.check(recipient: recipient, named: "recipients")
        if recipient.count > limits.maxAttributeBytes {
          throw Rejection(
            .attributeTooLong,
            "An entry of \"recipients\" has \(recipient.count) bytes, and at most \(limits.maxAttributeBytes) are allowed."
          )
        }
      }
    }
  }

  private func priority() throws(Rejection) -> Priority? {
    guard let name = attributes[EventAttribute.priority.rawValue] else { return nil }
    guard let priority = Priority(name: name) else {
      throw Rejection(
        .invalidAttribute, "\"priority\" is \"\(name.excerpt())\", and \"normal\" or \"critical\" is allowed."
      )
    }
    return priority
  }

  private func instant(_ attribute: EventAttribute, _ text: ByteView) throws(Rejection) -> Int64? {
    guard attributes[attribute.rawValue] != nil else { return nil }
    guard let milliseconds = RFC3339.milliseconds(of: text) else {
      throw Rejection(
        .invalidAttribute,
        "\"\(attribute.literal)\" is \"\(text.excerpt())\", which is no RFC 3339 time such as 2026-03-01T09:30:00Z."
      )
    }
    return milliseconds
  }
}
