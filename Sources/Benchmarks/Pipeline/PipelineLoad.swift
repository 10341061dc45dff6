/// What goes through the pipelines without Kafka.
public struct PipelineLoad: Codable, Sendable {
  /// Which events.
  public enum Kind: Codable, Sendable, Equatable {
    /// The whole load: all four types, and repeats.
    case mixed
    /// One of the four types alone, by its index, without repeats.
    case only(Int)
    /// Repeats of what was decided already, but for one in a hundred.
    case repeats
    /// The load, decoded and nothing else.
    case decoding
    /// No events: what waits in the windows that are open beforehand is closed.
    case closing

    var onlyType: Int? {
      switch self {
      case .mixed, .decoding, .closing: nil
      case .only(let index): index
      case .repeats: 0
      }
    }

    var repeatPercent: Int {
      switch self {
      case .mixed, .decoding: 10
      case .only, .closing: 0
      case .repeats: 99
      }
    }
  }

  /// Which events.
  public var kind: Kind
  /// Ids that the dedup horizon holds before the load comes.
  public var ids: Int
  /// Windows with one notification each that stay open all the time.
  public var windows: Int
  /// Events that are timed.
  public var events: Int
  /// Events before them, so that windows close as fast as they open.
  public var warmUp: Int
  /// Events in a second of the clock, a multiple of 1,000.
  public var eventsPerSecond = 100_000
  /// From how many recipients is drawn.
  public var recipients = EventLoad.recipientCount
  /// Home partitions.
  public var partitions: Int
  /// Decides who gets what.
  public var seed: UInt64
}

/// What pipelines cost.
public struct PipelineMeasurement: Codable, Sendable, Equatable {
  /// Events that were timed; windows where only those were closed.
  public var events: Int
  /// How long all of it took, with making the events.
  public var seconds: Double
  /// Processor time in which events were applied.
  public var applyNanoseconds: Int64
  /// Processor time in which due windows were closed.
  public var closeNanoseconds: Int64
  /// Processor time of commits: confirming, and writing state records.
  public var sealNanoseconds: Int64
  /// How often memory was asked for; nil where the allocator does not say.
  public var allocations: Int64?
  /// Commits.
  public var commits = 0
  /// Records that they would have written: deliveries, decisions, state.
  public var outputRecords = 0
  /// Bytes of those.
  public var outputBytes = 0
  /// Ids at the end.
  public var ids = 0
  /// Open windows at the end.
  public var windows = 0
  /// Resident bytes for each id that was there beforehand, at the highest while they came; nil where there were none.
  public var bytesPerID: Double?
  /// The same for each window.
  public var bytesPerWindow: Double?
  /// Resident bytes for each of them once all are closed, without what the allocator has ready for others; nil where
  /// they stay open.
  public var bytesKeptPerWindow: Double?
  /// The most memory that was ever resident, with the load and its recipients.
  public var peakBytes: Int64 = 0

  init(
    events: Int, seconds: Double, applyNanoseconds: Int64, closeNanoseconds: Int64, sealNanoseconds: Int64
  ) {
    self.events = events
    self.seconds = seconds
    self.applyNanoseconds = applyNanoseconds
    self.closeNanoseconds = closeNanoseconds
    self.sealNanoseconds = sealNanoseconds
  }

  /// Processor time of an event, in nanoseconds, with its share of closing windows and of commits.
  public var nanosecondsPerEvent: Double {
    Double(applyNanoseconds + closeNanoseconds + sealNanoseconds) / Double(max(1, events))
  }
}
