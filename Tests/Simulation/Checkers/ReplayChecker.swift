import Contract
import Kafka
import Pipeline
import Policy
import SimulatedKafka

/// Invariant 6: the canonical encoding of restored state equals that of the last owner's memory at that commit; and
/// replaying the recorded sequence of `apply` and `tick` gives the same. And invariant 7, from within: what was rolled
/// back is never committed, and a rollback leaves exactly what was confirmed.
///
/// Every home has a shadow: a state machine that is handed, commit by commit, the calls that the workers made between
/// two commits, and nothing of what was aborted. After each it must have written the same record, and whoever
/// restores the state must have its image.
final class ReplayChecker {
  private enum Call {
    case started(InputPositions)
    case applied(InputTopic, offset: Int64, now: Int64, Catalog)
    case ticked(now: Int64, Catalog)
    case continuedFanOut(now: Int64)
    case advanced(InputTopic, to: Int64)
  }

  /// What a worker applied between two seals.
  private struct Batch {
    var worker: Int
    /// The transactional id that the worker writes with.
    var writer: String
    var sequence: UInt64
    var positions: InputPositions
    var timerClock: Int64
    var counters: Counters
    var calls: [Call]
    /// The homes that the worker decided when it began the transaction.
    var decided: Set<Int>
    var isRolledBack = false
  }

  private final class Shadow {
    var pipeline: Pipeline

    init(_ pipeline: consuming Pipeline) { self.pipeline = pipeline }
  }

  private let broker: SimulatedBroker
  private let prefix: String
  private let shadows: [Shadow]
  private var codecs: Codecs
  /// By worker and home: what was applied since the last seal.
  private var calls: [[Int: [Call]]]
  /// By home: what was sealed and is not decided yet.
  private var batches: [[Batch]]
  /// By worker: the catalog that it decides by.
  private var catalogs: [Int: Catalog] = [:]
  private var buffer = OutputBuffer(capacity: 4096)
  private var other = OutputBuffer(capacity: 4096)

  init(
    broker: SimulatedBroker, prefix: String, partitionCount: Int, catalog: Catalog,
    configuration: (Int32) -> Pipeline.Configuration
  ) throws {
    self.broker = broker
    self.prefix = prefix
    codecs = try Codecs(
      prefix: prefix, recordLimit: 256 << 10, timeZone: MinuteTimes.deploymentZone)
    shadows = (0..<partitionCount).map {
      var configuration = configuration(Int32($0))
      // The checkers that know what is right have to notice these by themselves.
      configuration.flaws.formIntersection(.ofDecisions)
      return Shadow(Pipeline(configuration: configuration, catalog: catalog))
    }
    calls = Array(repeating: [:], count: partitionCount)
    batches = Array(repeating: [], count: partitionCount)
  }

  // MARK: - What workers do

  /// A worker decides by this catalog from here on.
  func decides(worker: Int, by catalog: Catalog) { catalogs[worker] = catalog }

  func applied(_ record: PartitionRecord, now: Int64, worker: Int, home: Int) {
    guard let catalog = catalogs[worker] else { return }
    calls[home][worker, default: []].append(.applied(record.topic, offset: record.offset, now: now, catalog))
  }

  func ticked(now: Int64, worker: Int, home: Int) {
    guard let catalog = catalogs[worker] else { return }
    calls[home][worker, default: []].append(.ticked(now: now, catalog))
  }

  func continuedFanOut(now: Int64, worker: Int, home: Int) {
    calls[home][worker, default: []].append(.continuedFanOut(now: now))
  }

  func advanced(_ topic: InputTopic, to offset: Int64, worker: Int, home: Int) {
    calls[home][worker, default: []].append(.advanced(topic, to: offset))
  }

  func sealed(
    _ commit: SealedCommit, _ pipeline: borrowing Pipeline, worker: Int, writer: String, home: Int,
    decided: Set<Int>
  ) throws(Violation) {
    batches[home].append(
      Batch(
        worker: worker, writer: writer, sequence: commit.sequence, positions: pipeline.positions,
        timerClock: pipeline.timerClock, counters: pipeline.counters, calls: calls[home][worker] ?? [],
        decided: decided))
    calls[home][worker] = []
  }

  func rolledBack(_ pipeline: borrowing Pipeline, worker: Int, home: Int) throws(Violation) {
    // A history that no commit holds yet begins anew.
    calls[home][worker] = pipeline.sequence == 0 ? [.started(pipeline.positions)] : []
    for index in batches[home].indices where batches[home][index].worker == worker {
      batches[home][index].isRolledBack = true
    }
    // The canonical image is without the table. What lies before the position may have been compacted away since it
    // was read, but nothing behind it may be known.
    if let newest = pipeline.newestRecipientOffset {
      try require(
        newest < pipeline.positions[.recipients], .abort,
        "home \(home): after a rollback by worker \(worker) to \(pipeline.positions[.recipients]) of the recipients, "
          + "the record at \(newest) is still in force")
    }
    guard pipeline.sequence == shadows[home].pipeline.sequence, pipeline.sequence > 0 else { return }
    try compare(pipeline, home, .abort, "after a rollback by worker \(worker)")
  }

  func restored(_ pipeline: borrowing Pipeline, worker: Int, home: Int) throws(Violation) {
    calls[home][worker] = []
    if pipeline.sequence == 0 { calls[home][worker] = [.started(pipeline.positions)] }
    guard pipeline.sequence == shadows[home].pipeline.sequence, pipeline.sequence > 0 else { return }
    try compare(pipeline, home, .restore, "as restored by worker \(worker)")
  }

