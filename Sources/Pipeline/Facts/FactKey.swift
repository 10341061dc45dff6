import Contract

/// The keys of facts: XXH3-128 of the kind's number and of what the fact is about (`docs/formats.md`).
enum FactKey {
  /// That a notification was taken back.
  static func retraction(_ notification: Hash128) -> Hash128 {
    hash(.retraction, notification)
  }

  private static func hash(_ kind: FactKind, _ subject: Hash128) -> Hash128 {
    withUnsafeBytes(
      of: (UInt64(kind.rawValue).littleEndian, subject.high.littleEndian, subject.low.littleEndian)
    ) { Hash128(of: ByteView($0)) }
  }
}
