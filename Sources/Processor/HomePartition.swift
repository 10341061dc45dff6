import Kafka
import Pipeline

/// One home partition on its worker: the state machine, and how far it is known.
///
/// Confined to the worker's thread. It outlives an assignment: after a revoke it is kept, frozen at its last
/// confirmed commit, and the next assignment catches up from there instead of from the start of the log.
final class HomePartition {
  enum Phase: Equatable {
    /// Assigned; the group's offsets and the end of the state log are to be asked for.
    case assigned
    /// The state log is being read up to `end`.
    case restoringState(end: Int64)
    /// The topics of recipients and audiences are being read up to where they ended at the assignment.
    case loadingTables
    /// All is known; a first commit has to tell the broker's time before anything is decided by this process's.
    case verifyingClock
    /// Deciding.
    case running
  }

  let partition: Int32
  // Unchecked where it is shipped, since every record changes it.
  #if !TIDINGS_FLAWS
    @exclusivity(unchecked)
  #endif
  var pipeline: Pipeline
  var phase: Phase = .assigned
  /// What the commit that is being sent takes from the pipeline.
  var outbox = Outbox()

  /// Whether the state machine holds what the log said up to `statePosition`; otherwise the log is read anew.
  var isWarm = false
  /// The next offset of the state log to read.
  var statePosition: Int64 = 0
  /// Where the state log began when the restore did.
  var stateStart: Int64 = 0
  /// When the partition was assigned, in monotonic milliseconds.
  var assignedAt: Int64 = 0
  /// When the restore began, in monotonic milliseconds.
  var restoreStart: Int64 = 0
  /// When the reading of the state log, or of the tables behind it, began, in monotonic milliseconds.
  var phaseStart: Int64 = 0
  /// Records that the restore has read, of the state log and the tables.
  var restoredRecords: Int64 = 0
  /// By topic how far a table is read.
  var tables: [InputTopic: TableReading] = [:]
  /// When to ask for the group's offsets again, in monotonic milliseconds.
  var askAgainAt: Int64 = 0
  /// How often state and group have disagreed in this restore.
  var disagreements = 0
  /// The group's offsets at the assignment; nil where it has none.
  var groupOffsets: [InputTopic: Int64] = [:]
  /// Where the input topics began at the assignment.
  var inputStarts: [InputTopic: Int64] = [:]
  /// Where they ended then.
  var inputEnds: [InputTopic: Int64] = [:]

  /// The offset of the record that holds the first slice of the last checkpoint begun, as far as confirmed.
  var checkpointStart: Int64?
  /// Where the last checkpoint begins that the restore has read to its end: the log before it is not needed.
  var superfluousBefore: Int64?
  /// The offset of the record of the last confirmed commit, as far as known.
  var stateRecordOffset: Int64?
  /// The offset of the state record in the commit under way, once the broker has said it.
  var reportedStateOffset: Int64?

  var snapshot = HomeSnapshot()

  /// Whether the last thing the broker said of a topic was that nothing follows.
  var isAtEnd: [Bool] = Array(repeating: false, count: InputTopic.allCases.count)
  /// How old what is not consumed may be.
  var inputAges = InputAges()
  /// The topics that wait for a commit: before the rest of a record, or for room for a fan-out.
  var waitingTopics: Set<InputTopic> = []
  /// What no commit has begun with.
  var batch = HomeBatch()
  /// The last commit that held this partition, in monotonic milliseconds.
  var lastCommit: Int64 = 0
  /// When the partition was frozen, in monotonic milliseconds.
  var frozenAt: Int64 = 0
  /// Whether the process stood still for long while it had this partition: then it is not to be frozen.
  var hasStoodStill = false

  init(partition: Int32, pipeline: consuming Pipeline) {
    self.partition = partition
    self.pipeline = pipeline
  }

  var isRunning: Bool { phase == .running }
  var hasWaitingDelivery: Bool { isRunning && pipeline.hasWaitingDelivery }
  /// Whether its positions are still to be read from its state.
  var isPositionUnknown: Bool { phase == .assigned || isRestoringState }
  var isRestoringState: Bool { if case .restoringState = phase { true } else { false } }

