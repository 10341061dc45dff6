/// What is done and what is not in one partition, during one assignment.
///
/// Records are received in the order of their offsets and completed in any order. Offsets have gaps (markers of
/// transactions, aborted records); "everything before" means everything that was received. A value: no Kafka in it.
public struct OffsetTracker: Sendable {
  private struct Entry {
    let offset: Int64
    let timestampMilliseconds: Int64
    var isCompleted: Bool
  }

  /// The records from the first incomplete one on, in ascending order of offset; the head is at `first`.
  private var entries: [Entry] = []
  private var first = 0
  /// The offset behind everything that was received; nil before anything is known.
  public private(set) var position: Int64?
  /// What an earlier assignment completed and this one has not come to yet.
  private var earlier: CompletedOffsets

  /// A tracker that begins at a committed offset, with what was completed above it.
  ///
  /// - Parameter committed: nil when the group has committed nothing for the partition.
  public init(committed: Int64?, completed: CompletedOffsets = CompletedOffsets()) {
    position = committed
    earlier = completed
  }

  /// The offset to commit: everything before it is completed. Nil while nothing is known.
  public var committable: Int64? { first < entries.count ? entries[first].offset : position }

  /// Whether everything that was received is completed.
  public var isComplete: Bool { first == entries.count }

  /// How many records were received and are not completed.
  public private(set) var incompleteCount = 0

  /// The timestamp of the oldest incomplete record, milliseconds since the epoch; nil when there is none.
  public var oldestIncompleteTimestampMilliseconds: Int64? {
    first < entries.count ? entries[first].timestampMilliseconds : nil
  }

  /// The completed offsets above `committable`, for the commit's metadata.
  public var completedAbove: CompletedOffsets {
    var ranges: [ClosedRange<Int64>] = []
    var isRunOpen = false
    for entry in entries[first...] {
      // Between two completed neighbours lie no records, hence the run covers the gap as well.
      if entry.isCompleted, isRunOpen, let last = ranges.last {
        ranges[ranges.count - 1] = last.lowerBound...entry.offset
      } else if entry.isCompleted {
        ranges.append(entry.offset...entry.offset)
      }
      isRunOpen = entry.isCompleted
    }
    return CompletedOffsets(ranges + earlier.ranges)
  }

  /// Notes a record that was read.
  ///
  /// - Returns: whether it is to be handled; false when an earlier assignment completed it.
  public mutating func receive(_ offset: Int64, timestampMilliseconds: Int64) -> Bool {
    if let position, offset < position { startOver() }
    let (next, overflow) = offset.addingReportingOverflow(1)
    position = overflow ? offset : next
    let isKnown = earlier.contains(offset)
    earlier.remove(upTo: offset)
    entries.append(Entry(offset: offset, timestampMilliseconds: timestampMilliseconds, isCompleted: isKnown))
    if isKnown { advance() } else { incompleteCount += 1 }
    return !isKnown
  }

  /// Notes that a record is dealt with. An offset that was not received, or is completed already, changes nothing.
  public mutating func complete(_ offset: Int64) {
    var low = first
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    guard low < entries.count, entries[low].offset == offset, !entries[low].isCompleted else { return }
    entries[low].isCompleted = true
    incompleteCount -= 1
    advance()
  }

  /// Notes the end of the partition: nothing lies between the last record and `offset`.
  public mutating func reachEnd(at offset: Int64) {
    position = max(position ?? offset, offset)
    earlier.remove(upTo: offset - 1)
  }

  /// The log was cut or made anew and reading goes on further back: what was known holds no more.
  private mutating func startOver() {
    entries = []
    first = 0
    incompleteCount = 0
    earlier = CompletedOffsets()
  }

  private mutating func advance() {
    while first < entries.count, entries[first].isCompleted { first += 1 }
    // Shifts the array seldom enough that each entry is moved once on average.
    if first > 64 && first * 2 > entries.count {
      entries.removeFirst(first)
      first = 0
    }
  }
}
