import Contract
import Foundation
import Kafka
import Pipeline
import Policy

/// How far the reading of a state log is.
public struct StateReadProgress: Sendable {
  /// Records read.
  public var records: Int
  /// Bytes of their values.
  public var bytes: Int64
  /// The share of the log that is behind, 0…1.
  public var share: Double
}

/// The state of a partition as its log tells it, read as a processor's restore does: to the read_uncommitted end, by
/// read_committed, so that the last owner's transaction is surely in or out (design §5.4).
///
/// Where a restore ends with an error, this goes on looking at headers, so that a tool can say what is left.
final class RestoredState {
  /// What the records say together, up to the first that cannot be used.
  var pipeline: Pipeline
  /// The log: its first offset, and the one behind its last.
  let range: OffsetRange
  /// Committed records.
  private(set) var records = 0
  /// Bytes of their values.
  private(set) var bytes: Int64 = 0
  /// Records from the first slice of the last checkpoint begun.
  private(set) var recordsSinceCheckpoint = 0
  /// Bytes of their values.
  private(set) var bytesSinceCheckpoint: Int64 = 0
  /// The format of the last record.
  private(set) var version: UInt8?
  /// The header of the last record that can be read, also behind a fault.
  private(set) var lastHeader: StateHeader?
  /// The last positions that were the group's: a processor that is at work goes on behind them.
  private(set) var groupPositions: InputPositions?
  /// When the last record was appended, in milliseconds since the epoch; nil where there is none, or where its
  /// producer's clock said so.
  private(set) var lastAppended: Int64?
  /// What makes the log useless, and where; nil for one that a processor would restore.
  private(set) var fault: (StateFault, offset: Int64)?
  /// Whether there is a state.
  private(set) var exists = false

  private let committed: [InputTopic: Int64]

  private init(pipeline: consuming Pipeline, range: OffsetRange, committed: [InputTopic: Int64]) {
    self.pipeline = pipeline
    self.range = range
    self.committed = committed
  }

  /// Reads the log of a partition from its start.
  ///
  /// - Parameters:
  ///   - committed: the group's offsets, asked for before.
  ///   - patience: how long to wait where a transaction holds the log.
  ///   - progress: called after each batch.
  ///   - between: called after each batch, to keep a membership alive; what it throws ends the reading.
  static func read(
    _ partition: Int32, of cluster: any KafkaCluster, _ configuration: ProcessorConfiguration,
    committed: [InputTopic: Int64], patience: Duration, progress: (StateReadProgress) -> Void,
    between: () throws -> Void
  ) throws -> RestoredState {
    let place = TopicPartition(topic: configuration.stateTopic, partition: partition)
    while true {
      let reader = try cluster.makeLogReader(
        LogReaderOptions(topics: [configuration.stateTopic], isolation: .readCommitted))
      defer { reader.close() }
      let ranges = try Patience.retry(patience) { () throws(KafkaError) in
        try cluster.admin.offsets(of: [place], isolation: .readUncommitted, timeout: .seconds(10))
      }
      guard let range = ranges.first else { throw ProcessorFault.missingTopic(place.topic) }
      var pipeline = Pipeline(
        configuration: configuration.pipeline(partition: partition), catalog: Catalog.default)
      pipeline.beginRestore()
      let state = RestoredState(pipeline: pipeline, range: range, committed: committed)
      if try state.fill(from: reader, place, patience, progress, between) { return state }
      // Its owner truncated the log meanwhile: it is whole from its new beginning.
    }
  }

  /// - Returns: whether the end was reached; otherwise the log lost its beginning meanwhile.
  private func fill(
    from reader: any LogReader, _ place: TopicPartition, _ patience: Duration,
    _ progress: (StateReadProgress) -> Void, _ between: () throws -> Void
  ) throws -> Bool {
    var position = range.earliest
    var lastMove = ContinuousClock.now
    if position < range.latest { try reader.assign([PartitionOffset(place, offset: position)]) }
    while position < range.latest {
      let before = position
      reading: for _ in 0..<1024 {
        switch reader.poll(timeout: .milliseconds(100)) {
        case .none: break reading
        case .record(let record):
          take(record)
          position = record.offset + 1
          if position >= range.latest { break reading }
        case .endOfPartition(_, _, let offset): position = max(position, offset)
        case .error(let error):
          if error.code == .noOffset { return false }
          guard error.disposition == .retry else {
            throw ProcessorFault.kafka(error, doing: "reading \(place)")
          }
        }
      }
      if position > before { lastMove = .now }
      guard ContinuousClock.now - lastMove < patience else {
        throw StateToolFault.heldLog(place, position: position, end: range.latest)
      }
      let length = max(1, range.latest - range.earliest)
      // The end that a reader tells lies behind the one that was asked for where a processor has written meanwhile.
      let share = min(1, Double(position - range.earliest) / Double(length))
      progress(StateReadProgress(records: records, bytes: bytes, share: share))
      try between()
    }
    do throws(StateFault) {
      exists = try pipeline.endRestore()
      if !exists, range.earliest > 0 { throw StateFault.noBeginning }
    } catch {
      if fault == nil { fault = (error, range.earliest) }
    }
    if fault == nil, exists { lastHeader = pipeline.confirmedHeader }
    return true
  }

  /// Puts a state that knows nothing in its place.
  func forget(
    _ configuration: Pipeline.Configuration, _ positions: InputPositions, epoch: UInt64, decisions: UInt64
  ) {
    pipeline = Pipeline(configuration: configuration, catalog: Catalog.default)
    pipeline.start(at: positions, epoch: epoch)
    pipeline.continueDecisions(after: decisions)
  }

  /// The instant at which the first window is due, in milliseconds since the epoch.
  func nextDue() -> Int64? { pipeline.nextDue() }

  private func take(_ record: ConsumedRecord) {
    let value = record.value ?? .empty
    records += 1
    bytes += Int64(value.count)
    recordsSinceCheckpoint += 1
    bytesSinceCheckpoint += Int64(value.count)
    version = StateHeader.version(ofRecord: value)
    lastAppended = record.isLogAppendTime ? record.timestampMilliseconds : nil
    guard fault == nil else {
      if let header = try? StateHeader(record: value) { lastHeader = header }
      return
    }
    do {
      if try pipeline.restore(value).startsCheckpoint {
        recordsSinceCheckpoint = 1
        bytesSinceCheckpoint = Int64(value.count)
      }
      if committed.allSatisfy({ $0.value == pipeline.positions[$0.key] }) {
        groupPositions = pipeline.positions
      }
    } catch {
      fault = (error, record.offset)
      lastHeader = pipeline.sequence > 0 ? pipeline.confirmedHeader : nil
      if let header = try? StateHeader(record: value) { lastHeader = header }
    }
  }
}
