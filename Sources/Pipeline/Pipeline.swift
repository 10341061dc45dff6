import Contract
import Policy

/// The state machine of one home partition: no I/O, no clock, no randomness, no concurrency (design §4).
///
/// The same sequence of `apply` and `tick` gives the same output and state, byte for byte. Whoever drives it hands
/// in records and instants, takes the output at each commit (`seal`), and says what became of that commit
/// (`confirm`, `rollback`). It is confined to the thread of its owner.
///
/// What an event passes through is `mutating` also where it changes nothing: a partition that is only lent is handed on as a
/// copy of its two kilobytes, one that may be changed by its address.
///
///     apply, tick … ──> seal ──> (apply, tick …) ──> confirm        the next batch is decided meanwhile
///                                               └──> rollback       both batches are taken back
public struct Pipeline: ~Copyable {
  /// What does not change while the partition is owned.
  public struct Configuration: Sendable {
    /// The home partition.
    public var partition: Int32
    /// How many home partitions there are.
    public var partitionCount: Int32
    /// How long an id is remembered, in milliseconds of the input clock. Counted in whole minutes, rounded up.
    public var dedupHorizon: Int64
    /// The largest delivery in bytes; above it, the items' data are left out.
    public var deliveryLimit: Int
    /// The largest data of one item that a digest carries in full, in bytes.
    public var itemDataLimit: Int
    /// The bytes of full items in one digest.
    public var digestItemsLimit: Int
    /// The notifications in one window; it closes early at that.
    public var windowMemberLimit: Int
    /// Bytes of output, decisions and changes after which a tick leaves the rest of what is due to the next one. With a full
    /// backlog before it, the batch still fits the records of the decisions and state topics.
    public var tickBytes: Int
    /// Bytes of decisions after which one record that takes notifications out of windows leaves the rest to the next
    /// transaction.
    public var withdrawalBytes: Int
    /// Bytes forwarded by one transaction for one record; the rest follows in the next.
    public var fanOutLimit: Int
    /// Bytes that one step of the fan-out to an audience forwards, about: then it is another's turn.
    public var fanOutStep: Int
    /// The fan-outs to audiences that may be under way at a time; an event beyond them waits, and its topic with it.
    public var fanOutCountLimit: Int
    /// The bytes of their events, likewise.
    public var fanOutBytesLimit: Int
    /// The facts that the partition remembers at most; those that never end may be as many again.
    public var factLimit: Int
    /// The smallest log, in bytes, that is worth a checkpoint.
    public var checkpointFloor: Int64
    /// The bytes that a checkpoint adds to one commit, about.
    public var checkpointSliceLimit: Int64
    /// Deliberate mistakes, for the simulation alone.
    public var flaws: Flaws = []

    /// The configuration of a partition, with the defaults of the design.
    public init(partition: Int32, partitionCount: Int32, dedupHorizon: Int64 = 86_400_000) {
      self.partition = partition
      self.partitionCount = partitionCount
      self.dedupHorizon = dedupHorizon
      self.deliveryLimit = 320 << 10
      self.itemDataLimit = 16 << 10
      self.digestItemsLimit = 160 << 10
      self.windowMemberLimit = 10_000
      self.tickBytes = 512 << 10
      self.withdrawalBytes = 512 << 10
      self.fanOutLimit = 8 << 20
      self.fanOutStep = 64 << 10
      self.fanOutCountLimit = 1_000
      self.fanOutBytesLimit = 32 << 20
      self.factLimit = 1_000_000
      self.checkpointFloor = 4 << 20
      self.checkpointSliceLimit = 256 << 10
    }
  }

  /// The configuration it was made with.
  public let configuration: Configuration
  /// The catalog in force. A new one applies to what arrives from then on.
  public var catalog: Catalog

  var ids: DedupTable
  /// The ids of a restore from the log's start, until it ends.
  var loader = DedupTableLoader()
  var windows = WindowStore()
  var facts = FactTable()
  var recipients = RecipientTable()
  var audiences = AudienceTable()
  var fanOuts = FanOutTable()
  var undo = UndoLog()

  var ledger = Ledger()
  var sealedLedger = Ledger()
  var confirmedLedger = Ledger()

  /// Records to write with the next commit.
  public internal(set) var outbox = Outbox()
  var decisions = OutputBuffer.ofBatch()
  var changes = OutputBuffer.ofBatch()
  var scratch = OutputBuffer(capacity: 1024)
  var memberScratch = OutputBuffer(capacity: 1024)
  /// The item of the arrival under way, once it was asked for.
  var itemScratch = OutputBuffer(capacity: 1024)
  var closing = ClosingMembers()
  /// The digest key of the arrival under way: what shares a window besides recipient and channel.
  var digestKey = OutputBuffer(capacity: 256)

  /// The first key prefix whose image is not known yet; 65,536 when the state is whole. Only a restore lowers it.
  var knownPrefixes: UInt32 = 65_536
  var isGenesis = true
  /// Whether it has begun to read a topic that no record of the state log names yet.
  var hasBegunTopic = false
  /// What a snapshot brought, until the state log has come to its newest slice.
  var snapshot: SnapshotOverlay?
  #if TIDINGS_FLAWS
    var earlySlice: (sequence: UInt64, prefixes: Range<UInt32>, bytes: [UInt8])?
  #endif

