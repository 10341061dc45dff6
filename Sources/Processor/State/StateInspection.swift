import Contract
import Kafka
import Pipeline
import Policy

/// What a state holds and how it stands to the group: what `tidings state inspect` prints.
public struct StateInspection: Sendable {
  /// The log that the state was read from.
  public struct Log: Sendable, Equatable {
    /// Its topic and partition.
    public let place: TopicPartition
    /// The first offset.
    public let start: Int64
    /// The offset behind the last one.
    public let end: Int64
    /// Committed records.
    public let records: Int
    /// Bytes of their values.
    public let bytes: Int64
    /// Records from the first slice of the last checkpoint begun, or from the start.
    public let recordsSinceCheckpoint: Int
    /// Bytes of their values.
    public let bytesSinceCheckpoint: Int64
    /// When the broker appended the last record, in milliseconds since the epoch; nil where it does not say.
    public let lastAppended: Int64?
  }

  /// Why a processor would not use the log.
  public struct Defect: Sendable, Equatable {
    /// What is wrong.
    public let fault: StateFault
    /// The offset of the record.
    public let offset: Int64
  }

  /// The snapshot in this machine's `processor.stateDirectory`.
  public struct Snapshot: Sendable, Equatable {
    /// The file.
    public let path: String
    /// The state record that it goes on from; nil where the file cannot be read.
    public let sequence: UInt64?
    /// Why a processor on this machine would not use it, as far as its header tells; nil where it would.
    public let obstacle: String?
  }

  /// The log.
  public let log: Log
  /// Why it cannot be used; nil for one that a processor would restore.
  public let defect: Defect?
  /// The format version of the last record; nil without one.
  public let version: UInt8?
  /// The header of the last record that can be read; nil without one.
  public let header: StateHeader?
  /// Home partitions of the deployment.
  public let partitionCount: Int32
  /// The processors' group.
  public let group: String
  /// The group's members; nil where the cluster does not say.
  public let members: [GroupMember]?
  /// The input topics.
  public let inputs: [InputAgreement]
  /// Ids in memory after a restore.
  public let ids: Int
  /// Open windows.
  public let openWindows: Int
  /// Facts in memory after a restore.
  public let facts: Int
  /// Fan-outs to audiences that are not finished.
  public let fanOuts: [PendingFanOut]
  /// When the first window is due, in milliseconds since the epoch.
  public let nextDue: Int64?
  /// The live state in bytes, about.
  public let liveBytes: Int64
  /// The snapshot in this machine's folder of snapshots; nil where there is none, or no folder.
  public let snapshot: Snapshot?
  /// The clock of this machine, in milliseconds since the epoch.
  public let now: Int64

  /// The errors with which a processor would refuse this partition, each with the way out. Empty: it would go on.
  public var problems: [ProcessorFault] {
    if let defect {
      return [
        .state(defect.fault, topic: log.place.topic, partition: log.place.partition, offset: defect.offset)
      ]
    }
    return inputs.compactMap(ProcessorFault.init)
  }
}

extension StateTool {
  /// Reads the state and compares it with the group. Changes nothing, joins nothing; processors may run.
  ///
  /// - Parameter progress: called after each batch of the log.
  /// - Throws: `ProcessorFault` for topics that are missing or differ from the configuration, `KafkaError`,
  ///   `StateToolFault.heldLog`. A state that cannot be used is no error, but told.
  public func inspect(progress: (StateReadProgress) -> Void = { _ in }) throws -> StateInspection {
    try checkTopics()
    let members = try members()
    let (state, inputs) = try look(isMoving: members?.isEmpty == false, progress: progress)
    return StateInspection(
      log: StateInspection.Log(
        place: place, start: state.range.earliest, end: state.range.latest, records: state.records,
        bytes: state.bytes, recordsSinceCheckpoint: state.recordsSinceCheckpoint,
        bytesSinceCheckpoint: state.bytesSinceCheckpoint, lastAppended: state.lastAppended),
      defect: state.fault.map { StateInspection.Defect(fault: $0.0, offset: $0.offset) },
      version: state.version, header: state.lastHeader, partitionCount: configuration.partitionCount,
      group: configuration.groupID, members: members, inputs: inputs, ids: state.pipeline.idCount,
      openWindows: state.pipeline.openWindowCount, facts: state.pipeline.factCount,
      fanOuts: state.pipeline.pendingFanOuts,
      nextDue: state.nextDue(), liveBytes: state.pipeline.liveBytes, snapshot: snapshot(beside: state),
      now: instants.wallMilliseconds)
  }

  /// Reads the header of the local snapshot and compares it with the log, as a worker does before it reads the rest.
  private func snapshot(beside state: RestoredState) -> StateInspection.Snapshot? {
    guard let folder = configuration.stateDirectory else { return nil }
    let store = FolderSnapshotStore(folder: folder)
    let name = configuration.snapshotName(of: partition)
    do {
      guard let file = try store.open(name) else { return nil }
      var decoder = SnapshotDecoder(size: file.size, topic: configuration.stateTopic)
      var scratch = Pipeline(
        configuration: configuration.pipeline(partition: partition), catalog: Catalog.default)
      while decoder.header == nil, let (offset, count) = decoder.wanted {
        try decoder.read(file.read(at: offset, count: count), into: &scratch)
      }
      guard let header = decoder.header else { throw SnapshotFault.torn }
      return StateInspection.Snapshot(
        path: store.path(name), sequence: header.sequence,
        obstacle: state.obstacle(to: header).map { "\($0)" })
    } catch {
      return StateInspection.Snapshot(path: store.path(name), sequence: nil, obstacle: "\(error)")
    }
  }
}

extension RestoredState {
  /// Why the log does not go on from a snapshot, as far as headers tell.
  fileprivate func obstacle(to snapshot: SnapshotHeader) -> SnapshotFault? {
    let log = range.earliest..<max(range.earliest, range.latest)
    guard log.contains(snapshot.offset) else {
      return .outsideLog(offset: snapshot.offset, low: log.lowerBound, high: log.upperBound)
    }
    guard let lastHeader, lastHeader.epoch != snapshot.epoch else { return nil }
    return .doesNotFit(.foreignEpoch(found: lastHeader.epoch, expected: snapshot.epoch))
  }
}

extension ProcessorFault {
  /// The error that a processor ends with where an input stands like this; nil where it goes on.
  init?(_ input: InputAgreement) {
    let (topic, partition) = (input.place.topic, input.place.partition)
    switch (input.verdict, input.state, input.group) {
    case (.stateAbsent, _, let group?):
      self = .disagreement(topic: topic, partition: partition, state: nil, group: group)
    case (.differs, let state?, let group?):
      self = .disagreement(topic: topic, partition: partition, state: state, group: group)
    case (.lost, let state?, _):
      self = .lostInput(topic: topic, partition: partition, position: state, low: input.low)
    case (.beyondEnd, let state?, _):
      self = .beyondInput(topic: topic, partition: partition, position: state, high: input.high)
    default: return nil
    }
  }
}
