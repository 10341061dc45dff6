import Contract

/// What a restored record of the state log tells whoever reads the log.
public struct RestoredRecord: Equatable, Sendable {
  /// Whether it holds the first slice of a checkpoint.
  public var startsCheckpoint: Bool
  /// Whether it holds the last slice of a checkpoint.
  public var endsCheckpoint: Bool
}

extension Pipeline {
  /// Forgets everything, recipients and audiences included, and makes ready to read a state log from its start.
  public mutating func beginRestore() {
    rollback()
    self.ids = DedupTable(horizonMinutes: ids.horizonMinutes)
    self.windows = WindowStore()
    self.facts = FactTable()
    self.fanOuts = FanOutTable()
    recipients.removeAll()
    audiences.removeAll()
    ledger = Ledger()
    sealedLedger = ledger
    confirmedLedger = ledger
    knownPrefixes = 0
    isGenesis = true
    hasBegunTopic = false
    snapshot = nil
    loader.cancel()
  }

  /// Applies the next record of the state log. After a snapshot that is the record that the snapshot goes on from.
  ///
  /// The log may begin in the middle of what was: a change of a key that no slice of the first checkpoint has
  /// brought yet is passed over, since its slice is the whole image and still to come.
  ///
  /// - Throws: `StateFault` where the record cannot be what should come next.
  @discardableResult
  public mutating func restore(_ bytes: ByteView) throws(StateFault) -> RestoredRecord {
    let record = try StateRecord.decode(bytes)
    guard record.partition == UInt32(configuration.partition) else {
      throw .foreignPartition(found: Int32(clamping: record.partition), expected: configuration.partition)
    }
    guard record.partitionCount == UInt32(configuration.partitionCount) else {
      throw .partitionCountChanged(
        found: Int32(clamping: record.partitionCount), expected: configuration.partitionCount)
    }
    guard
      ledger.sequence == 0 || record.ledger.epoch == ledger.epoch
        || configuration.flaws.contains(.foreignHistoryBelieved)
    else {
      throw .foreignEpoch(found: record.ledger.epoch, expected: ledger.epoch)
    }
    let restored = RestoredRecord(
      startsCheckpoint: record.flags.contains(.checkpointStart),
      endsCheckpoint: record.flags.contains(.checkpointEnd))
    if let snapshot, !snapshot.isAnchored {
      try anchorSnapshot(at: record.ledger)
      return restored
    }
    if record.flags.contains(.genesis) {
      guard ledger.sequence == 0 else { throw .hole(after: ledger.sequence, found: record.ledger.sequence) }
      knownPrefixes = 65_536
    } else if ledger.sequence != 0, record.ledger.sequence != ledger.sequence + 1 {
      throw .hole(after: ledger.sequence, found: record.ledger.sequence)
    }
    // From the log's start; a log that goes on from what is in memory is short.
    if ledger.sequence == 0, ids.count == 0 { loader.begin() }
    try replay(record.changes, of: record.ledger.sequence, version: record.version)
    // While a snapshot's slices are newer, all keys are known: a checkpoint's slice brings nothing.
    if !record.slicePrefixes.isEmpty, snapshot == nil {
      try replace(record.slicePrefixes, with: record.slice, version: record.version)
    }
    ledger = record.ledger
    if configuration.flaws.contains(.fanOutProgressLost) { ledger.fanOut = nil }
    sealedLedger = ledger
    confirmedLedger = ledger
    isGenesis = false
    endSnapshotIfPassed()
    return restored
  }

  /// Applies the changes of a record, but those of slices that the checkpoint is still to bring, and those that the
  /// snapshot has.
  private mutating func replay(
    _ changes: ByteView, of sequence: UInt64, version: UInt8
  ) throws(StateFault) {
    let knownPrefixes = knownPrefixes
    let hasSnapshot = snapshot != nil
    var reader = ByteReader(changes)
    while !reader.isAtEnd {
      if let id = reader.hash(after: Change.idAddedTag) {
        let prefix = UInt32(id.high >> 48)
        if prefix < knownPrefixes, !hasSnapshot || !snapshotHolds(prefix, sequence) {
          add(DedupTable.Entry(high: id.high, low: id.low))
        }
        continue
      }
      guard let change = Change(&reader) else { throw .torn }
      let prefix = UInt32(change.key.high >> 48)
      if prefix < knownPrefixes, !hasSnapshot || !snapshotHolds(prefix, sequence) {
        try replay(change, version: version)
      }
    }
  }

  private func snapshotHolds(_ prefix: UInt32, _ sequence: UInt64) -> Bool {
    guard let snapshot, !configuration.flaws.contains(.newerSlicesReplayed) else { return false }
    return snapshot.sequence(at: prefix) >= sequence
  }

