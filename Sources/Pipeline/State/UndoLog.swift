import Contract

/// What has to be done to take back what was applied since the last confirmed commit, newest last.
///
/// Two segments: *committing* is what the transaction under way holds, *next* is what was applied since it was
/// sealed. A confirmed commit drops the first; an aborted one takes both back.
struct UndoLog {
  /// Plain values, several for each event: noting one costs no more than its bytes.
  enum Entry {
    case idInserted(DedupTable.Entry, replaced: UInt64)
    case windowOpened(slot: UInt32)
    case windowAppended(slot: UInt32, blockCount: Int, fragmentBytes: Int)
    case windowRescheduled(slot: UInt32, due: Int64)
    case windowClosed(slot: UInt32)
    case factAdded(Hash128)
    case fanOutBegun(Hash128)
    /// The next one of those that own memory.
    case replaced
  }

  /// What owns memory, and is rare.
  enum Replacement {
    case windowTrimmed(slot: UInt32, before: ReplacedBlock)
    case memberWithdrawn(slot: UInt32, at: Int, bytes: [UInt8])
    case factReplaced(Fact)
    case recipientSet(Hash128, before: RecipientRow?)
    case partSet(Hash128, audience: Hash128, before: AudiencePart?)
    /// Also where it ended.
    case fanOutReplaced(FanOut)
  }

  private var entries: [Entry] = []
  private var replacements: [Replacement] = []
  private var sealedCount = 0
  private var sealedReplacementCount = 0

  /// Whether nothing would be taken back.
  var isEmpty: Bool { entries.isEmpty }
  /// Whether nothing was applied since the last seal.
  var isNextEmpty: Bool { entries.count == sealedCount }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  mutating func append(_ replacement: Replacement) {
    replacements.append(replacement)
    entries.append(.replaced)
  }

  /// Makes all there is the committing segment.
  mutating func seal() {
    sealedCount = entries.count
    sealedReplacementCount = replacements.count
  }

  /// Drops the committing segment, each entry after `release` has seen it.
  mutating func confirm(_ release: (Entry) -> Void) {
    for entry in entries[..<sealedCount] { release(entry) }
    entries.removeFirst(sealedCount)
    replacements.removeFirst(sealedReplacementCount)
    // A partition that reads its tables replaces thousands at once, and then hardly any for as long as it lives.
    if replacements.isEmpty, replacements.capacity > 256 { replacements = [] }
    sealedCount = 0
    sealedReplacementCount = 0
  }

  /// Takes the newest entry of both segments; nil where none is left.
  ///
  /// - Parameter butSealed: leaves the first one (a flaw, for the simulation).
  mutating func takeNewest(butSealed: Bool = false) -> Entry? {
    entries.count > (butSealed ? sealedCount : 0) ? entries.popLast() : nil
  }

  /// Takes what the entry `replaced` that was taken last stands for.
  mutating func takeReplacement() -> Replacement? { replacements.popLast() }

  /// Forgets everything.
  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    replacements.removeAll(keepingCapacity: true)
    sealedCount = 0
    sealedReplacementCount = 0
  }
}
