/// What is published for a processor to decide.
public struct PublishedLoad: Codable, Sendable {
  /// Events, repeats among them.
  public var events: Int
  /// Decides who gets what.
  public var seed: UInt64
}
