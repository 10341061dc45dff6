import Contract
import Kafka
import Processor

/// Copies the events topic into another one in transactions, and does nothing with a record: the limit that the
/// processor is compared with. The clients are the processor's with the same settings; a commit begins by the same
/// rule, and the next records are taken in while it is under way.
final class PassThroughStep: RebalanceListener {
  private let site: BenchSite
  private let options: ThroughputOptions
  private let configuration: ProcessorConfiguration
  private let consumer: any GroupConsumer
  private let producer: any TransactionalProducer
  private var assigned: [TopicPartition] = []
  private var positions: [Int64]
  /// The partitions that were read to their end.
  private var ended: Set<Int32> = []
  private var callbackFault: (any Error)?
  /// Records that came while a commit was under way.
  private var backlog: RecordBlock
  private var isOpen = false
  private var isCommitting = false
  private var batchBytes = 0
  private var batchRecords = 0
  private var batchStart: ContinuousClock.Instant?
  private var copied = 0
  private var commitStart: Int64 = 0
  /// What the group is still to hear of the transaction that is being committed.
  private var sending: (offsets: [PartitionOffset], group: any GroupMetadata)?
  private var commits = LatencyHistogram()

  private static let timeout = Duration.seconds(60)

  /// The clients of a copy and its rule for commits: those of the processor.
  struct Clients {
    let configuration: ProcessorConfiguration
    let consumer: GroupConsumerOptions
    let producer: TransactionalProducerOptions
    /// Where the copy goes.
    let topic: String
    /// Records that may wait beside a commit under way.
    let backlogRecords: Int

    init(_ site: BenchSite, _ options: ThroughputOptions) {
      configuration = ProcessorConfiguration(
        prefix: options.copyPrefix, partitionCount: Int32(clamping: site.partitionCount))
      topic = "\(options.copyPrefix).events"
      consumer = configuration.memberOptions(worker: 0)
      producer = TransactionalProducerOptions(
        transactionalID: "\(options.copyPrefix)-copy", topics: [topic],
        transactionTimeout: configuration.transactionTimeout,
        messageMaxBytes: TopicPlan.logRecordLimit, linger: .zero)
      backlogRecords = configuration.inputBytes / 256
    }
  }

  init(_ site: BenchSite, _ options: ThroughputOptions) throws {
    self.site = site
    self.options = options
    let clients = Clients(site, options)
    configuration = clients.configuration
    positions = Array(repeating: PartitionOffset.beginning, count: site.partitionCount)
    backlog = RecordBlock(capacity: clients.backlogRecords)
    consumer = try site.cluster.makeGroupConsumer(clients.consumer)
    producer = try site.cluster.makeTransactionalProducer(clients.producer)
  }

  func run(_ onProgress: (StepProgress) -> Void) throws -> Throughput {
    try producer.initTransactions(timeout: Self.timeout)
    try consumer.subscribe(to: ["\(site.prefix).events"], listener: self)
    var watch = Stopwatch()
    var usage = ProcessUsage.now()
    var progress = Stopwatch()
    while copied < options.events || isOpen || isCommitting {
      if assigned.isEmpty {
        watch = Stopwatch()
        usage = ProcessUsage.now()
      }
      try turn()
      guard progress.seconds > 0.1 else { continue }
      progress = Stopwatch()
      onProgress(
        StepProgress(
          share: Double(copied) / Double(options.events), count: copied, unit: "event"))
    }
    let end = ProcessUsage.now()
    let result = Throughput(
      events: copied, seconds: watch.seconds, cpuSeconds: end.cpuSeconds - usage.cpuSeconds,
      peakBytes: end.peakBytes, commits: commits.latency)
    try consumer.close()
    producer.close()
    return result
  }

  // MARK: - The loop

  private func turn() throws {
    try driveCommit(timeout: .zero)
    if isCommitting, backlogIsFull { return try driveCommit(timeout: .milliseconds(1)) }
    try consume(timeout: isCommitting ? .milliseconds(1) : .milliseconds(10))
    guard isOpen, !isCommitting, isDue else { return }
    try beginCommit()
  }

