import Contract

// MARK: - Writing

extension Pipeline {
  /// The image of the next keys, if memory is the state of a commit at this instant: just sealed, or nothing applied
  /// since the last one.
  ///
  /// The slice may be kept only once that commit is confirmed.
  ///
  /// - Parameters:
  ///   - prefix: the first key prefix (16 bits) of the slice.
  ///   - limit: the bytes that the slice should have, about.
  /// - Returns: nil where something was applied that no commit holds, or where there is no state yet.
  public func snapshotSlice(from prefix: UInt32, limit: Int64) -> SnapshotSlice? {
    guard undo.isNextEmpty, sealedLedger.sequence > 0, prefix < 65_536 else { return nil }
    let share = UInt32(min(65_536, max(1, 65_536 * limit / max(1, liveBytes))))
    let prefixes = prefix..<min(65_536, prefix + share)
    var buffer = OutputBuffer(capacity: Int(clamping: min(limit, liveBytes)) + 4096)
    appendImage(of: prefixes, to: &buffer)
    return SnapshotSlice(
      sequence: sealedLedger.sequence, prefixes: prefixes, image: Array(buffer.view.buffer))
  }

  /// An encoder for a snapshot that goes on from the last confirmed commit; its slices may belong to later ones.
  ///
  /// - Parameters:
  ///   - topic: the full name of the state topic.
  ///   - offset: where that commit's record lies in it.
  ///   - checkpointStart: where the record with the first slice of the last checkpoint begun lies, if one was.
  public func snapshotEncoder(topic: String, offset: Int64, checkpointStart: Int64?) -> SnapshotEncoder {
    SnapshotEncoder(
      SnapshotHeader(
        topic: topic, offset: offset, checkpointStart: checkpointStart, partition: configuration.partition,
        partitionCount: configuration.partitionCount, ledger: confirmedLedger))
  }
}

// MARK: - Reading

extension Pipeline {
  /// Forgets everything, and makes room for what the snapshot is to bring.
  mutating func beginSnapshot(_ header: SnapshotHeader, _ summary: SnapshotSummary) {
    beginRestore()
    ledger = header.ledger
    sealedLedger = ledger
    confirmedLedger = ledger
    knownPrefixes = 65_536
    isGenesis = false
    snapshot = SnapshotOverlay()
    ids.reserve(summary.idCounts)
    windows.reserve(summary.windowCounts)
  }

  /// Loads the image of the next slice; false where it is not one.
  mutating func load(
    _ bytes: ByteView, prefixes: Range<UInt32>, sequence: UInt64, version: UInt8
  ) -> Bool {
    guard snapshot?.append(prefixes, sequence: sequence) == true else { return false }
    var image = SnapshotImage(bytes, version: version)
    guard ids.load(image.ids, within: prefixes, confirmedMinute: confirmedMinute) else { return false }
    while let window = image.nextWindow() {
      guard prefixes.contains(UInt32(window.key.high >> 48)), load(window, version: version) else {
        return false
      }
    }
    while let fact = image.nextFact() {
      guard prefixes.contains(UInt32(fact.key.high >> 48)) else { return false }
      facts.set(fact)
    }
    while let fanOut = image.nextFanOut() {
      guard prefixes.contains(UInt32(fanOut.key.high >> 48)) else { return false }
      fanOuts.set(fanOut)
    }
    return image.isWhole
  }

  /// Loads a window of an image; false where it is none, or where it is there already.
  mutating func load(_ window: SnapshotImage.WindowImage, version: UInt8) -> Bool {
    guard version < 3 else { return windows.load(window) }
    var window = window
    let head = Int(window.headLength)
    memberScratch.removeAll()
    memberScratch.append(window.block.slice(0..<head))
    guard EarlierMember.convert(window.block.slice(head..<window.block.count), into: &memberScratch) else {
      return false
    }
    window.block = memberScratch.view
    return windows.load(window)
  }

  /// The record that the snapshot goes on from, read again from the log: the same, or this is another log.
  mutating func anchorSnapshot(at record: Ledger) throws(StateFault) {
    guard record.sequence == ledger.sequence else {
      throw .hole(after: ledger.sequence - 1, found: record.sequence)
    }
    guard
      record == ledger || configuration.flaws.contains(.anchorNotCompared)
        || configuration.flaws.contains(.foreignHistoryBelieved)
    else { throw .otherRecord(sequence: record.sequence) }
    snapshot?.isAnchored = true
    endSnapshotIfPassed()
  }

  /// Once the log has come to the newest slice, its changes apply to all keys alike.
  mutating func endSnapshotIfPassed() {
    guard let overlay = snapshot, overlay.isAnchored, ledger.sequence >= overlay.lastSequence else { return }
    snapshot = nil
  }
}