  private func compare(
    _ pipeline: borrowing Pipeline, _ home: Int, _ invariant: Invariant, _ what: String
  ) throws(Violation) {
    buffer.removeAll()
    pipeline.appendCanonicalImage(to: &buffer)
    other.removeAll()
    shadows[home].pipeline.appendCanonicalImage(to: &other)
    guard let found = StateHeader(buffer.view), let expected = StateHeader(other.view) else {
      throw Violation(invariant, "home \(home): the canonical image cannot be read")
    }
    try require(
      found.hasSameContent(as: expected), invariant,
      "home \(home), state record \(found.sequence), \(what): \(found), expected \(expected)")
    let body = buffer.view.slice(found.byteCount..<buffer.count)
    let expectedBody = other.view.slice(expected.byteCount..<other.count)
    try require(
      body == expectedBody, invariant,
      "home \(home), state record \(found.sequence), \(what): ids, windows and facts (\(body.count) bytes) are not those "
        + "of the last owner (\(expectedBody.count) bytes)")
  }

  // MARK: - What is committed

  /// - Returns: the homes that the worker decided when it began the transaction.
  func check(_ commit: HomeCommit) throws(Violation) -> Set<Int> {
    let header = commit.header
    func isThis(_ batch: Batch) -> Bool {
      batch.writer == commit.transaction.transactionalID && batch.sequence == header.sequence
        && batch.timerClock == header.timerClock
        && batch.counters.consumed == header.counts.consumed
        && InputTopic.allCases.allSatisfy { batch.positions[$0] == header.positions[Int($0.rawValue)] }
    }
    // The same batch may have been sealed before, and taken back.
    let all = batches[commit.home]
    let index = all.lastIndex { isThis($0) && !$0.isRolledBack } ?? all.lastIndex(where: isThis)
    guard let index else {
      throw Violation(.restore, "\(commit.place): no worker sealed this state record")
    }
    let batch = batches[commit.home][index]
    try require(
      !batch.isRolledBack, .abort,
      "\(commit.place): worker \(batch.worker) took it back before it was committed")
    batches[commit.home].removeAll { $0.sequence <= header.sequence }
    let shadow = shadows[commit.home]
    for call in batch.calls { try replay(call, on: shadow, epoch: header.epoch, commit) }
    try compareOutput(of: shadow, commit)
    buffer.removeAll()
    _ = shadow.pipeline.seal(into: &buffer)
    shadow.pipeline.confirm()
    guard let replayed = StateHeader(buffer.view) else {
      throw Violation(.restore, "\(commit.place): the replay's state record cannot be read")
    }
    try require(
      replayed.hasSameContent(as: header), .restore,
      "\(commit.place): the replay of \(batch.calls.count) calls gives \(replayed), not \(header)")
    return batch.decided
  }

  /// The live state of a home in bytes.
  func liveBytes(of home: Int) -> Int64 {
    buffer.removeAll()
    shadows[home].pipeline.appendCanonicalImage(to: &buffer)
    return Int64(buffer.count)
  }

  private func replay(
    _ call: Call, on shadow: Shadow, epoch: UInt64, _ commit: HomeCommit
  ) throws(Violation) {
    switch call {
    case .started(let positions): shadow.pipeline.start(at: positions, epoch: epoch)
    case .ticked(let now, let catalog):
      shadow.pipeline.catalog = catalog
      shadow.pipeline.tick(now: now)
    case .continuedFanOut(let now): shadow.pipeline.continueFanOut(now: now, using: codecs)
    case .advanced(let topic, let offset): shadow.pipeline.advance(topic, to: offset)
    case .applied(let topic, let offset, let now, let catalog):
      shadow.pipeline.catalog = catalog
      let place = TopicPartition(topic: "\(prefix).\(topic.name)", partition: Int32(commit.home))
      guard let entry = broker.log(place)?.entry(at: offset), let record = entry.record else {
        throw Violation(.restore, "\(commit.place): \(place) at \(offset) was applied and is not in the log")
      }
      do {
        _ = try shadow.pipeline.apply(
          PartitionRecord(
            topic: topic, offset: offset, appended: entry.timestamp,
            content: InputRecord(key: record.key, value: record.value, headers: record.headers)),
          now: now, using: &codecs)
      } catch {
        throw Violation(.restore, "\(commit.place): the replay of \(place) at \(offset) fails: \(error)")
      }
    }
  }

  /// The transaction holds what the replay wants to send, byte for byte and in its order.
  private func compareOutput(of shadow: Shadow, _ commit: HomeCommit) throws(Violation) {
    var left: [String: ArraySlice<CommittedRecord>] = [:]
    for record in commit.output { left["\(record.topic) \(record.partition)", default: []].append(record) }
    try shadow.pipeline.outbox.forEach { (record) throws(Violation) in
      let key = "\(record.topic.name) \(record.partition)"
      let sent = left[key]?.popFirst()
      let headers = sent?.record.headers ?? UnsafeBufferPointer(start: nil, count: 0)
      try require(
        sent != nil && sent?.record.value == record.value && sent?.record.key == record.key
          && headers.elementsEqual(record.headers) { $0.name == $1.name && $0.value == $1.value },
        .restore, "\(commit.place): the replay sends to \(key), sent was \(sent?.place ?? "nothing")")
    }
    if let extra = left.keys.sorted().lazy.compactMap({ left[$0]?.first }).first {
      throw Violation(.abort, "\(commit.place): \(extra.place) is not what the applied records give")
    }
  }
}

extension PartitionLog {
  /// The entry at an offset.
  func entry(at offset: Int64) -> LogEntry? {
    let all = entries
    var low = all.startIndex
    var high = all.endIndex
    while low < high {
      let middle = (low + high) / 2
      if all[middle].offset < offset { low = middle + 1 } else { high = middle }
    }
    return low < all.endIndex && all[low].offset == offset ? all[low] : nil
  }
}
