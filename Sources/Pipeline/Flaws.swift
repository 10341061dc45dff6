/// Deliberate mistakes, one for each trap of the protocol and of the state machine, so that the simulation can prove
/// that it would notice them (docs/simulation.md).
///
/// They have an effect only where `TIDINGS_FLAWS` is defined, which is for the simulation and its tests alone:
/// otherwise ``contains(_:)`` is the constant `false`, and nothing of them is in the program.
public struct Flaws: OptionSet, Sendable {
  /// One bit for each flaw.
  public let rawValue: UInt128

  /// The flaws of these bits.
  public init(rawValue: UInt128) { self.rawValue = rawValue }

  #if !TIDINGS_FLAWS
    /// Never: this build has no flaws.
    @inlinable @inline(__always)
    public func contains(_ member: Flaws) -> Bool { false }
  #endif
}

// MARK: - The state machine

extension Flaws {
  /// Ids expire by the timer clock, and not by the append times of what is consumed.
  public static var dedupByWallClock: Flaws { Flaws(rawValue: 1 << 0) }
  /// An id is forgotten a minute before its horizon is over.
  public static var dedupHorizonShort: Flaws { Flaws(rawValue: 1 << 1) }
  /// An abort takes an id back, but not what it replaced.
  public static var replacedIDForgotten: Flaws { Flaws(rawValue: 1 << 2) }
  /// Ids leave memory by a clock that an abort may take back.
  public static var sweepByUnconfirmedClock: Flaws { Flaws(rawValue: 1 << 3) }
  /// Ids stay after an abort.
  public static var abortedIDsStay: Flaws { Flaws(rawValue: 1 << 4) }
  /// Windows close before they are due.
  public static var windowsCloseEarly: Flaws { Flaws(rawValue: 1 << 5) }
  /// A digest's id depends on the catalog's version.
  public static var catalogInDigestID: Flaws { Flaws(rawValue: 1 << 6) }
  /// A restore opens windows that were closed.
  public static var closedWindowsRestored: Flaws { Flaws(rawValue: 1 << 7) }
  /// A window that an aborted transaction closed stays closed.
  public static var closedWindowsStayClosed: Flaws { Flaws(rawValue: 1 << 8) }
  /// What an aborted transaction put into a window stays in it.
  public static var abortedMembersStay: Flaws { Flaws(rawValue: 1 << 9) }
  /// A window that an aborted transaction made due earlier stays so.
  public static var abortedDueStays: Flaws { Flaws(rawValue: 1 << 10) }
  /// A restore forgets how far a fan-out has come.
  public static var fanOutProgressLost: Flaws { Flaws(rawValue: 1 << 11) }
  /// Counters stay as they are when a transaction is aborted.
  public static var countersNotRolledBack: Flaws { Flaws(rawValue: 1 << 12) }
  /// A duplicate is taken on, but not counted as suppressed.
  public static var duplicatesNotCounted: Flaws { Flaws(rawValue: 1 << 13) }
  /// Recipients stay as an aborted transaction left them.
  public static var recipientsNotRolledBack: Flaws { Flaws(rawValue: 1 << 14) }
  /// Output of aborted work is sent with the next transaction.
  public static var outputSurvivesAbort: Flaws { Flaws(rawValue: 1 << 15) }
  /// An abort takes back what was applied last, but not what the transaction held.
  public static var oneUndoSegment: Flaws { Flaws(rawValue: 1 << 16) }
  /// The slice of a checkpoint is an image of memory that was not confirmed, and is not taken again after an abort.
  public static var sliceOfUnconfirmedMemory: Flaws { Flaws(rawValue: 1 << 17) }
  /// The timer clock goes back with whoever hands in an earlier instant.
  public static var clockRunsBackwards: Flaws { Flaws(rawValue: 1 << 19) }
  /// What has expired is delivered with its digest.
  public static var expiredDelivered: Flaws { Flaws(rawValue: 1 << 20) }
  /// A recipient's wish not to get something is passed over where the notification would wait in a window.
  public static var optOutIgnoredByDigests: Flaws { Flaws(rawValue: 1 << 22) }
  /// A delivery names no recipient's record.
  public static var recipientRecordNotNamed: Flaws { Flaws(rawValue: 1 << 23) }
  /// A checkpoint never begins.
  public static var noCheckpoint: Flaws { Flaws(rawValue: 1 << 24) }
  /// The record that a snapshot goes on from is not compared with the log's.
  public static var anchorNotCompared: Flaws { Flaws(rawValue: 1 << 25) }
  /// A state record or snapshot of another history is taken for one of this.
  public static var foreignHistoryBelieved: Flaws { Flaws(rawValue: 1 << 26) }
  /// The checksums of snapshots are not looked at.
  public static var snapshotChecksumsIgnored: Flaws { Flaws(rawValue: 1 << 27) }
  /// After a snapshot, what its newer slices hold already is applied again.
  public static var newerSlicesReplayed: Flaws { Flaws(rawValue: 1 << 28) }
  /// What an aborted transaction remembered about a recipient is remembered.
  public static var abortedFactsStay: Flaws { Flaws(rawValue: 1 << 29) }
  /// A restore forgets the facts about recipients.
  public static var factsNotRestored: Flaws { Flaws(rawValue: 1 << 30) }
  /// A notification that an aborted transaction took out of its window is put back behind all others.
  public static var withdrawnMembersGoLast: Flaws { Flaws(rawValue: 1 << 31) }
  /// An event is taken back only where it waits, not where it is still to come.
  public static var retractionsForgotten: Flaws { Flaws(rawValue: 1 << 18) }
  /// The older event of a collapse key stays beside the newer one.
  public static var collapsedMembersStay: Flaws { Flaws(rawValue: 1 << 21) }
  /// The actor is told of their own action.
  public static var ownActionDelivered: Flaws { Flaws(rawValue: 1 << 55) }
  /// A mute has no end.
  public static var mutesNeverEnd: Flaws { Flaws(rawValue: 1 << 56) }
  /// Quiet hours go by the clock of UTC.
  public static var quietHoursByUTC: Flaws { Flaws(rawValue: 1 << 57) }
  /// A tenant's preferences do not count.
  public static var tenantDefaultsIgnored: Flaws { Flaws(rawValue: 1 << 59) }
  /// What is critical waits for a cadence and for quiet hours like all else.
  public static var criticalWaits: Flaws { Flaws(rawValue: 1 << 58) }
  /// A window slides on beyond its longest length.
  public static var maxWindowIgnored: Flaws { Flaws(rawValue: 1 << 64) }
  /// A window takes one notification more than `maxItems` before it closes early.
  public static var maxItemsOneLate: Flaws { Flaws(rawValue: 1 << 65) }
  /// A window with exactly `minItems` notifications has too few.
  public static var minItemsOneMore: Flaws { Flaws(rawValue: 1 << 66) }
  /// A window that is to hold what is too few delivers it when it is due.
  public static var heldDeliveredWhenDue: Flaws { Flaws(rawValue: 1 << 67) }
  /// The first notification is delivered at once in quiet hours, too.
  public static var leadingEdgeInQuietHours: Flaws { Flaws(rawValue: 1 << 68) }
  /// The values of a key's fields have no part in what shares a window.
  public static var keyPassedOver: Flaws { Flaws(rawValue: 1 << 69) }
  /// The top items are the first ones.
  public static var topItemsUnranked: Flaws { Flaws(rawValue: 1 << 70) }
  /// A restore keeps the items that a window let go of.
  public static var trimsNotRestored: Flaws { Flaws(rawValue: 1 << 71) }
  /// A restore begins fan-outs to audiences again.
  public static var fanOutCursorLost: Flaws { Flaws(rawValue: 1 << 80) }
  /// Fan-outs to audiences stay where an aborted transaction left them.
  public static var abortedFanOutsStay: Flaws { Flaws(rawValue: 1 << 81) }
  /// Whoever is in two parts of an audience is served twice.
  public static var membersOfPartsTwice: Flaws { Flaws(rawValue: 1 << 83) }
  /// A fan-out that goes on passes the next follower over.
  public static var stepSkipsFollower: Flaws { Flaws(rawValue: 1 << 84) }
  /// An event for an audience that comes again is fanned out again.
  public static var repeatsFannedOut: Flaws { Flaws(rawValue: 1 << 85) }
  /// A throttle holds nothing back.
  public static var throttleIgnored: Flaws { Flaws(rawValue: 1 << 72) }
  /// The period of a throttle begins anew with each delivery.
  public static var throttlePeriodRenewed: Flaws { Flaws(rawValue: 1 << 73) }
  /// A throttle counts what is critical, and holds it back.
  public static var throttleHoldsCritical: Flaws { Flaws(rawValue: 1 << 74) }
  /// The budget holds nothing back.
  public static var budgetIgnored: Flaws { Flaws(rawValue: 1 << 75) }
  /// Every category has a budget of its own.
  public static var budgetByCategory: Flaws { Flaws(rawValue: 1 << 76) }
  /// The first notification of a window is delivered at once whatever the budget is.
  public static var budgetForgetsLeadingEdge: Flaws { Flaws(rawValue: 1 << 77) }
  /// An unsubscription is looked for by the type of an event, and not by its category.
  public static var unsubscribedByType: Flaws { Flaws(rawValue: 1 << 90) }
  /// Whoever has unsubscribed cannot take it back.
  public static var resubscriptionsIgnored: Flaws { Flaws(rawValue: 1 << 91) }
  /// An address that bounced keeps mail away from the next one.
  public static var bouncesOutliveAddresses: Flaws { Flaws(rawValue: 1 << 92) }
  /// What was seen stays in the mail that waits.
  public static var seenMembersStay: Flaws { Flaws(rawValue: 1 << 93) }
  /// What was seen before it came is delivered.
  public static var sightsForgotten: Flaws { Flaws(rawValue: 1 << 94) }
  /// What comes too late is delivered at once.
  public static var catchUpIgnored: Flaws { Flaws(rawValue: 1 << 78) }
  /// What is critical waits with what comes too late.
  public static var catchUpHoldsCritical: Flaws { Flaws(rawValue: 1 << 79) }
  /// The age of what was forwarded counts from when it was forwarded.
  public static var catchUpByLastTopic: Flaws { Flaws(rawValue: 1 << 82) }

