import Contract

/// What the header of a state record says: all of a home partition's state but its ids, windows and facts. For tools that
/// look at a state log; a restore does not need it.
public struct StateHeader: Equatable, Sendable {
  /// How far the recipients of one record were forwarded.
  public struct FanOut: Equatable, Sendable {
    /// The topic of the record.
    public let topic: InputTopic
    /// Its offset.
    public let offset: Int64
    /// How many of its recipients are served.
    public let served: Int
  }

  /// The identity of the state's history; 0 where it began with the first version of the format.
  public let epoch: UInt64
  /// The number of the record.
  public let sequence: UInt64
  /// Decisions written so far.
  public let decisions: UInt64
  /// Next input offsets.
  public let positions: InputPositions
  /// The highest append time consumed, in milliseconds since the epoch.
  public let inputClock: Int64
  /// The latest instant at which something was decided, in milliseconds since the epoch.
  public let timerClock: Int64
  /// The conservation law.
  public let counters: Counters
  /// A fan-out that is not finished.
  public let fanOut: FanOut?
  /// The share of the checkpoint being written that is in the log, 0…1; nil while none is.
  public let checkpointShare: Double?
  /// Bytes of the state log since the first slice of the last whole checkpoint, about.
  public let logBytes: Int64

  init(_ ledger: Ledger) {
    epoch = ledger.epoch
    sequence = ledger.sequence
    decisions = ledger.decisions
    positions = ledger.positions
    inputClock = ledger.inputClock
    timerClock = ledger.timerClock
    counters = ledger.counters
    fanOut = ledger.fanOut.map { FanOut(topic: $0.topic, offset: $0.offset, served: $0.next) }
    checkpointShare = ledger.checkpoint.map { Double($0.next) / 65_536 }
    logBytes = ledger.logBytes
  }

  /// Reads the header of one state record, whatever came before it.
  ///
  /// - Throws: `StateFault` where the bytes are no state record, of another version, or damaged.
  public init(record bytes: ByteView) throws(StateFault) {
    self.init(try StateRecord.decode(bytes).ledger)
  }

  /// The format version that a state record says it has; nil where the bytes are no state record.
  public static func version(ofRecord bytes: ByteView) -> UInt8? {
    guard bytes.count >= 3, bytes[0] == StateRecord.magic[0], bytes[1] == StateRecord.magic[1] else {
      return nil
    }
    return bytes[2]
  }
}

extension Pipeline {
  /// The header that its last state record had.
  public var confirmedHeader: StateHeader { StateHeader(confirmedLedger) }
}
