import Contract

/// The keys of facts: XXH3-128 of the kind's number and of what the fact is about (`docs/formats.md`).
enum FactKey {
  /// That a notification was taken back.
  static func retraction(_ notification: Hash128) -> Hash128 {
    hash(.retraction, notification)
  }

  /// That a notification was seen.
  static func seen(_ notification: Hash128) -> Hash128 { hash(.seen, notification) }

  /// What is known of a recipient, by the hash of their key, on a channel, and for a category where the kind has one.
  static func engagement(
    _ kind: FactKind, of recipient: Hash128, on channel: Channel, category: ByteView = .empty
  ) -> Hash128 {
    let category = Hash128(of: category)
    return withUnsafeBytes(
      of: (
        UInt64(kind.rawValue).littleEndian, recipient.high.littleEndian, recipient.low.littleEndian,
        UInt64(channel.rawValue).littleEndian, category.high.littleEndian, category.low.littleEndian
      )
    ) { Hash128(of: ByteView($0)) }
  }

  private static func hash(_ kind: FactKind, _ subject: Hash128) -> Hash128 {
    withUnsafeBytes(
      of: (UInt64(kind.rawValue).littleEndian, subject.high.littleEndian, subject.low.littleEndian)
    ) { Hash128(of: ByteView($0)) }
  }
}
