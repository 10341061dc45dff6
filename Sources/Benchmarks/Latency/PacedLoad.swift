/// Events that come at an even rate, whatever becomes of those before them.
public struct PacedLoad: Codable, Sendable {
  /// Events a second.
  public var rate: Int
  /// Seconds before anything is measured, in which the first windows open and close.
  public var warmUp: Int
  /// Seconds that are measured.
  public var seconds: Int
  /// Decides who gets what.
  public var seed: UInt64

  /// Events before those that are measured.
  var eventsBefore: Int { warmUp * rate }

  /// All of them.
  var events: Int { (warmUp + seconds) * rate }
}

/// How soon deliveries were seen.
public struct PacedMeasurement: Codable, Sendable, Equatable {
  /// From the instant at which an event was to be published until a reader of committed records saw its immediate delivery to the
  /// inbox.
  public var latency: Latency
  /// The part of it until the event was decided, by the processor's clock in whole milliseconds.
  public var decided: Latency
  /// How late the publisher was itself at most, in milliseconds. It is in the latency: nobody is spared by a late question.
  public var publisherLate: Double
}
