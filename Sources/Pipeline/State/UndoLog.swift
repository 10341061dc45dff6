import Contract

/// What has to be done to take back what was applied since the last confirmed commit, newest last.
///
/// Two segments: *committing* is what the transaction under way holds, *next* is what was applied since it was
/// sealed. A confirmed commit drops the first; an aborted one takes both back.
struct UndoLog {
  enum Entry {
    case idInserted(DedupTable.Entry, replaced: UInt64)
    case windowOpened(slot: UInt32)
    case windowAppended(slot: UInt32, blockCount: Int, fragmentBytes: Int)
    case windowRescheduled(slot: UInt32, due: Int64)
    case windowTrimmed(slot: UInt32, before: ReplacedBlock)
    case windowClosed(slot: UInt32)
    case memberWithdrawn(slot: UInt32, at: Int, bytes: [UInt8])
    case factAdded(Hash128)
    case factReplaced(Fact)
    case recipientSet(Hash128, before: RecipientTable.Entry?)
    case partSet(Hash128, audience: Hash128, before: AudiencePart?)
    case fanOutBegun(Hash128)
    /// Also where it ended.
    case fanOutReplaced(FanOut)
  }

  private var entries: [Entry] = []
  private var sealedCount = 0

  /// Whether nothing would be taken back.
  var isEmpty: Bool { entries.isEmpty }
  /// Whether nothing was applied since the last seal.
  var isNextEmpty: Bool { entries.count == sealedCount }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  /// Makes all there is the committing segment.
  mutating func seal() { sealedCount = entries.count }

  /// Drops the committing segment, each entry after `release` has seen it.
  mutating func confirm(_ release: (Entry) -> Void) {
    for entry in entries[..<sealedCount] { release(entry) }
    entries.removeFirst(sealedCount)
    sealedCount = 0
  }

  /// Takes both segments, newest first.
  ///
  /// - Parameter butSealed: leaves out the first one (a flaw, for the simulation).
  mutating func takeAll(butSealed: Bool = false, _ undo: (Entry) -> Void) {
    for entry in entries[(butSealed ? sealedCount : 0)...].reversed() { undo(entry) }
    entries.removeAll(keepingCapacity: true)
    sealedCount = 0
  }
}