  private var isDue: Bool {
    if batchBytes >= configuration.commitBytes || batchRecords >= configuration.commitRecords { return true }
    guard let batchStart else { return false }
    return ContinuousClock.now - batchStart >= configuration.commitInterval || copied == options.events
  }

  private var backlogIsFull: Bool {
    batchBytes >= configuration.inputBytes || backlog.count == backlog.capacity
  }

  private func consume(timeout: Duration) throws {
    var wait = timeout
    for _ in 0..<1_024 {
      let event = consumer.poll(timeout: wait)
      if let callbackFault { throw callbackFault }
      wait = .zero
      switch event {
      case .none: return
      case .record(let record):
        try take(record)
        if batchBytes >= (isCommitting ? configuration.inputBytes : configuration.commitBytes) { return }
        if isCommitting, backlog.count == backlog.capacity { return }
      case .endOfPartition(_, let partition, let offset):
        positions[Int(partition)] = offset
        ended.insert(partition)
        guard ended.count == site.partitionCount, copied < options.events else { continue }
        throw BenchmarkError(
          "\(options.events) events were published, and the topic \(site.prefix).events holds only \(copied)")
      case .error(let error):
        if error.isFatal || error.code == .noOffset { throw error }
      }
    }
  }

  private func take(_ record: ConsumedRecord) throws {
    let content = InputRecord(key: record.key, value: record.value, headers: record.headers)
    positions[Int(record.partition)] = record.offset + 1
    if batchRecords == 0 { batchStart = .now }
    batchRecords += 1
    batchBytes += content.byteCount
    copied += 1
    if isCommitting {
      try backlog.append(content, partition: Int(record.partition))
    } else {
      try openTransaction()
      try produce(content, partition: record.partition)
    }
  }

  private func openTransaction() throws {
    guard !isOpen else { return }
    try producer.begin()
    isOpen = true
  }

  private func produce(_ record: InputRecord, partition: Int32) throws {
    try producer.produceWithRoom(
      OutgoingRecord(
        topicIndex: 0, partition: partition, key: record.key, value: record.value, headers: record.headers))
  }

  // MARK: - Transactions

  private func beginCommit() throws {
    commitStart = MonotonicTime.nanoseconds()
    let offsets = assigned.map { PartitionOffset($0, offset: positions[Int($0.partition)]) }
      .filter { $0.offset >= 0 }
    sending = (offsets, try consumer.groupMetadata())
    batchBytes = 0
    batchRecords = 0
    batchStart = nil
    isOpen = false
    isCommitting = true
    try driveCommit(timeout: .zero)
  }

  private func driveCommit(timeout: Duration) throws {
    guard isCommitting else { return }
    do throws(KafkaError) {
      if let (offsets, group) = sending {
        guard try producer.sendOffsets(offsets, group: group, timeout: timeout) else { return }
        sending = nil
      }
      guard try producer.commit(timeout: timeout) == .committed else { return }
    } catch {
      guard error.disposition == .retry else { throw error }
      return
    }
    isCommitting = false
    commits.record(nanoseconds: MonotonicTime.nanoseconds() - commitStart)
    guard backlog.count > 0 else { return }
    try openTransaction()
    for index in 0..<backlog.count {
      let (partition, content) = backlog[index]
      try produce(content, partition: Int32(partition))
    }
    backlog.removeAll()
  }

  // MARK: - The group

  func partitionsAssigned(_ partitions: [TopicPartition]) {
    do {
      try consumer.assign(partitions.map { PartitionOffset($0, offset: positions[Int($0.partition)]) })
      assigned = partitions
    } catch {
      callbackFault = error
    }
  }

  func partitionsRevoked(_ partitions: [TopicPartition], lost: Bool) {
    if copied < options.events {
      callbackFault = BenchmarkError("the group took the partitions away while they were copied")
    }
    do { try consumer.unassign() } catch { callbackFault = error }
  }
}
