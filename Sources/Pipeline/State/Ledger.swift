import Contract

/// The small part of a home partition's state: what every record of the state log carries whole in its header.
struct Ledger: Equatable {
  /// The identity of the state's history: drawn once when a state begins empty, and the same in every record from
  /// then on. 0 in states that began with the first version of the format.
  var epoch: UInt64 = 0
  /// One more with every record of the state log: a hole is seen at once.
  var sequence: UInt64 = 0
  /// Decisions written so far: the second half of a decision's id.
  var decisions: UInt64 = 0
  /// Next input offsets.
  var positions = InputPositions()
  /// The highest append time consumed, in milliseconds: dedup counts by it.
  var inputClock: Int64 = 0
  /// The latest instant handed to `apply` or `tick`, in milliseconds: windows close by it.
  var timerClock: Int64 = 0
  /// The conservation law.
  var counters = Counters()
  /// Rejected records by the index of their reason.
  var rejections = Ledger.noRejections
  /// Engagement records that were applied here, by the index of their kind.
  var engagements = Ledger.noEngagements
  /// A fan-out that is not finished.
  var fanOut: FanOutProgress?
  /// The checkpoint that is being written.
  var checkpoint: CheckpointProgress?
  /// Bytes of the state log since the first slice of the last checkpoint.
  var logBytes: Int64 = 0

  /// Shared: a restore makes a ledger of every record that it reads.
  private static let noRejections = [Int64](repeating: 0, count: RejectionReason.allCases.count)
  private static let noEngagements = [Int64](repeating: 0, count: Engagement.Kind.allCases.count)

  var inputMinute: Int64 { inputClock / 60_000 }
}

/// How far the recipients of one record were forwarded: it is cut over several transactions.
struct FanOutProgress: Equatable {
  var topic: InputTopic
  var offset: Int64
  /// The first recipient that is still to be served.
  var next: Int
}

/// How far a checkpoint has come through the key space.
struct CheckpointProgress: Equatable {
  /// The first key prefix (16 bits) that no slice of this checkpoint holds yet.
  var next: UInt32 = 0
  /// Bytes of the log from the record with its first slice on, without the slices.
  var bytes: Int64 = 0
}
