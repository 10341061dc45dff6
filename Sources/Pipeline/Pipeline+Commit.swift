import Contract

/// What the state record of a commit is, apart from its bytes.
public struct SealedCommit: Equatable, Sendable {
  /// The record's number.
  public var sequence: UInt64
  /// Whether it holds the first slice of a checkpoint: the log is needed from here on, once the checkpoint is whole.
  public var startsCheckpoint: Bool
  /// Whether it holds the last slice: what lies before the first slice is no longer needed, once this is confirmed.
  public var endsCheckpoint: Bool
}

extension Pipeline {
  /// Gives the records since the last `seal` away.
  ///
  /// - Parameter outbox: has them afterwards; what it had is dropped.
  public mutating func takeOutbox(into outbox: inout Outbox) {
    swap(&self.outbox, &outbox)
    self.outbox.removeAll()
  }

  /// Gives the decisions since the last `seal` away, as a JSON array; nil where there are none.
  public mutating func takeDecisions() -> OutputBuffer? {
    guard decisions.count > 0 else { return nil }
    decisions.append(byte: UInt8(ascii: "]"))
    var taken = OutputBuffer.ofBatch()
    swap(&taken, &decisions)
    return taken
  }

  /// Ends the batch: what was applied since the last one becomes the *committing* segment, and its state record is
  /// appended to `record`, whose memory may be exchanged for the pipeline's. Output that was not written to Kafka yet has
  /// to be taken before.
  ///
  /// There must be no other sealed batch that is not confirmed yet.
  public mutating func seal(into record: inout OutputBuffer) -> SealedCommit {
    var flags: StateRecord.Flags = isGenesis ? .genesis : []
    ledger.sequence += 1
    // Also a record without changes takes its place in the log.
    let recordBytes = Int64(changes.count + StateRecord.fixedBytes)
    ledger.logBytes += recordBytes
    if ledger.checkpoint != nil { ledger.checkpoint?.bytes += recordBytes }
    if ledger.checkpoint == nil, ledger.logBytes > max(configuration.checkpointFloor, liveBytes),
      !configuration.flaws.contains(.noCheckpoint)
    {
      // The record in which it begins stays in the log.
      ledger.checkpoint = CheckpointProgress(bytes: recordBytes)
      flags.insert(.checkpointStart)
    }
    if let checkpoint = ledger.checkpoint {
      var prefixes = checkpoint.next..<min(65_536, checkpoint.next + prefixesPerSlice)
      // Room at once for about what comes: growing would copy it.
      var slice = OutputBuffer(capacity: Int(configuration.checkpointSliceLimit) * 5 / 4)
      appendImage(of: prefixes, to: &slice)
      #if TIDINGS_FLAWS
        if configuration.flaws.contains(.sliceOfUnconfirmedMemory) { exchangeSlice(&prefixes, &slice) }
      #endif
      ledger.checkpoint?.next = prefixes.upperBound
      if prefixes.upperBound == 65_536 {
        flags.insert(.checkpointEnd)
        ledger.logBytes = checkpoint.bytes
        ledger.checkpoint = nil
      }
      appendRecord(flags, prefixes, slice.view, to: &record)
    } else {
      appendRecord(flags, 0..<0, .empty, to: &record)
    }
    isGenesis = false
    sealedLedger = ledger
    undo.seal()
    clearOutput()
    return SealedCommit(
      sequence: ledger.sequence, startsCheckpoint: flags.contains(.checkpointStart),
      endsCheckpoint: flags.contains(.checkpointEnd))
  }

  private mutating func appendRecord(
    _ flags: StateRecord.Flags, _ slicePrefixes: Range<UInt32>, _ slice: ByteView,
    to record: inout OutputBuffer
  ) {
    StateRecord.complete(
      StateRecord.Contents(
        flags: flags, partition: UInt32(configuration.partition),
        partitionCount: UInt32(configuration.partitionCount), ledger: ledger, changes: .empty,
        slicePrefixes: slicePrefixes, slice: slice), around: &changes, front: &scratch)
    if record.count == 0 { swap(&record, &changes) } else { record.append(changes.view) }
  }

  /// The sealed batch is committed for good.
  ///
  /// - Parameter forgets: whether what has expired by the clocks of the batch may leave the memory. Not where a clock is
  ///   about to go back: the log would still have it.
  public mutating func confirm(forgets: Bool = true) {
    undo.confirm { entry in
      if case .windowClosed(let slot) = entry { windows.release(slot) }
    }
    windows.shrink()
    confirmedLedger = sealedLedger
    hasBegunTopic = false
    guard forgets else { return }
    ids.sweepOne(confirmedMinute: confirmedMinute)
    facts.sweepOne(confirmedClocks)
  }