  /// The flaws of what `apply` and `tick` decide: a program that replays the calls makes them as well, so that it is
  /// no witness of them.
  public static let ofDecisions: Flaws = [
    .dedupByWallClock, .dedupHorizonShort, .clockRunsBackwards, .windowsCloseEarly, .catalogInDigestID,
    .expiredDelivered, .duplicatesNotCounted, .optOutIgnoredByDigests, .recipientRecordNotNamed,
    .retractionsForgotten, .collapsedMembersStay,
    .ownActionDelivered, .mutesNeverEnd, .quietHoursByUTC, .criticalWaits,
    .maxWindowIgnored, .maxItemsOneLate, .minItemsOneMore, .heldDeliveredWhenDue, .leadingEdgeInQuietHours,
    .keyPassedOver, .topItemsUnranked, .tenantDefaultsIgnored,
    .membersOfPartsTwice, .stepSkipsFollower, .repeatsFannedOut,
    .throttleIgnored, .throttlePeriodRenewed, .throttleHoldsCritical,
    .budgetIgnored, .budgetByCategory, .budgetForgetsLeadingEdge,
    .unsubscribedByType, .resubscriptionsIgnored, .bouncesOutliveAddresses, .seenMembersStay,
    .sightsForgotten,
    .catchUpIgnored, .catchUpHoldsCritical, .catchUpByLastTopic,
  ]
}