  /// Whether the tables are read as far as they went at the assignment.
  var isTablesWhole: Bool { tables.values.allSatisfy { $0.position >= $0.end } }

  /// Begins to read the tables at their first records.
  func forgetTables() {
    for topic in InputTopic.tables { tables[topic, default: TableReading()].position = 0 }
  }

  /// Whether its state and its tables are whole.
  var isRestored: Bool { phase == .running || phase == .verifyingClock }

  /// Whether it takes part in transactions. Its state is whole while the tables are read, and what is forwarded then
  /// (recipients that another partitioner put here) may be more than one transaction takes.
  var takesPartInCommits: Bool { isRestored || phase == .loadingTables && pipeline.pendingBytes > 0 }

  /// How long the rest of it takes if it goes on as it did, in milliseconds; nil while nothing is known.
  func restoreTimeLeft(now: Int64) -> Int64? {
    let progress = restoreProgress
    guard !isRestored, progress > 0 else { return isRestored ? 0 : nil }
    let start = if case .reading(_, _, let since) = snapshot.loading { since } else { phaseStart }
    return Int64(Double(now - start) * (1 - progress) / progress)
  }

  /// The share of what is being read (snapshot, state log, tables) that is done, 0…1.
  var restoreProgress: Double {
    switch phase {
    case .assigned: if case .reading(_, let decoder, _) = snapshot.loading { decoder.progress } else { 0 }
    case .restoringState(let end):
      end > stateStart ? Double(statePosition - stateStart) / Double(end - stateStart) : 1
    case .loadingTables: tables.values.reduce(TableReading()) { $0 + $1 }.progress
    case .verifyingClock, .running: 1
    }
  }

  /// The phase in words, for log lines.
  var phaseText: String {
    switch phase {
    case .assigned:
      if case .reading = snapshot.loading {
        "reading the snapshot"
      } else {
        "waiting for the offsets of the group"
      }
    case .restoringState: "reading the state log"
    case .loadingTables: "reading the recipients and audiences"
    case .verifyingClock: "asking for the broker's time"
    case .running: "deciding"
    }
  }
}

/// What a home partition has for the next commit that it takes part in.
struct HomeBatch {
  /// When the oldest work of it was applied, in monotonic milliseconds; nil where there is none.
  private(set) var workSince: Int64?
  /// Records applied.
  var records = 0
  /// When a position alone is worth a commit, in monotonic milliseconds.
  var flushAt: Int64?
  /// Bytes that fan-outs to audiences have added to it.
  var fanOutBytes = 0
  /// Bytes that windows that were due have added to it.
  var dueBytes = 0
  /// Whether a commit has left it to the next one.
  var isDeferred = false

  /// Work was applied.
  ///
  /// - Parameter now: monotonic milliseconds; asked for where there was no work before.
  mutating func noteWork(at now: @autoclosure () -> Int64) {
    if workSince == nil { workSince = now() }
  }
}

/// How far a compacted topic is read that a table is filled from.
struct TableReading {
  /// Where the reading began.
  var start: Int64 = 0
  /// The next offset to load.
  var position: Int64 = 0
  /// The end of the topic at the assignment: nothing is decided without what lies before it.
  var end: Int64 = 0

  /// The share that is read, 0…1.
  var progress: Double { end > start ? Double(position - start) / Double(end - start) : 1 }

  static func + (left: TableReading, right: TableReading) -> TableReading {
    TableReading(
      start: left.start + right.start, position: left.position + right.position, end: left.end + right.end)
  }
}

/// How old the first record of each topic may be that is not consumed: appended after the last that was, and after the
/// last time that there was none.
struct InputAges {
  /// By topic, in milliseconds since the epoch; nil while nothing is known.
  private var since: [Int64?] = Array(repeating: nil, count: InputTopic.allCases.count)

  /// A record was consumed that was appended at that time.
  mutating func consumed(_ topic: InputTopic, appended: Int64) { since[topic.index] = appended }

  /// Nothing is behind what was consumed.
  mutating func reachedEnd(_ topic: InputTopic, now: Int64) { since[topic.index] = now }

  /// Milliseconds; nil while nothing is known.
  func age(_ topic: InputTopic, now: Int64) -> Int64? { since[topic.index].map { max(0, now - $0) } }
}
