import Contract
import Kafka
import Pipeline

/// Snapshots: read at an assignment before the state log, written while the worker goes on and when it ends. A
/// snapshot that is missing or of no use costs time, and nothing else.
extension Worker {
  /// How long reading snapshots may hold up a turn, in milliseconds.
  private static var readingTime: Int64 { 50 }
  /// Bytes that may wait for the disk.
  private static var waitingBytes: Int { 16 << 20 }
  /// The smallest piece of log that is worth a snapshot before its time.
  private static var logFloor: Int64 { 4 << 20 }

  private func name(of home: HomePartition) -> String {
    configuration.snapshotName(of: home.partition)
  }

  // MARK: - Read

  /// Reads the snapshots of partitions that were assigned, a block at a time.
  func readSnapshots() {
    guard let snapshots else { return }
    let start = monotonic
    for home in ownedHomes where home.phase == .assigned && !home.isWarm {
      while !isSnapshotRead(home), monotonic - start < Self.readingTime {
        readSnapshot(of: home, from: snapshots)
      }
    }
  }

  /// Whether it is known what the snapshot gives.
  func isSnapshotRead(_ home: HomePartition) -> Bool {
    guard snapshots != nil, !home.isWarm else { return true }
    switch home.snapshot.loading {
    case .untried, .reading: return false
    case .loaded, .done: return true
    }
  }

  private func readSnapshot(of home: HomePartition, from store: any SnapshotStore) {
    do {
      switch home.snapshot.loading {
      case .untried:
        home.snapshot.loading = .done
        guard let file = try store.open(name(of: home)) else { return }
        let decoder = SnapshotDecoder(size: file.size, topic: configuration.stateTopic)
        home.snapshot.loading = .reading(file, decoder, since: monotonic)
      case .reading(let file, var decoder, let since):
        if let (offset, count) = decoder.wanted {
          try decoder.read(file.read(at: offset, count: count), into: &home.pipeline)
          home.snapshot.loading = .reading(file, decoder, since: since)
        } else if let header = decoder.header {
          home.snapshot.loading = .loaded(header)
          logger.info(
            "snapshot read",
            metadata: [
              "file": "\(store.path(name(of: home)))", "state-record": "\(header.sequence)",
              "ids": "\(home.pipeline.idCount)", "windows": "\(home.pipeline.openWindowCount)",
              "bytes": "\(file.size)", "took": "\(monotonic - since) ms",
            ])
        }
      case .loaded, .done: return
      }
    } catch let fault as SnapshotFault {
      leaveSnapshot(of: home, because: fault)
    } catch {
      leaveSnapshot(of: home, because: .unreadable("\(error)"))
    }
  }

  /// Where the state log is to be read from after a snapshot.
  ///
  /// - Returns: nil where there is no snapshot, or where it does not lie within the log.
  func snapshotStart(of home: HomePartition, within log: Range<Int64>) -> SnapshotHeader? {
    guard case .loaded(let header) = home.snapshot.loading else { return nil }
    guard log.contains(header.offset) || configuration.flaws.contains(.snapshotBeforeLogUsed) else {
      leaveSnapshot(
        of: home,
        because: .outsideLog(offset: header.offset, low: log.lowerBound, high: log.upperBound))
      return nil
    }
    return header
  }

  /// The log does not go on from the snapshot: the restore begins again without it.
  ///
  /// - Returns: false where the restore did not begin with a snapshot.
  func restartWithoutSnapshot(_ home: HomePartition, because fault: StateFault) -> Bool {
    guard case .loaded = home.snapshot.loading else { return false }
    leaveSnapshot(of: home, because: .doesNotFit(fault))
    home.phase = .assigned
    return true
  }

  private func leaveSnapshot(of home: HomePartition, because fault: SnapshotFault) {
    home.snapshot.loading = .done
    guard let snapshots else { return }
    logger.warning(
      "snapshot not used, the state log is read from its start: \(fault)",
      metadata: ["file": "\(snapshots.path(name(of: home)))", "partition": "\(home.partition)"])
  }

  /// The log has confirmed what the snapshot said, or there was none.
  func snapshotConfirmed(of home: HomePartition) {
    if case .loaded(let header) = home.snapshot.loading {
      home.snapshot.savedSequence = header.sequence
      home.snapshot.savedOffset = header.offset
    }
    home.snapshot.loading = .done
  }

  // MARK: - Write