// MARK: - The worker

extension Flaws {
  /// A restore reads the state log to its last stable offset.
  public static var restoreToLastStableOffset: Flaws { Flaws(rawValue: 1 << 32) }
  /// A restore reads what aborted transactions wrote.
  public static var restoreReadsUncommitted: Flaws { Flaws(rawValue: 1 << 33) }
  /// A transaction of timers only carries no offsets.
  public static var timersWithoutOffsets: Flaws { Flaws(rawValue: 1 << 34) }
  /// Nothing is rolled back after an abort.
  public static var noRollback: Flaws { Flaws(rawValue: 1 << 35) }
  /// After an abort the input goes on where it is.
  public static var rollbackWithoutSeek: Flaws { Flaws(rawValue: 1 << 36) }
  /// Partitions are given back before the commit under way has ended.
  public static var unassignBeforeCommitEnds: Flaws { Flaws(rawValue: 1 << 37) }
  /// A transaction begins during a revoke.
  public static var beginDuringRevoke: Flaws { Flaws(rawValue: 1 << 38) }
  /// A producer is used on after a commit whose outcome is unknown.
  public static var producerReused: Flaws { Flaws(rawValue: 1 << 39) }
  /// A commit whose outcome is unknown counts as in.
  public static var unknownCountsAsCommitted: Flaws { Flaws(rawValue: 1 << 40) }
  /// The state record of a batch is written by the transaction after it.
  public static var headerInOtherTransaction: Flaws { Flaws(rawValue: 1 << 41) }
  /// The state log is truncated before the checkpoint is confirmed.
  public static var truncatedBeforeConfirmed: Flaws { Flaws(rawValue: 1 << 42) }
  /// A frozen partition decides again without catching up with the log.
  public static var frozenWithoutCatchUp: Flaws { Flaws(rawValue: 1 << 43) }
  /// Where the group's offsets have expired, input is read from its beginning.
  public static var expiredOffsetsStartOver: Flaws { Flaws(rawValue: 1 << 45) }
  /// Nothing is read of the recipients before the first decision.
  public static var recipientsNotLoaded: Flaws { Flaws(rawValue: 1 << 46) }
  /// Nothing is read of the audiences before the first decision.
  public static var audiencesNotLoaded: Flaws { Flaws(rawValue: 1 << 86) }
  /// The group's metadata are those of the first transaction.
  public static var staleGroupMetadata: Flaws { Flaws(rawValue: 1 << 47) }
  /// The timer clock follows a jump of the wall clock, and the state keeps it.
  public static var clockJumpPersisted: Flaws { Flaws(rawValue: 1 << 48) }
  /// A partition is frozen with what no commit holds.
  public static var frozenNotRolledBack: Flaws { Flaws(rawValue: 1 << 49) }
  /// The state log is never truncated.
  public static var noTruncation: Flaws { Flaws(rawValue: 1 << 50) }
  /// Only partitions with work send their offsets with a transaction.
  public static var idleOffsetsLeftOut: Flaws { Flaws(rawValue: 1 << 51) }
  /// A commit moves the group's offsets past work that it leaves to a later one.
  public static var deferredPositionsSent: Flaws { Flaws(rawValue: 1 << 44) }
  /// Nothing remembers the work that a commit has left to a later one.
  public static var deferredWorkForgotten: Flaws { Flaws(rawValue: 1 << 61) }
  /// The slice of a snapshot that belongs to an aborted transaction is kept.
  public static var abortedSliceKept: Flaws { Flaws(rawValue: 1 << 52) }
  /// A snapshot is used although the log does not hold its position any more.
  public static var snapshotBeforeLogUsed: Flaws { Flaws(rawValue: 1 << 53) }
  /// Idle partitions write nothing, however long.
  public static var noHeartbeat: Flaws { Flaws(rawValue: 1 << 54) }
  /// A reloaded catalog reaches only the partitions that a worker is given later.
  public static var reloadPassedOver: Flaws { Flaws(rawValue: 1 << 60) }
}