  /// An empty partition that has consumed nothing.
  public init(configuration: Configuration, catalog: Catalog) {
    self.configuration = configuration
    self.catalog = catalog
    self.ids = DedupTable(horizonMinutes: (configuration.dedupHorizon + 59_999) / 60_000)
  }
}

// MARK: - What its owner looks at

extension Pipeline {
  /// The offsets to read next, counting everything that was applied.
  public var positions: InputPositions { ledger.positions }
  /// The offsets to read next as of the last confirmed commit.
  public var confirmedPositions: InputPositions { confirmedLedger.positions }
  /// The counters as of the last confirmed commit.
  public var confirmedCounters: Counters { confirmedLedger.counters }
  /// Rejected records as of the last confirmed commit, by the index of their reason.
  public var confirmedRejections: [Int64] { confirmedLedger.rejections }
  /// Engagement records that were applied as of the last confirmed commit, by the index of their kind.
  public var confirmedEngagements: [Int64] { confirmedLedger.engagements }
  /// The counters, counting everything that was applied.
  public var counters: Counters { ledger.counters }
  /// The latest instant that it has seen, in milliseconds: whoever restores it must not go back behind it.
  public var timerClock: Int64 { ledger.timerClock }
  /// The highest append time consumed, in milliseconds.
  public var inputClock: Int64 { ledger.inputClock }
  /// Open windows.
  public var openWindowCount: Int { windows.count }
  /// Ids in memory.
  public var idCount: Int { ids.count + loader.count }
  /// Recipients known.
  public var recipientCount: Int { recipients.count }
  /// The number of its last state record; 0 when it has written none.
  public var sequence: UInt64 { ledger.sequence }
  /// The identity of the state's history; 0 when it began before histories had one.
  public var epoch: UInt64 { ledger.epoch }
  /// The number of the state record of its last confirmed commit; 0 when there is none.
  public var confirmedSequence: UInt64 { confirmedLedger.sequence }
  /// Whether its next record has to go with the next transaction, since there is none yet or the last one does not know
  /// all topics: every transaction carries its offsets, and offsets that no record has would look like a lost state.
  public var isHeaderDue: Bool { ledger.sequence == 0 || hasBegunTopic }
  /// Whether something was applied that no commit holds yet, or a record is due.
  public var hasUncommittedWork: Bool {
    if !undo.isNextEmpty || isHeaderDue { return true }
    var compared = ledger
    // Time alone is not work.
    compared.timerClock = sealedLedger.timerClock
    return compared != sealedLedger
  }
  /// Bytes of output that wait for the next commit.
  public var pendingBytes: Int { outbox.byteCount + decisions.count + changes.count }
  /// Bytes of the largest record of a log that the next commit will write.
  public var pendingRecordBytes: Int { max(decisions.count, changes.count) }
  /// Whether the work that waits holds something that somebody should see soon.
  public var hasWaitingDelivery: Bool { outbox.count > 0 }

  /// The instant at which something is due next, in milliseconds; nil when nothing is open.
  public mutating func nextDue() -> Int64? { windows.nextDue() }

  /// Live state in bytes, about: what a checkpoint would hold.
  public var liveBytes: Int64 {
    Int64(
      ids.count * MemoryLayout<DedupTable.Entry>.stride + windows.bytes + windows.count * 64 + facts.count
        * 32 + fanOuts.bytes)
  }

  var confirmedMinute: Int64 {
    configuration.flaws.contains(.sweepByUnconfirmedClock)
      ? ledger.inputMinute : confirmedLedger.inputMinute
  }
}

// MARK: - Positions

extension Pipeline {
  /// Moves the position of a topic without a record: past a transaction's marker, to the low watermark, or past
  /// what was read to fill the recipients' table. It never moves back.
  public mutating func advance(_ topic: InputTopic, to offset: Int64) {
    ledger.positions[topic] = max(ledger.positions[topic], offset)
  }

  /// Begins to read a topic of which the state knows no position: a version that did not read it wrote the state. The
  /// state has to be a confirmed one, as it is after a restore. The next commit writes the position.
  public mutating func begin(_ topic: InputTopic, at offset: Int64) {
    guard ledger.positions[topic] < 0 else { return }
    ledger.positions[topic] = offset
    sealedLedger.positions[topic] = offset
    confirmedLedger.positions[topic] = offset
    hasBegunTopic = true
  }

  /// The timer clock goes on, never back.
  mutating func advanceTimerClock(to now: Int64) {
    let isFlawed = configuration.flaws.contains(.clockRunsBackwards)
    ledger.timerClock = isFlawed ? now : max(ledger.timerClock, now)
  }

  /// Begins the history of a partition that has no state yet.
  ///
  /// - Parameters:
  ///   - positions: the offsets to read first.
  ///   - epoch: a number that no other history of this partition has, such as a random one; not 0, which stands for
  ///     histories without an epoch. Every record of the state carries it.
  public mutating func start(at positions: InputPositions, epoch: UInt64) {
    ledger.positions = positions
    ledger.epoch = epoch
    sealedLedger = ledger
    confirmedLedger = ledger
  }
}
