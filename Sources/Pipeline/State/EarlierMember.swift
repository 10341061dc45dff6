import Contract

/// A member of a window as versions 1 and 2 of the state's format have it: all fields, whether they say something or
/// not.
enum EarlierMember {
  /// Appends members to a buffer in today's encoding; false where the bytes are no members.
  static func convert(_ bytes: ByteView, into buffer: inout OutputBuffer) -> Bool {
    var reader = ByteReader(bytes)
    while !reader.isAtEnd {
      guard let notification = reader.hash(), let actor = reader.integer(UInt64.self),
        let expiry = reader.integer(Int64.self), let fragment = reader.lengthPrefixed()
      else { return false }
      WindowMember(notification: notification, actor: actor, expiry: expiry, fragment: fragment)
        .append(to: &buffer)
    }
    return true
  }
}
