/// How long a test waits for something that happens elsewhere.
public struct Deadline: Sendable {
  /// What a test waited for in vain.
  public struct Missed: Error, CustomStringConvertible {
    /// The thing.
    public let description: String
  }

  private let end: ContinuousClock.Instant

  /// A deadline from now.
  public init(_ limit: Duration = .seconds(20)) { end = .now + limit }

  /// Whether there is time left.
  public var isOpen: Bool { .now < end }

  /// Throws when the time is over.
  public func check(_ awaited: String) throws {
    guard isOpen else { throw Missed(description: "waited in vain for \(awaited)") }
  }
}
