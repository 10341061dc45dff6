import Contract
import Foundation
import Kafka
import Pipeline
import Policy
import Processor

/// Writes the state logs of an instance as its processor would have written them: real events go through the real
/// pipelines, their state records into transactions, and the logs are cut behind whole checkpoints.
///
/// Only the state is written. Decisions and deliveries are made and dropped, and the events themselves are never in
/// their topic: the state stands at its beginning.
final class StateWriter: DeliveryListener {
  final class Home {
    var pipeline: Pipeline
    fileprivate var checkpointStart: Int64?
    fileprivate var reportedOffset: Int64?
    fileprivate var sealed: SealedCommit?

    fileprivate init(_ pipeline: consuming Pipeline) { self.pipeline = pipeline }
  }

  private static let timeout = Duration.seconds(60)
  /// The history that is written is as long as half of the dedup horizon: nothing expires while it is measured.
  private static let historyMilliseconds: Int64 = 12 * 3_600_000
  /// Events between two looks at the clock and at the size of the batch.
  private static let stride = 64

  let site: BenchSite
  let load: StateLoad
  private let producer: any TransactionalProducer
  let configuration: ProcessorConfiguration
  private(set) var homes: [Home] = []
  private var record = OutputBuffer(capacity: 1 << 20)
  private var isCommitting = false
  private var commits = 0
  private var truncations = 0

  init(_ site: BenchSite, _ load: StateLoad) throws {
    self.site = site
    self.load = load
    configuration = ProcessorConfiguration(site)
    producer = try site.cluster.makeTransactionalProducer(
      TransactionalProducerOptions(
        transactionalID: "\(site.prefix)-writer", topics: [site.stateTopic],
        transactionTimeout: configuration.transactionTimeout,
        messageMaxBytes: TopicPlan.logRecordLimit, linger: .zero))
    producer.deliveryListener = self
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> WrittenState {
    let watch = Stopwatch()
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    makeHomes(try load.due?.catalog(of: load.windows, writtenAt: now) ?? LoadCatalog.make())
    try producer.initTransactions(timeout: Self.timeout)
    if let due = load.due {
      try openWindows(due, writtenAt: now, onProgress)
    } else {
      try writeHistory(endingAt: now, onProgress)
    }
    try commit()
    try settle()
    producer.close()
    try commitGroupOffsets()
    return summary(seconds: watch.seconds)
  }

  // MARK: - History

  private func makeHomes(_ catalog: Catalog) {
    homes = (0..<configuration.partitionCount).map { partition in
      Home(configuration.startedPipeline(partition: partition, catalog: catalog, epoch: load.seed | 1))
    }
  }

  private func writeHistory(endingAt end: Int64, _ onProgress: (StepProgress) -> Void) throws {
    var codecs = try Codecs(prefix: site.prefix, recordLimit: configuration.recordLimit)
    var event = EventRecord()
    var scratch = OutputBuffer(capacity: 64)
    let distribution = ZipfDistribution(count: EventLoad.recipientCount, exponent: 1.05)
    let recipientHomes = (0..<EventLoad.recipientCount).map {
      Int(EventRecord.home(ofRecipient: $0, partitionCount: configuration.partitionCount, scratch: &scratch))
    }
    var random = SeededRandom(seed: load.seed)
    var open = 0
    var progress = Stopwatch()
    for number in 0..<load.ids {
      let recipient = distribution.next(using: &random)
      let home = homes[recipientHomes[recipient]]
      let now = end - Self.historyMilliseconds + Self.historyMilliseconds * Int64(number) / Int64(load.ids)
      let waits = open < (number + 1) * load.items / load.ids
      if waits { open += 1 }
      try event.with(
        idPrefix: "event-", number: number, type: waits ? LoadCatalog.waiting : LoadCatalog.immediate,
        recipient: recipient
      ) { input in
        // In front of the topic's first record: the position stays where it is.
        _ = try home.pipeline.apply(
          PartitionRecord(topic: .events, offset: -1, appended: now, content: input), now: now,
          using: &codecs)
      }
      guard number % Self.stride == 0 else { continue }
      if homes.reduce(0, { $0 + $1.pipeline.pendingBytes }) >= configuration.commitBytes {
        for home in homes { home.pipeline.tick(now: now) }
        open = openItems
        try commit()
      }
      if progress.seconds > 0.1 {
        progress = Stopwatch()
        onProgress(
          StepProgress(share: Double(number) / Double(load.ids), count: number, unit: "event"))
      }
    }
  }

  private var openItems: Int { homes.reduce(0) { $0 + Int($1.pipeline.counters.total.open) } }

  // MARK: - Commits

  func commitIfFull() throws {
    guard homes.reduce(0, { $0 + $1.pipeline.pendingBytes }) >= configuration.commitBytes else { return }
    try commit()
  }

  /// Sends what was applied, and lets the broker work while the next batch is applied.
  private func commit() throws {
    try settle()
    try producer.begin()
    for (partition, home) in homes.enumerated() where home.pipeline.hasUncommittedWork {
      record.removeAll()
      home.sealed = home.pipeline.seal(into: &record)
      home.reportedOffset = nil
      try producer.produceWithRoom(
        OutgoingRecord(
          topicIndex: 0, partition: Int32(partition), key: nil, value: record.view, tag: UInt64(partition) + 1
        ))
    }
    commits += 1
    isCommitting = try producer.commit(timeout: .zero) == .pending
    if !isCommitting { try confirm() }
  }

  private func settle() throws {
    guard isCommitting else { return }
    while isCommitting {
      do throws(KafkaError) {
        isCommitting = try producer.commit(timeout: .milliseconds(100)) == .pending
      } catch {
        guard error.disposition == .retry else { throw error }
      }
    }
    try confirm()
  }

  private func confirm() throws {
    var cuts: [PartitionOffset] = []
    for (partition, home) in homes.enumerated() {
      guard let sealed = home.sealed else { continue }
      home.sealed = nil
      home.pipeline.confirm()
      if sealed.startsCheckpoint { home.checkpointStart = home.reportedOffset }
      if sealed.endsCheckpoint, let start = home.checkpointStart {
        cuts.append(PartitionOffset(site.statePartitions[partition], offset: start))
      }
    }
    guard !cuts.isEmpty, !site.cluster.isEmbedded else { return }
    _ = try site.cluster.admin.deleteRecords(before: cuts, timeout: Self.timeout)
    truncations += cuts.count
  }

  func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>) {
    guard case .success(let place) = result else { return }
    homes[Int(partition)].reportedOffset = place.offset
  }