  /// Takes everything back that is not confirmed: state, timers, counters, positions and output are as they were.
  public mutating func rollback() {
    let flaws = configuration.flaws
    let counters = ledger.counters
    while let entry = undo.takeNewest(butSealed: flaws.contains(.oneUndoSegment)) {
      switch entry {
      case .idInserted(let id, let replaced):
        if flaws.contains(.abortedIDsStay) { continue }
        ids.undo(id, replaced: flaws.contains(.replacedIDForgotten) ? DedupTable.Entry.emptyField : replaced)
      case .windowOpened(let slot):
        windows.close(slot)
        windows.release(slot)
      case .windowAppended(let slot, let blockCount, let fragmentBytes):
        if flaws.contains(.abortedMembersStay) { continue }
        windows.rewind(slot, blockCount: blockCount, fragmentBytes: fragmentBytes)
      case .windowRescheduled(let slot, let due):
        if flaws.contains(.abortedDueStays) { continue }
        windows.setDue(due, of: slot)
      case .windowClosed(let slot):
        if flaws.contains(.closedWindowsStayClosed) { continue }
        windows.reopen(slot)
      case .factAdded(let key):
        if flaws.contains(.abortedFactsStay) { continue }
        facts.remove(key)
      case .fanOutBegun(let key):
        fanOuts.remove(key)
      case .replaced:
        if let replacement = undo.takeReplacement() { putBack(replacement) }
      }
    }
    undo.removeAll()
    ledger = confirmedLedger
    if flaws.contains(.countersNotRolledBack) { ledger.counters = counters }
    sealedLedger = confirmedLedger
    isGenesis = confirmedLedger.sequence == 0
    if !flaws.contains(.outputSurvivesAbort) { clearOutput() }
  }

  private mutating func putBack(_ replacement: UndoLog.Replacement) {
    let flaws = configuration.flaws
    switch replacement {
    case .windowTrimmed(let slot, let before):
      windows.untrim(slot, before)
    case .memberWithdrawn(let slot, let position, let bytes):
      let place = flaws.contains(.withdrawnMembersGoLast) ? windows[slot].block.count : position
      bytes.withUnsafeBytes { windows.restore(ByteView($0), at: place, to: slot) }
    case .factReplaced(let before):
      facts.set(before)
    case .recipientSet(let key, let before):
      if flaws.contains(.recipientsNotRolledBack) { return }
      recipients.set(key, before)
    case .partSet(let key, let audience, let before):
      audiences.set(before, key, of: audience)
    case .fanOutReplaced(let before):
      if flaws.contains(.abortedFanOutsStay) { return }
      fanOuts.set(before)
    }
  }

  #if TIDINGS_FLAWS
    /// Where the record is sealed again after a rollback, writes the slice that was taken the first time.
    private mutating func exchangeSlice(_ prefixes: inout Range<UInt32>, _ slice: inout OutputBuffer) {
      if let early = earlySlice, early.sequence == ledger.sequence,
        early.prefixes.lowerBound == prefixes.lowerBound
      {
        prefixes = early.prefixes
        slice.removeAll()
        early.bytes.withUnsafeBytes { slice.append(ByteView($0)) }
      }
      earlySlice = (ledger.sequence, prefixes, Array(slice.view.buffer))
    }
  #endif

  private mutating func clearOutput() {
    outbox.removeAll()
    decisions.removeAll()
    changes.removeAll(headroom: StateRecord.frontRoom)
    decisions.shrink()
    changes.shrink()
  }

  private var prefixesPerSlice: UInt32 {
    let share = 65_536 * configuration.checkpointSliceLimit / max(1, liveBytes)
    return UInt32(min(65_536, max(1, share)))
  }
}

// MARK: - Image

extension Pipeline {
  /// Appends the whole image of the keys within `prefixes`, in canonical order.
  func appendImage(of prefixes: Range<UInt32>, to buffer: inout OutputBuffer) {
    var idCount: UInt32 = 0
    let start = buffer.count
    buffer.append(littleEndian: UInt32(0))
    ids.forEach(prefixes: prefixes, confirmedMinute: confirmedMinute) { entry in
      buffer.write(atMost: 16) { $0.hash(Hash128(high: entry.high, low: entry.low)) }
      idCount += 1
    }
    buffer.overwrite(at: start, littleEndian: idCount)
    let open = windows.entries(prefixes: prefixes)
    buffer.append(littleEndian: UInt32(open.count))
    for (key, slot) in open {
      let window = windows[slot]
      buffer.append(key)
      buffer.append(window.id)
      buffer.append(littleEndian: window.opened)
      buffer.append(littleEndian: window.due)
      buffer.append(littleEndian: window.headLength)
      buffer.append(lengthPrefixed: window.block.view)
    }
    let remembered = facts.entries(prefixes: prefixes, confirmedClocks)
    buffer.append(littleEndian: UInt32(remembered.count))
    for fact in remembered { fact.append(to: &buffer) }
    let pending = fanOuts.entries(prefixes: prefixes)
    // A slice without one ends here, as all did before there were audiences.
    guard !pending.isEmpty else { return }
    buffer.append(littleEndian: UInt32(pending.count))
    for fanOut in pending { fanOut.append(to: &buffer) }
  }

  /// The canonical encoding of the whole state, without the tables of recipients and audiences: two partitions are in the same
  /// state exactly when these bytes are the same.
  public func appendCanonicalImage(to buffer: inout OutputBuffer) {
    StateRecord.append(
      StateRecord.Contents(
        flags: [], partition: UInt32(configuration.partition),
        partitionCount: UInt32(configuration.partitionCount), ledger: ledger, changes: .empty,
        slicePrefixes: 0..<0, slice: .empty), to: &buffer)
    appendImage(of: 0..<65_536, to: &buffer)
  }
}
