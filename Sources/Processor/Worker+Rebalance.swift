import Kafka
import Pipeline

/// When a turn of a worker began, in milliseconds of both clocks.
struct TurnStart {
  var monotonic: Int64
  var wall: Int64
}

/// What the group says. Called inside `consumer.poll` and `consumer.close`, on the worker's thread.
extension Worker {
  package func partitionsAssigned(_ partitions: [TopicPartition]) {
    hasJoined = true
    do {
      let homePartitions = Set(partitions.map(\.partition)).sorted()
      observer?.assigned(homePartitions)
      noticeStandstill()
      dropOldFrozen()
      for partition in homePartitions where homes[partition] == nil {
        let home = frozen.removeValue(forKey: partition) ?? makeHome(partition)
        home.phase = .assigned
        home.assignedAt = monotonic
        homes[partition] = home
      }
      // What this member was not given, another has.
      frozen = [:]
      for partition in homePartitions {
        let given = Set(partitions.filter { $0.partition == partition }.map(\.topic))
        guard given == Set(configuration.inputTopics) else {
          throw ProcessorFault.dividedHome(
            partition: partition,
            missing: configuration.inputTopics.filter { !given.contains($0) })
        }
      }
      // The true positions are known after the restore; until then nothing is fetched.
      try consumer.assign(partitions.map { PartitionOffset($0, offset: PartitionOffset.beginning) })
      try consumer.pause(partitions)
      logger.info("partitions assigned", metadata: ["partitions": "\(homePartitions)"])
      publishStatus(force: true)
    } catch {
      callbackFault = error
    }
  }

  package func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    isRevoking = true
    hasJoined = false
    observer?.revoking()
    defer { isRevoking = false }
    do {
      // What is in flight is finished before the unassign; nothing new begins.
      if !configuration.flaws.contains(.unassignBeforeCommitEnds) { try settleCommit() }
      if configuration.flaws.contains(.beginDuringRevoke), workSince != nil { try beginCommit() }
      noticeStandstill()
      for home in ownedHomes { freeze(home) }
      forgetBatch(of: ownedHomes)
      inputDoubt = nil
      logger.info(
        lost ? "partitions lost" : "partitions revoked", metadata: ["partitions": "\(homes.keys.sorted())"])
      homes = [:]
      try stateReader.assign([])
      // A pause would survive the assignment.
      try consumer.resume(partitions)
    } catch {
      callbackFault = error
    }
    do { try consumer.unassign() } catch { callbackFault = callbackFault ?? error }
    observer?.revoked()
    publishStatus(force: true)
  }

  /// Keeps a partition that ran, at its last confirmed commit. One that was still restoring, had none yet, or was not
  /// looked after for long begins again.
  private func freeze(_ home: HomePartition) {
    guard home.isRestored, home.pipeline.confirmedSequence > 0, !home.hasStoodStill else { return }
    if !configuration.flaws.contains(.frozenNotRolledBack) { home.pipeline.rollback() }
    home.snapshot.giveUp()
    observer?.rolledBack(home.pipeline, in: home.partition)
    home.isWarm = true
    home.waitingTopics = []
    for topic in InputTopic.tables {
      home.tables[topic, default: TableReading()].position = home.pipeline.confirmedPositions[topic]
    }
    home.isAtEnd = home.isAtEnd.map { _ in false }
    home.frozenAt = monotonic
    frozen[home.partition] = home
  }

  func dropOldFrozen() {
    guard !frozen.isEmpty else { return }
    let bound = monotonic - configuration.frozenLifetime.milliseconds
    frozen = frozen.filter { $0.value.frozenAt > bound }
  }

  /// Notices that the whole process stood still (stopped, or its machine suspended) for longer than anything is kept
  /// frozen. The tables' topics may have lost tombstones meanwhile (`delete.retention.ms`), so that what a partition
  /// knew before is no start to catch up from.
  ///
  /// The group's word comes some turns after the wake-up: the partitions bear the mark until then. A commit of theirs
  /// is refused, for the session was over long before. By both clocks: a machine that was suspended may learn of it
  /// from the one that is put right. One of them that is wrong costs no more than a restore.
  func noticeStandstill() {
    let turn = TurnStart(monotonic: monotonic, wall: instants.wallMilliseconds)
    defer { lastTurn = turn }
    guard let lastTurn,
      max(turn.monotonic - lastTurn.monotonic, turn.wall - lastTurn.wall)
        > configuration.frozenLifetime.milliseconds
    else { return }
    frozen = [:]
    for home in ownedHomes { home.hasStoodStill = true }
  }

  func makeHome(_ partition: Int32) -> HomePartition {
    let home = HomePartition(
      partition: partition,
      pipeline: Pipeline(configuration: configuration.pipeline(partition: partition), catalog: catalog))
    home.assignedAt = monotonic
    return home
  }

  func assignedPartitions() -> [TopicPartition] {
    homes.keys.sorted().flatMap { partition in
      InputTopic.allCases.map { topicPartition($0, partition) }
    }
  }
}