  /// Goes on with the snapshot that is being made, or begins the next one that is due: one at a time.
  func writeSnapshots() {
    guard let snapshots else { return }
    for home in ownedHomes { endProgress(of: home) }
    if !ownedHomes.contains(where: { $0.snapshot.progress != nil }),
      let home = ownedHomes.first(where: { isSnapshotDue($0) })
    {
      begin(home, in: snapshots)
    }
    // While a commit is under way, slices belong to it (`takeSlice`).
    guard inFlight == nil else { return }
    for home in ownedHomes where home.isRunning {
      guard let slice = nextSlice(of: home), slice.sequence == home.pipeline.confirmedSequence else {
        continue
      }
      keep(slice, of: home)
    }
  }

  /// Takes the next slice at the instant at which memory is the state that was sealed.
  func takeSlice(of home: HomePartition, recordBytes: Int) {
    home.snapshot.logBytes += Int64(recordBytes)
    // First the slice: an assignment through an optional holds what it assigns to while its value is made.
    let slice = nextSlice(of: home)
    home.snapshot.progress?.pending = slice
  }

  /// The commit with the last sealed batch is in: so is the slice that belongs to it.
  func keepSlice(of home: HomePartition, endsCheckpoint: Bool) {
    if endsCheckpoint, let start = home.checkpointStart, home.snapshot.savedOffset < start {
      home.snapshot.isCutOff = true
    }
    guard let slice = home.snapshot.progress?.pending else { return }
    home.snapshot.progress?.pending = nil
    keep(slice, of: home)
  }

  private func isSnapshotDue(_ home: HomePartition) -> Bool {
    guard home.isRunning, home.stateRecordOffset != nil,
      home.pipeline.confirmedSequence > home.snapshot.savedSequence
    else { return false }
    guard let begun = home.snapshot.begun else {
      home.snapshot.begun = monotonic
      return false
    }
    return home.snapshot.isCutOff || monotonic - begun >= configuration.snapshotInterval.milliseconds
      || home.snapshot.logBytes > max(Self.logFloor, home.pipeline.liveBytes / 2)
  }

  private func begin(_ home: HomePartition, in store: any SnapshotStore) {
    home.snapshot.begun = monotonic
    home.snapshot.logBytes = 0
    home.snapshot.isCutOff = false
    home.snapshot.progress = HomeSnapshot.Progress(
      file: SnapshotWriting(
        store: store, name: name(of: home), background: disk, logger: logger))
  }

  private func nextSlice(of home: HomePartition) -> SnapshotSlice? {
    guard let progress = home.snapshot.progress, progress.next < 65_536,
      progress.file.waitingBytes < Self.waitingBytes
    else { return nil }
    return home.pipeline.snapshotSlice(from: progress.next, limit: configuration.snapshotSliceBytes)
  }

  private func keep(_ slice: SnapshotSlice, of home: HomePartition) {
    guard var progress = home.snapshot.progress else { return }
    if progress.encoder == nil {
      guard slice.sequence == home.pipeline.confirmedSequence, let offset = home.stateRecordOffset else {
        return
      }
      var encoder = home.pipeline.snapshotEncoder(
        topic: configuration.stateTopic, offset: offset, checkpointStart: home.checkpointStart)
      progress.file.append(encoder.begin())
      progress.encoder = encoder
    }
    if let block = progress.encoder?.block(of: slice) { progress.file.append(block) }
    progress.next = slice.prefixes.upperBound
    if slice.isLast, let end = progress.encoder?.end() {
      progress.file.append(end)
      progress.file.commit()
    }
    home.snapshot.progress = progress
  }

  private func endProgress(of home: HomePartition) {
    guard let progress = home.snapshot.progress else { return }
    switch progress.file.outcome {
    case .writing: return
    case .failed: home.snapshot.progress = nil
    case .saved:
      home.snapshot.savedSequence = progress.encoder?.sequence ?? 0
      home.snapshot.savedOffset = progress.encoder?.offset ?? -1
      home.snapshot.progress = nil
    }
  }

  // MARK: - At the end

  /// Saves the whole image of each partition at its last confirmed commit, once the group was left: others need not
  /// wait for it.
  func saveSnapshots() {
    guard let snapshots else { return }
    for home in ownedHomes where home.isRestored { home.pipeline.rollback() }
    let kept = Array(frozen.values) + ownedHomes.filter(\.isRestored)
    for home in kept.sorted(by: { $0.partition < $1.partition }) {
      home.snapshot.giveUp()
      guard home.stateRecordOffset != nil,
        home.pipeline.confirmedSequence > home.snapshot.savedSequence
      else { continue }
      home.snapshot.progress = HomeSnapshot.Progress(
        file: SnapshotWriting(
          store: snapshots, name: name(of: home), background: ImmediateWork(), logger: logger))
      while let slice = nextSlice(of: home), home.snapshot.progress?.file.outcome == .writing {
        keep(slice, of: home)
      }
      endProgress(of: home)
    }
  }
}
