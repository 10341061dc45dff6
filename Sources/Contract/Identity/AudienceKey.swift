/// The key of an audience: its name for the tenant `default`, else `tenant/name`; and the keys of its parts in the
/// subscriptions topic, which are that, `#` and the part's name.
///
/// `/`, `#` and control characters are allowed in neither name, so that a key has one reading only. All parts of an
/// audience are at home where the audience is: the part has no say in it.
public enum AudienceKey {
  /// Appends the key of an audience. Tenant and audience must be valid, as those of a decoded event are.
  public static func append(tenant: ByteView, audience: ByteView, to buffer: inout OutputBuffer) {
    RecipientKey.append(tenant: tenant, recipient: audience, to: &buffer)
  }

  /// The home partition of an audience among `count` partitions, `scratch` holding the key afterwards.
  public static func home(
    tenant: ByteView, audience: ByteView, count: Int32, scratch: inout OutputBuffer
  ) -> Int32 {
    RecipientKey.home(tenant: tenant, recipient: audience, count: count, scratch: &scratch)
  }

  /// What the key of a record of the subscriptions topic says. The views are valid as long as the key's.
  public struct Part {
    /// The tenant.
    public let tenant: ByteView
    /// The audience's name.
    public let audience: ByteView
    /// The audience's key, by which it is at home.
    public let key: ByteView
    /// The part's name; empty for the part of a key without `#`.
    public let part: ByteView
  }

  /// Reads the key of a record of the subscriptions topic.
  ///
  /// - Throws: `Rejection` when the key is empty, not UTF-8, or not of the form `name`, `tenant/name` or one of them
  ///   with `#part`; also for `default/name`, which would be a second key of the same audience.
  public static func split(_ recordKey: ByteView?) throws(Rejection) -> Part {
    guard let recordKey, !recordKey.isEmpty else {
      throw Rejection(
        .invalidAudience,
        "The record has no key. The key names the audience and its part: audience#part, or tenant/audience#part."
      )
    }
    guard recordKey.isUTF8 else { throw Rejection(.invalidUTF8, "The key is not valid UTF-8.") }
    let hash = recordKey.firstIndex(of: UInt8(ascii: "#")) ?? recordKey.count
    let key = recordKey.slice(0..<hash)
    let part = hash < recordKey.count ? recordKey.slice(hash + 1..<recordKey.count) : .empty
    if hash < recordKey.count { try check(part, what: "part", named: "key") }
    guard let slash = key.firstIndex(of: UInt8(ascii: "/")) else {
      try check(audience: key, named: "key")
      return Part(tenant: ByteView(RecipientKey.defaultTenant), audience: key, key: key, part: part)
    }
    let tenant = key.slice(0..<slash)
    let audience = key.slice(slash + 1..<key.count)
    guard !tenant.equals(RecipientKey.defaultTenant) else {
      throw Rejection(
        .invalidTenant,
        "The key of an audience of the tenant \"default\" is its name alone, without \"default/\".")
    }
    try RecipientKey.check(tenant: tenant, named: "key")
    try check(audience: audience, named: "key")
    return Part(tenant: tenant, audience: audience, key: key, part: part)
  }

  static func check(audience: ByteView, named name: StaticString) throws(Rejection) {
    try check(audience, what: "audience", named: name)
  }

  private static func check(_ text: ByteView, what: StaticString, named name: StaticString) throws(Rejection)
  {
    try RecipientKey.check(
      part: text, what: what, named: name, emptyReason: .invalidAudience, reason: .invalidAudience)
    if text.contains(UInt8(ascii: "#")) {
      throw Rejection(
        .invalidAudience,
        "The \(what) \"\(text.excerpt())\" in \"\(name)\" holds \"#\", which stands before the name of a part."
      )
    }
  }
}