  /// Ends the restore.
  ///
  /// - Returns: whether there was any state.
  /// - Throws: `StateFault.noBeginning` where the log did not hold the whole state, `StateFault.snapshotAhead` where
  ///   it ends before the snapshot does.
  public mutating func endRestore() throws(StateFault) -> Bool {
    guard ledger.sequence > 0 else {
      knownPrefixes = 65_536
      return false
    }
    guard knownPrefixes == 65_536 else { throw .noBeginning }
    if let snapshot {
      throw .snapshotAhead(
        sequence: snapshot.lastSequence, end: snapshot.isAnchored ? ledger.sequence : nil)
    }
    loader.fill(&ids, confirmedMinute: confirmedMinute)
    return true
  }

  private mutating func replay(_ change: Change, version: UInt8) throws(StateFault) {
    switch change {
    case .idAdded(let entry):
      add(entry)
    case .windowOpened(let key, let id, let opened, let due, let head):
      guard windows.find(key) == nil,
        windows.open(key: key, id: id, opened: opened, due: due, head: head) != nil
      else { throw .torn }
    case .windowAppended(let key, let member):
      guard let slot = windows.find(key) else { throw .torn }
      if version < 3 {
        memberScratch.removeAll()
        guard EarlierMember.convert(member, into: &memberScratch) else { throw .torn }
        try append(memberScratch.view, to: slot)
      } else {
        try append(member, to: slot)
      }
    case .windowRescheduled(let key, let due):
      guard let slot = windows.find(key) else { throw .torn }
      windows.setDue(due, of: slot)
    case .windowTrimmed(let key, let byteLimit):
      if configuration.flaws.contains(.trimsNotRestored) { return }
      guard let slot = windows.find(key), windows.trim(slot, byteLimit: Int(byteLimit)) != nil else {
        throw .torn
      }
    case .windowClosed(let key):
      if configuration.flaws.contains(.closedWindowsRestored) { return }
      guard let slot = windows.find(key) else { throw .torn }
      windows.close(slot)
      windows.release(slot)
    case .factSet(let fact):
      if configuration.flaws.contains(.factsNotRestored) { return }
      facts.set(fact)
    case .memberWithdrawn(let key, let notification):
      guard let slot = windows.find(key),
        let place = windows[slot].place(where: { $0.notification == notification })
      else { throw .torn }
      windows.withdraw(at: place, from: slot)
    case .fanOutBegun(let fanOut):
      fanOuts.set(fanOut)
    case .fanOutContinued(let progress):
      guard var fanOut = fanOuts.find(progress.key) else { throw .torn }
      if configuration.flaws.contains(.fanOutCursorLost) { return }
      (fanOut.turn, fanOut.next, fanOut.served) = (progress.turn, progress.next, progress.served)
      fanOuts.set(fanOut)
    case .fanOutEnded(let key):
      fanOuts.remove(key)
    }
  }

  private mutating func add(_ entry: DedupTable.Entry) {
    if loader.isLoading {
      loader.append(entry)
    } else {
      ids.insert(entry, confirmedMinute: confirmedMinute)
    }
  }

  private mutating func append(_ bytes: ByteView, to slot: UInt32) throws(StateFault) {
    var reader = ByteReader(bytes)
    while !reader.isAtEnd {
      let start = reader.position
      guard let member = WindowMember(&reader) else { throw .torn }
      windows.append(
        bytes.slice(start..<reader.position), fragmentBytes: member.fragment.count, to: slot)
    }
  }

  private mutating func replace(
    _ prefixes: Range<UInt32>, with slice: ByteView, version: UInt8
  ) throws(StateFault) {
    ids.remove(prefixes: prefixes)
    loader.remove(prefixes: prefixes)
    for (_, slot) in windows.entries(prefixes: prefixes) {
      windows.close(slot)
      windows.release(slot)
    }
    facts.remove(prefixes: prefixes)
    fanOuts.remove(prefixes: prefixes)
    var image = SnapshotImage(slice, version: version)
    if loader.isLoading {
      loader.expect(image.ids.count, in: prefixes)
      image.ids.forEachEntry { loader.append($0) }
    } else {
      image.ids.forEachEntry { ids.insert($0, confirmedMinute: confirmedMinute) }
    }
    while let window = image.nextWindow() {
      guard load(window, version: version) else { throw .torn }
    }
    while let fact = image.nextFact() { facts.set(fact) }
    while let fanOut = image.nextFanOut() { fanOuts.set(fanOut) }
    guard image.isWhole else { throw .torn }
    if prefixes.lowerBound <= knownPrefixes { knownPrefixes = max(knownPrefixes, prefixes.upperBound) }
  }
}
