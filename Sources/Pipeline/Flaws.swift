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
  public static let dedupByWallClock = Flaws(rawValue: 1 << 0)
  /// An id is forgotten a minute before its horizon is over.
  public static let dedupHorizonShort = Flaws(rawValue: 1 << 1)
  /// An abort takes an id back, but not what it replaced.
  public static let replacedIDForgotten = Flaws(rawValue: 1 << 2)
  /// Ids leave memory by a clock that an abort may take back.
  public static let sweepByUnconfirmedClock = Flaws(rawValue: 1 << 3)
  /// Ids stay after an abort.
  public static let abortedIDsStay = Flaws(rawValue: 1 << 4)
  /// Windows close before they are due.
  public static let windowsCloseEarly = Flaws(rawValue: 1 << 5)
  /// A digest's id depends on the catalog's version.
  public static let catalogInDigestID = Flaws(rawValue: 1 << 6)
  /// A restore opens windows that were closed.
  public static let closedWindowsRestored = Flaws(rawValue: 1 << 7)
  /// A window that an aborted transaction closed stays closed.
  public static let closedWindowsStayClosed = Flaws(rawValue: 1 << 8)
  /// What an aborted transaction put into a window stays in it.
  public static let abortedMembersStay = Flaws(rawValue: 1 << 9)
  /// A window that an aborted transaction made due earlier stays so.
  public static let abortedDueStays = Flaws(rawValue: 1 << 10)
  /// A restore forgets how far a fan-out has come.
  public static let fanOutProgressLost = Flaws(rawValue: 1 << 11)
  /// Counters stay as they are when a transaction is aborted.
  public static let countersNotRolledBack = Flaws(rawValue: 1 << 12)
  /// A duplicate is taken on, but not counted as suppressed.
  public static let duplicatesNotCounted = Flaws(rawValue: 1 << 13)
  /// Recipients stay as an aborted transaction left them.
  public static let recipientsNotRolledBack = Flaws(rawValue: 1 << 14)
  /// Output of aborted work is sent with the next transaction.
  public static let outputSurvivesAbort = Flaws(rawValue: 1 << 15)
  /// An abort takes back what was applied last, but not what the transaction held.
  public static let oneUndoSegment = Flaws(rawValue: 1 << 16)
  /// The slice of a checkpoint is an image of memory that was not confirmed, and is not taken again after an abort.
  public static let sliceOfUnconfirmedMemory = Flaws(rawValue: 1 << 17)
  /// The timer clock goes back with whoever hands in an earlier instant.
  public static let clockRunsBackwards = Flaws(rawValue: 1 << 19)
  /// What has expired is delivered with its digest.
  public static let expiredDelivered = Flaws(rawValue: 1 << 20)
  /// A recipient's wish not to get something is passed over where the notification would wait in a window.
  public static let optOutIgnoredByDigests = Flaws(rawValue: 1 << 22)
  /// A delivery names no recipient's record.
  public static let recipientRecordNotNamed = Flaws(rawValue: 1 << 23)
  /// A checkpoint never begins.
  public static let noCheckpoint = Flaws(rawValue: 1 << 24)
  /// The record that a snapshot goes on from is not compared with the log's.
  public static let anchorNotCompared = Flaws(rawValue: 1 << 25)
  /// A state record or snapshot of another history is taken for one of this.
  public static let foreignHistoryBelieved = Flaws(rawValue: 1 << 26)
  /// The checksums of snapshots are not looked at.
  public static let snapshotChecksumsIgnored = Flaws(rawValue: 1 << 27)
  /// After a snapshot, what its newer slices hold already is applied again.
  public static let newerSlicesReplayed = Flaws(rawValue: 1 << 28)
  /// What an aborted transaction remembered about a recipient is remembered.
  public static let abortedFactsStay = Flaws(rawValue: 1 << 29)
  /// A restore forgets the facts about recipients.
  public static let factsNotRestored = Flaws(rawValue: 1 << 30)
  /// A notification that an aborted transaction took out of its window is put back behind all others.
  public static let withdrawnMembersGoLast = Flaws(rawValue: 1 << 31)
  /// An event is taken back only where it waits, not where it is still to come.
  public static let retractionsForgotten = Flaws(rawValue: 1 << 18)
  /// The older event of a collapse key stays beside the newer one.
  public static let collapsedMembersStay = Flaws(rawValue: 1 << 21)
  /// The actor is told of their own action.
  public static let ownActionDelivered = Flaws(rawValue: 1 << 55)
  /// A mute has no end.
  public static let mutesNeverEnd = Flaws(rawValue: 1 << 56)
  /// Quiet hours go by the clock of UTC.
  public static let quietHoursByUTC = Flaws(rawValue: 1 << 57)
  /// A tenant's preferences do not count.
  public static let tenantDefaultsIgnored = Flaws(rawValue: 1 << 59)
  /// What is critical waits for a cadence and for quiet hours like all else.
  public static let criticalWaits = Flaws(rawValue: 1 << 58)
  /// A window slides on beyond its longest length.
  public static let maxWindowIgnored = Flaws(rawValue: 1 << 64)
  /// A window takes one notification more than `maxItems` before it closes early.
  public static let maxItemsOneLate = Flaws(rawValue: 1 << 65)
  /// A window with exactly `minItems` notifications has too few.
  public static let minItemsOneMore = Flaws(rawValue: 1 << 66)
  /// A window that is to hold what is too few delivers it when it is due.
  public static let heldDeliveredWhenDue = Flaws(rawValue: 1 << 67)
  /// The first notification is delivered at once in quiet hours, too.
  public static let leadingEdgeInQuietHours = Flaws(rawValue: 1 << 68)
  /// The values of a key's fields have no part in what shares a window.
  public static let keyPassedOver = Flaws(rawValue: 1 << 69)
  /// The top items are the first ones.
  public static let topItemsUnranked = Flaws(rawValue: 1 << 70)
  /// A restore keeps the items that a window let go of.
  public static let trimsNotRestored = Flaws(rawValue: 1 << 71)
  /// A restore begins fan-outs to audiences again.
  public static let fanOutCursorLost = Flaws(rawValue: 1 << 80)
  /// Fan-outs to audiences stay where an aborted transaction left them.
  public static let abortedFanOutsStay = Flaws(rawValue: 1 << 81)
  /// Whoever is in two parts of an audience is served twice.
  public static let membersOfPartsTwice = Flaws(rawValue: 1 << 83)
  /// A fan-out that goes on passes the next follower over.
  public static let stepSkipsFollower = Flaws(rawValue: 1 << 84)
  /// An event for an audience that comes again is fanned out again.
  public static let repeatsFannedOut = Flaws(rawValue: 1 << 85)
  /// A throttle holds nothing back.
  public static let throttleIgnored = Flaws(rawValue: 1 << 72)
  /// The period of a throttle begins anew with each delivery.
  public static let throttlePeriodRenewed = Flaws(rawValue: 1 << 73)
  /// A throttle counts what is critical, and holds it back.
  public static let throttleHoldsCritical = Flaws(rawValue: 1 << 74)
  /// The budget holds nothing back.
  public static let budgetIgnored = Flaws(rawValue: 1 << 75)
  /// Every category has a budget of its own.
  public static let budgetByCategory = Flaws(rawValue: 1 << 76)
  /// The first notification of a window is delivered at once whatever the budget is.
  public static let budgetForgetsLeadingEdge = Flaws(rawValue: 1 << 77)
  /// An unsubscription is looked for by the type of an event, and not by its category.
  public static let unsubscribedByType = Flaws(rawValue: 1 << 90)
  /// Whoever has unsubscribed cannot take it back.
  public static let resubscriptionsIgnored = Flaws(rawValue: 1 << 91)
  /// An address that bounced keeps mail away from the next one.
  public static let bouncesOutliveAddresses = Flaws(rawValue: 1 << 92)
  /// What was seen stays in the mail that waits.
  public static let seenMembersStay = Flaws(rawValue: 1 << 93)
  /// What was seen before it came is delivered.
  public static let sightsForgotten = Flaws(rawValue: 1 << 94)
  /// What comes too late is delivered at once.
  public static let catchUpIgnored = Flaws(rawValue: 1 << 78)
  /// What is critical waits with what comes too late.
  public static let catchUpHoldsCritical = Flaws(rawValue: 1 << 79)
  /// The age of what was forwarded counts from when it was forwarded.
  public static let catchUpByLastTopic = Flaws(rawValue: 1 << 80)

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
  public static let restoreToLastStableOffset = Flaws(rawValue: 1 << 32)
  /// A restore reads what aborted transactions wrote.
  public static let restoreReadsUncommitted = Flaws(rawValue: 1 << 33)
  /// A transaction of timers only carries no offsets.
  public static let timersWithoutOffsets = Flaws(rawValue: 1 << 34)
  /// Nothing is rolled back after an abort.
  public static let noRollback = Flaws(rawValue: 1 << 35)
  /// After an abort the input goes on where it is.
  public static let rollbackWithoutSeek = Flaws(rawValue: 1 << 36)
  /// Partitions are given back before the commit under way has ended.
  public static let unassignBeforeCommitEnds = Flaws(rawValue: 1 << 37)
  /// A transaction begins during a revoke.
  public static let beginDuringRevoke = Flaws(rawValue: 1 << 38)
  /// A producer is used on after a commit whose outcome is unknown.
  public static let producerReused = Flaws(rawValue: 1 << 39)
  /// A commit whose outcome is unknown counts as in.
  public static let unknownCountsAsCommitted = Flaws(rawValue: 1 << 40)
  /// The state record of a batch is written by the transaction after it.
  public static let headerInOtherTransaction = Flaws(rawValue: 1 << 41)
  /// The state log is truncated before the checkpoint is confirmed.
  public static let truncatedBeforeConfirmed = Flaws(rawValue: 1 << 42)
  /// A frozen partition decides again without catching up with the log.
  public static let frozenWithoutCatchUp = Flaws(rawValue: 1 << 43)
  /// Where the group's offsets have expired, input is read from its beginning.
  public static let expiredOffsetsStartOver = Flaws(rawValue: 1 << 45)
  /// Nothing is read of the recipients before the first decision.
  public static let recipientsNotLoaded = Flaws(rawValue: 1 << 46)
  /// Nothing is read of the audiences before the first decision.
  public static let audiencesNotLoaded = Flaws(rawValue: 1 << 86)
  /// The group's metadata are those of the first transaction.
  public static let staleGroupMetadata = Flaws(rawValue: 1 << 47)
  /// The timer clock follows a jump of the wall clock, and the state keeps it.
  public static let clockJumpPersisted = Flaws(rawValue: 1 << 48)
  /// A partition is frozen with what no commit holds.
  public static let frozenNotRolledBack = Flaws(rawValue: 1 << 49)
  /// The state log is never truncated.
  public static let noTruncation = Flaws(rawValue: 1 << 50)
  /// Only partitions with work send their offsets with a transaction.
  public static let idleOffsetsLeftOut = Flaws(rawValue: 1 << 51)
  /// The slice of a snapshot that belongs to an aborted transaction is kept.
  public static let abortedSliceKept = Flaws(rawValue: 1 << 52)
  /// A snapshot is used although the log does not hold its position any more.
  public static let snapshotBeforeLogUsed = Flaws(rawValue: 1 << 53)
  /// Idle partitions write nothing, however long.
  public static let noHeartbeat = Flaws(rawValue: 1 << 54)
  /// A reloaded catalog reaches only the partitions that a worker is given later.
  public static let reloadPassedOver = Flaws(rawValue: 1 << 60)
}
