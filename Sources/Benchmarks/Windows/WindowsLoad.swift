/// Windows that come due under the eyes of a benchmark.
public struct WindowsLoad: Codable, Sendable {
  /// When they are due.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// As many a second as events open new ones.
    case steady
    /// All at one instant, as those of a schedule are.
    case together

    /// As reports name it.
    public var name: String { self == .steady ? "due one after another" : "due at one instant" }
  }

  /// When they are due.
  public var kind: Kind
  /// Windows that are open when the time begins.
  public var windows: Int
  /// Notifications in each.
  public var items: Int
  /// Events a second that come meanwhile, each of which opens a window that is due much later.
  public var rate: Int
  /// Seconds of the clock in which steady ones are watched.
  public var seconds: Int
  /// Home partitions.
  public var partitions: Int
  /// Decides who gets what.
  public var seed: UInt64
}

/// How late digests were.
public struct WindowsMeasurement: Codable, Sendable, Equatable {
  /// From the instant at which a digest was due until it was handed over to be sent.
  public var lateness: Latency
  /// From the instant at which an event came until its decision was handed over to be sent.
  public var waits: Latency
  /// Seconds from the first due digest until the last one was handed over.
  public var seconds: Double
  /// The first closing of due windows in one home partition, in milliseconds.
  public var firstTick: Double
  /// The longest one, in milliseconds.
  public var longestTick: Double
  /// The longest turn: closing windows, taking in events and beginning a commit, in milliseconds.
  public var longestTurn: Double
  /// Resident bytes for each window, at the highest while they were opened; nil where the system does not say.
  public var bytesPerWindow: Double?
  /// The most memory that was ever resident.
  public var peakBytes: Int64
}
