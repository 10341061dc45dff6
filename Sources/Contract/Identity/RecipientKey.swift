/// The key of a recipient in every topic: the id for the tenant `default`, else `tenant/id`.
///
/// `/` and control characters are allowed in neither part, so that a key has one reading only.
public enum RecipientKey {
  /// The tenant of events that name none.
  public static var defaultTenant: StaticString { "default" }

  /// Appends the key of a recipient. Tenant and recipient must be valid, as those of a decoded event are.
  public static func append(tenant: ByteView, recipient: ByteView, to buffer: inout OutputBuffer) {
    if !tenant.equals(defaultTenant) {
      buffer.append(tenant)
      buffer.append(byte: UInt8(ascii: "/"))
    }
    buffer.append(recipient)
  }

  /// The home partition of a recipient among `count` partitions, `scratch` holding the key afterwards.
  public static func home(
    tenant: ByteView, recipient: ByteView, count: Int32, scratch: inout OutputBuffer
  ) -> Int32 {
    if tenant.equals(defaultTenant) { return Murmur2.partition(ofKey: recipient, count: count) }
    scratch.removeAll()
    append(tenant: tenant, recipient: recipient, to: &scratch)
    return Murmur2.partition(ofKey: scratch.view, count: count)
  }

  /// Tenant and recipient of a key; the views are valid as long as the key's.
  ///
  /// - Throws: `Rejection` when the key is empty, not UTF-8, or not of the form `id` or `tenant/id`; also for
  ///   `default/id`, which would be a second key of the same recipient.
  public static func split(_ key: ByteView?) throws(Rejection) -> (tenant: ByteView, recipient: ByteView) {
    guard let key, !key.isEmpty else {
      throw Rejection(
        .invalidRecipient, "The record has no key. The key names the recipient: id, or tenant/id.")
    }
    guard let slash = key.firstIndex(of: UInt8(ascii: "/")) else {
      try check(recipient: key, named: "key")
      return (ByteView(defaultTenant), key)
    }
    let tenant = key.slice(0..<slash)
    let recipient = key.slice(slash + 1..<key.count)
    guard !tenant.equals(defaultTenant) else {
      throw Rejection(
        .invalidTenant,
        "The key of a recipient of the tenant \"default\" is the id alone, without \"default/\".")
    }
    try check(tenant: tenant, named: "key")
    try check(recipient: recipient, named: "key")
    return (tenant, recipient)
  }

  static func check(tenant: ByteView, named name: StaticString) throws(Rejection) {
    try check(part: tenant, what: "tenant", named: name, emptyReason: .invalidTenant, reason: .invalidTenant)
  }

  @inline(__always)
  static func check(recipient: ByteView, named name: StaticString) throws(Rejection) {
    if !recipient.isEmpty, recipient.isPlainASCII { return }
    try check(
      part: recipient, what: "recipient", named: name, emptyReason: .emptyRecipient, reason: .invalidRecipient
    )
  }

  static func check(
    part: ByteView, what: StaticString, named name: StaticString, emptyReason: RejectionReason,
    reason: RejectionReason
  ) throws(Rejection) {
    if part.isEmpty { throw Rejection(emptyReason, "A \(what) in \"\(name)\" is empty.") }
    if part.isPlainASCII { return }
    guard part.isUTF8 else { throw Rejection(.invalidUTF8, "\"\(name)\" is not valid UTF-8.") }
    if part.contains(UInt8(ascii: "/")) {
      throw Rejection(
        reason, "The \(what) \"\(part.excerpt())\" in \"\(name)\" holds \"/\", which is not allowed.")
    }
    if part.hasControlCharacter {
      throw Rejection(reason, "A \(what) in \"\(name)\" holds a control character, which is not allowed.")
    }
  }
}