  /// The group agrees with the state, as it does where the same transactions carried the offsets. An embedded cluster
  /// forgets offsets of transactions, so that there the group must have none at all.
  private func commitGroupOffsets() throws {
    guard !site.cluster.isEmbedded else { return }
    let consumer = try site.cluster.makeGroupConsumer(
      GroupConsumerOptions(groupID: configuration.groupID, offsetReset: .error))
    let offsets = homes.enumerated().flatMap { partition, home in
      InputTopic.allCases.map { topic in
        PartitionOffset(
          TopicPartition(topic: configuration.topic(topic.name), partition: Int32(partition)),
          offset: home.pipeline.confirmedPositions[topic])
      }
    }
    // A new group's coordinator takes a moment.
    try Patience.retry(Self.timeout) { () throws(KafkaError) in try consumer.commit(offsets) }
    try consumer.close()
  }

  private func summary(seconds: Double) -> WrittenState {
    WrittenState(
      ids: homes.reduce(0) { $0 + $1.pipeline.idCount },
      windows: homes.reduce(0) { $0 + $1.pipeline.openWindowCount }, items: openItems,
      liveBytes: homes.reduce(0) { $0 + $1.pipeline.liveBytes }, commits: commits, truncations: truncations,
      decided: homes.reduce(0) { $0 + $1.pipeline.confirmedCounters.decided }, seconds: seconds)
  }
}
