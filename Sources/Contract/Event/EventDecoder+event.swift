extension EventDecoder {
  /// The event of the attributes and data that were read, if it keeps the contract.
  @inline(__always)
  mutating func event() throws(Rejection) -> EventView {
    try checkSpecVersion()
    try require(.id)
    try require(.source)
    try require(.type)
    if has(.tenant) {
      try checkTenant()
    } else {
      texts[EventAttribute.tenant.place] = ByteView(RecipientKey.defaultTenant)
    }
    try readRecipients()
    if has(.category), !allowsEveryCategory { try checkCategory() }
    if has(.priority) { fields.pointee.priority = try priority() }
    if has(.expirytime) { fields.pointee.expiryMilliseconds = try instant(.expirytime) }
    if has(.time) { fields.pointee.timeMilliseconds = try instant(.time) }
    fields.pointee.recipients = recipients.view
    fields.pointee.extensions = extensions.view
    return EventView(texts: texts, fields: fields)
  }

  @inline(__always)
  private mutating func require(_ attribute: EventAttribute) throws(Rejection) {
    if texts[attribute].isEmpty { throw absence(of: attribute) }
  }

  @inline(never)
  private mutating func absence(of attribute: EventAttribute) -> Rejection {
    has(attribute)
      ? Rejection(.emptyAttribute, "\"\(attribute.name)\" is empty.")
      : Rejection(.missingAttribute, "\"\(attribute.name)\" is missing.")
  }

  @inline(__always)
  private mutating func checkSpecVersion() throws(Rejection) {
    try require(.specversion)
    let version = texts[.specversion]
    guard version.equals("1.0") else {
      throw Rejection(
        .unsupportedSpecVersion,
        "\"specversion\" is \"\(version.excerpt())\", and \"1.0\" is what is supported.")
    }
  }

  private mutating func checkTenant() throws(Rejection) {
    let tenant = texts[.tenant]
    guard !tenant.isEmpty else {
      throw Rejection(.emptyAttribute, "\"tenant\" is empty. Leave it out for the tenant \"default\".")
    }
    try RecipientKey.check(tenant: tenant, named: "tenant")
  }

  /// Who unsubscribed from such a category would have unsubscribed from all.
  private mutating func checkCategory() throws(Rejection) {
    guard !texts[.category].equals(Engagement.everyCategory) else {
      throw Rejection(
        .invalidAttribute,
        "\"category\" is \"*\", which stands for all categories. Name one, or leave it out for the catalog's."
      )
    }
  }

  private mutating func readRecipients() throws(Rejection) {
    // As nearly all events say it.
    if has(.recipient), !has(.recipients), !has(.audience) {
      let recipient = texts[.recipient]
      try RecipientKey.check(recipient: recipient, named: "recipient")
      return recipients.setSingle(recipient)
    }
    if has(.audience) {
      guard !has(.recipient), !has(.recipients) else {
        throw Rejection(
          .conflictingRecipients,
          "\"audience\" is given and \"\(has(.recipient) ? "recipient" : "recipients")\" as well; one is allowed."
        )
      }
      return try AudienceKey.check(audience: texts[.audience], named: "audience")
    }
    guard has(.recipients) else {
      throw Rejection(
        .missingAttribute, "\"recipient\" is missing (or \"recipients\", comma-separated, or \"audience\").")
    }
    guard !has(.recipient) else {
      throw Rejection(
        .conflictingRecipients, "Both \"recipient\" and \"recipients\" are given; one is allowed.")
    }
    let list = texts[.recipients]
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

  private mutating func priority() throws(Rejection) -> Priority {
    let name = texts[.priority]
    guard let priority = Priority(name: name) else {
      throw Rejection(
        .invalidAttribute, "\"priority\" is \"\(name.excerpt())\", and \"normal\" or \"critical\" is allowed."
      )
    }
    return priority
  }

  private mutating func instant(_ attribute: EventAttribute) throws(Rejection) -> Int64 {
    let text = texts[attribute]
    guard let milliseconds = RFC3339.milliseconds(of: text) else {
      throw Rejection(
        .invalidAttribute,
        "\"\(attribute.name)\" is \"\(text.excerpt())\", which is no RFC 3339 time such as 2026-03-01T09:30:00Z."
      )
    }
    return milliseconds
  }
}
