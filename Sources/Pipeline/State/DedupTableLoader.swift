import Contract

/// The ids that a restore reads, kept in the order of the log by their top bytes until the log is at its end. Then each shard of
/// the table is built once, at its size, while it is in the processor's cache: an insertion into a table of millions
/// waits for memory, an entry appended here does not.
///
/// It holds what the log says: an entry that comes again counts in place of the earlier one, and a slice of a
/// checkpoint in place of all that came before it.
struct DedupTableLoader: ~Copyable {
  private struct Log {
    var entries: UnsafeMutablePointer<DedupTable.Entry>?
    var count = 0
    var capacity = 0
    /// By the second byte of the hash: how many of the first entries a slice has replaced. nil where none has.
    var replaced: UnsafeMutablePointer<Int>?
  }

  private static let smallestCapacity = 16
  private static let prefixesPerByte = 65_536 / TopByte.count

  private var logs: UnsafeMutablePointer<Log>?
  /// What a restore frees is what it asks for next. As long as there are logs.
  private var reuse: TableMemory.Reuse?
  /// Entries held, those included that a later one will replace.
  private(set) var count = 0

  deinit {
    guard let logs else { return }
    Self.free(logs)
  }

  /// Whether ids are to be added here, and not to the table.
  var isLoading: Bool { logs != nil }

  /// Begins with nothing.
  mutating func begin() {
    cancel()
    reuse = TableMemory.Reuse()
    let logs = UnsafeMutablePointer<Log>.allocate(capacity: TopByte.count)
    logs.initialize(repeating: Log(), count: TopByte.count)
    self.logs = logs
  }

  /// Forgets everything.
  mutating func cancel() {
    if let logs { Self.free(logs) }
    logs = nil
    reuse = nil
    count = 0
  }

  /// Adds an entry behind all others.
  mutating func append(_ entry: DedupTable.Entry) {
    guard let logs else { return }
    let log = logs + TopByte.of(entry.high)
    if log.pointee.count == log.pointee.capacity { makeRoom(in: log) }
    guard let entries = log.pointee.entries else { return }
    entries[log.pointee.count] = entry
    log.pointee.count += 1
    count += 1
  }

  /// Makes room for what is to be expected of the top bytes of a slice: as many entries as the slice has in its part of
  /// each, and as many again, since a log may grow by its live state behind a checkpoint. Room that is never written to
  /// costs no memory.
  mutating func expect(_ entryCount: Int, in prefixes: Range<UInt32>) {
    guard let logs, !prefixes.isEmpty else { return }
    let share = entryCount * Self.prefixesPerByte / prefixes.count
    for byte in TopByte.range(of: prefixes) where logs[byte].count == 0 {
      allocate(logs + byte, capacity: max(Self.smallestCapacity, share * 2))
    }
  }

  /// Forgets the entries so far whose top 16 bits are within `prefixes`.
  mutating func remove(prefixes: Range<UInt32>) {
    guard let logs else { return }
    for byte in TopByte.range(of: prefixes) where logs[byte].count > 0 {
      let log = logs + byte
      let replaced = log.pointee.replaced ?? .allocate(capacity: Self.prefixesPerByte)
      if log.pointee.replaced == nil { replaced.initialize(repeating: 0, count: Self.prefixesPerByte) }
      log.pointee.replaced = replaced
      let first = byte * Self.prefixesPerByte
      let within = Int(prefixes.lowerBound)..<Int(prefixes.upperBound)
      for prefix in within.clamped(to: first..<first + Self.prefixesPerByte) {
        replaced[prefix - first] = log.pointee.count
      }
    }
  }

  /// Builds the table's shards from what was read, without what has expired by the confirmed clock, and ends.
  ///
  /// - Parameter table: an empty one.
  mutating func fill(_ table: inout DedupTable, confirmedMinute: Int64) {
    guard let logs else { return }
    for byte in 0..<TopByte.count { compact(logs + byte) }
    table.prepare(for: (0..<TopByte.count).reduce(0) { $0 + logs[$1].count })
    for shard in 0..<table.shardCount {
      let topBytes = table.topBytes(ofShard: shard)
      table.fill(shard: shard, confirmedMinute: confirmedMinute) { byte in
        UnsafeBufferPointer(start: logs[byte].entries, count: logs[byte].count)
      }
      // What is in the table is not needed here any more: a restore holds one shard twice, not all.
      for byte in topBytes {
        TableMemory.deallocate(logs[byte].entries)
        logs[byte] = Log()
      }
    }
    cancel()
  }

  // MARK: -

  private static func free(_ logs: UnsafeMutablePointer<Log>) {
    for index in 0..<TopByte.count {
      TableMemory.deallocate(logs[index].entries)
      logs[index].replaced?.deallocate()
    }
    logs.deallocate()
  }

  private mutating func makeRoom(in log: UnsafeMutablePointer<Log>) {
    let before = log.pointee.count
    compact(log)
    count -= before - log.pointee.count
    guard log.pointee.count * 4 > log.pointee.capacity * 3 || log.pointee.capacity == 0 else { return }
    allocate(log, capacity: max(Self.smallestCapacity, log.pointee.capacity * 3 / 2))
  }

  private func allocate(_ log: UnsafeMutablePointer<Log>, capacity: Int) {
    guard capacity > log.pointee.capacity else { return }
    let entries: UnsafeMutablePointer<DedupTable.Entry> = TableMemory.allocate(capacity: capacity)
    if let old = log.pointee.entries {
      entries.moveInitialize(from: old, count: log.pointee.count)
      TableMemory.deallocate(old)
    }
    log.pointee.entries = entries
    log.pointee.capacity = capacity
  }

  /// Drops what slices have replaced.
  private func compact(_ log: UnsafeMutablePointer<Log>) {
    guard let replaced = log.pointee.replaced, let entries = log.pointee.entries else { return }
    var kept = 0
    for index in 0..<log.pointee.count {
      let entry = entries[index]
      guard index >= replaced[Int(entry.high >> 48) % Self.prefixesPerByte] else { continue }
      entries[kept] = entry
      kept += 1
    }
    log.pointee.count = kept
    replaced.deallocate()
    log.pointee.replaced = nil
  }
}
