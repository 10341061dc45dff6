/// At most so many notifications that are delivered at once in a period; what goes beyond waits for a digest.
///
/// A period begins with the first delivery that counts, and the next one with the first delivery after its end.
public struct DeliveryLimit: Equatable, Sendable {
  /// The notifications of one period, 1 to 10,000.
  public let count: Int
  /// The length of a period in milliseconds, 1 s to 31 days.
  public let periodMilliseconds: Int64
  /// The digest that takes what goes beyond.
  public let overflow: DigestRule

  /// The numbers of notifications that a limit may allow.
  public static let countBounds = 1...10_000
  /// The lengths that a period may have.
  public static let periodBounds = Duration.seconds(1)...Duration.seconds(31 * 86_400)
}

/// The number of a limit that a catalog holds, of at most two for each of its types.
///
/// It is valid with the catalog that it came from, and with no other.
public struct DeliveryLimitID: Equatable, Sendable {
  let index: UInt16
}
