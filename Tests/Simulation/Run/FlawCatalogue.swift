import Pipeline

/// A deliberate mistake by its name, for tables and the command line.
public struct NamedFlaw: Sendable {
  /// The name of its member in `Flaws`.
  public let name: String
  /// The flaw.
  public let flaw: Flaws
  /// Within how many seeds, from 1 on, it has to be caught.
  public let seeds: UInt64

  init(name: String, flaw: Flaws, seeds: UInt64 = 1_500) {
    self.name = name
    self.flaw = flaw
    self.seeds = seeds
  }

  /// All of them, in the order of the table.
  public static let all: [NamedFlaw] = [
    NamedFlaw(name: "restoreToLastStableOffset", flaw: .restoreToLastStableOffset),
    NamedFlaw(name: "restoreReadsUncommitted", flaw: .restoreReadsUncommitted),
    NamedFlaw(name: "timersWithoutOffsets", flaw: .timersWithoutOffsets),
    NamedFlaw(name: "noRollback", flaw: .noRollback),
    NamedFlaw(name: "oneUndoSegment", flaw: .oneUndoSegment),
    NamedFlaw(name: "rollbackWithoutSeek", flaw: .rollbackWithoutSeek),
    NamedFlaw(name: "unassignBeforeCommitEnds", flaw: .unassignBeforeCommitEnds),
    NamedFlaw(name: "producerReused", flaw: .producerReused),
    NamedFlaw(name: "unknownCountsAsCommitted", flaw: .unknownCountsAsCommitted),
    NamedFlaw(name: "beginDuringRevoke", flaw: .beginDuringRevoke),
    NamedFlaw(name: "headerInOtherTransaction", flaw: .headerInOtherTransaction),
    NamedFlaw(name: "staleGroupMetadata", flaw: .staleGroupMetadata),
    NamedFlaw(name: "sliceOfUnconfirmedMemory", flaw: .sliceOfUnconfirmedMemory),
    NamedFlaw(name: "truncatedBeforeConfirmed", flaw: .truncatedBeforeConfirmed),
    NamedFlaw(name: "frozenWithoutCatchUp", flaw: .frozenWithoutCatchUp),
    NamedFlaw(name: "frozenNotRolledBack", flaw: .frozenNotRolledBack),
    NamedFlaw(name: "expiredOffsetsStartOver", flaw: .expiredOffsetsStartOver),
    NamedFlaw(name: "recipientsNotLoaded", flaw: .recipientsNotLoaded),
    NamedFlaw(name: "dedupByWallClock", flaw: .dedupByWallClock),
    NamedFlaw(name: "dedupHorizonShort", flaw: .dedupHorizonShort),
    NamedFlaw(name: "replacedIDForgotten", flaw: .replacedIDForgotten),
    NamedFlaw(name: "sweepByUnconfirmedClock", flaw: .sweepByUnconfirmedClock, seeds: 4_000),
    NamedFlaw(name: "abortedIDsStay", flaw: .abortedIDsStay),
    NamedFlaw(name: "clockRunsBackwards", flaw: .clockRunsBackwards),
    NamedFlaw(name: "clockJumpPersisted", flaw: .clockJumpPersisted),
    NamedFlaw(name: "windowsCloseEarly", flaw: .windowsCloseEarly),
    NamedFlaw(name: "catalogInDigestID", flaw: .catalogInDigestID),
    NamedFlaw(name: "reloadPassedOver", flaw: .reloadPassedOver),
    NamedFlaw(name: "closedWindowsRestored", flaw: .closedWindowsRestored),
    NamedFlaw(name: "closedWindowsStayClosed", flaw: .closedWindowsStayClosed),
    NamedFlaw(name: "abortedMembersStay", flaw: .abortedMembersStay),
    NamedFlaw(name: "abortedDueStays", flaw: .abortedDueStays),
    NamedFlaw(name: "abortedFactsStay", flaw: .abortedFactsStay),
    NamedFlaw(name: "factsNotRestored", flaw: .factsNotRestored),
    NamedFlaw(name: "withdrawnMembersGoLast", flaw: .withdrawnMembersGoLast),
    NamedFlaw(name: "retractionsForgotten", flaw: .retractionsForgotten),
    NamedFlaw(name: "collapsedMembersStay", flaw: .collapsedMembersStay),
    NamedFlaw(name: "expiredDelivered", flaw: .expiredDelivered),
    NamedFlaw(name: "fanOutProgressLost", flaw: .fanOutProgressLost),
    NamedFlaw(name: "countersNotRolledBack", flaw: .countersNotRolledBack),
    NamedFlaw(name: "duplicatesNotCounted", flaw: .duplicatesNotCounted),
    NamedFlaw(name: "recipientsNotRolledBack", flaw: .recipientsNotRolledBack),
    NamedFlaw(name: "outputSurvivesAbort", flaw: .outputSurvivesAbort),
    NamedFlaw(name: "optOutIgnoredByDigests", flaw: .optOutIgnoredByDigests),
    NamedFlaw(name: "ownActionDelivered", flaw: .ownActionDelivered),
    NamedFlaw(name: "mutesNeverEnd", flaw: .mutesNeverEnd),
    NamedFlaw(name: "quietHoursByUTC", flaw: .quietHoursByUTC),
    NamedFlaw(name: "criticalWaits", flaw: .criticalWaits),
    NamedFlaw(name: "maxWindowIgnored", flaw: .maxWindowIgnored),
    NamedFlaw(name: "maxItemsOneLate", flaw: .maxItemsOneLate),
    NamedFlaw(name: "minItemsOneMore", flaw: .minItemsOneMore),
    NamedFlaw(name: "heldDeliveredWhenDue", flaw: .heldDeliveredWhenDue),
    NamedFlaw(name: "leadingEdgeInQuietHours", flaw: .leadingEdgeInQuietHours),
    NamedFlaw(name: "keyPassedOver", flaw: .keyPassedOver),
    NamedFlaw(name: "topItemsUnranked", flaw: .topItemsUnranked),
    NamedFlaw(name: "trimsNotRestored", flaw: .trimsNotRestored),
    NamedFlaw(name: "tenantDefaultsIgnored", flaw: .tenantDefaultsIgnored),
    NamedFlaw(name: "fanOutCursorLost", flaw: .fanOutCursorLost),
    NamedFlaw(name: "abortedFanOutsStay", flaw: .abortedFanOutsStay),
    NamedFlaw(name: "audiencesNotLoaded", flaw: .audiencesNotLoaded),
    NamedFlaw(name: "membersOfPartsTwice", flaw: .membersOfPartsTwice),
    NamedFlaw(name: "stepSkipsFollower", flaw: .stepSkipsFollower),
    NamedFlaw(name: "repeatsFannedOut", flaw: .repeatsFannedOut),
    NamedFlaw(name: "throttleIgnored", flaw: .throttleIgnored),
    NamedFlaw(name: "throttlePeriodRenewed", flaw: .throttlePeriodRenewed),
    NamedFlaw(name: "throttleHoldsCritical", flaw: .throttleHoldsCritical),
    NamedFlaw(name: "budgetIgnored", flaw: .budgetIgnored),
    NamedFlaw(name: "budgetByCategory", flaw: .budgetByCategory),
    NamedFlaw(name: "budgetForgetsLeadingEdge", flaw: .budgetForgetsLeadingEdge),
    NamedFlaw(name: "unsubscribedByType", flaw: .unsubscribedByType),
    NamedFlaw(name: "resubscriptionsIgnored", flaw: .resubscriptionsIgnored),
    NamedFlaw(name: "bouncesOutliveAddresses", flaw: .bouncesOutliveAddresses),
    NamedFlaw(name: "seenMembersStay", flaw: .seenMembersStay),
    NamedFlaw(name: "sightsForgotten", flaw: .sightsForgotten),
    NamedFlaw(name: "catchUpIgnored", flaw: .catchUpIgnored),
    NamedFlaw(name: "catchUpHoldsCritical", flaw: .catchUpHoldsCritical),
    NamedFlaw(name: "catchUpByLastTopic", flaw: .catchUpByLastTopic),
    NamedFlaw(name: "recipientRecordNotNamed", flaw: .recipientRecordNotNamed),
    NamedFlaw(name: "noCheckpoint", flaw: .noCheckpoint),
    NamedFlaw(name: "noTruncation", flaw: .noTruncation),
    NamedFlaw(name: "idleOffsetsLeftOut", flaw: .idleOffsetsLeftOut),
    NamedFlaw(name: "deferredPositionsSent", flaw: .deferredPositionsSent),
    NamedFlaw(name: "deferredWorkForgotten", flaw: .deferredWorkForgotten),
    NamedFlaw(name: "noHeartbeat", flaw: .noHeartbeat),
    NamedFlaw(name: "abortedSliceKept", flaw: .abortedSliceKept),
    NamedFlaw(name: "newerSlicesReplayed", flaw: .newerSlicesReplayed),
    NamedFlaw(name: "anchorNotCompared", flaw: .anchorNotCompared),
    NamedFlaw(name: "foreignHistoryBelieved", flaw: .foreignHistoryBelieved),
    NamedFlaw(name: "snapshotChecksumsIgnored", flaw: .snapshotChecksumsIgnored),
    NamedFlaw(name: "snapshotBeforeLogUsed", flaw: .snapshotBeforeLogUsed),
  ]

  /// The flaw of a name.
  public static func named(_ name: String) -> NamedFlaw? { all.first { $0.name == name } }
}
