import Contract
import Kafka
import Pipeline

/// The audit of one home partition.
struct HomeAudit {
  let partition: Int32
  private let topics: AuditTopics
  private let scan: PartitionScan
  let cut: StateCut?
  private let kept: KeptHistory
  private var inputs: [InputTopic: InputLedger] = [:]
  private var findings = Findings()
  /// Records without an outcome that may have been rejected without a trace that is left.
  private var excusedRecords: Int64 = 0
  private(set) var report: PartitionAudit

  /// Reads the state of a partition, and decides from where to where it is audited.
  init(_ partition: Int32, _ topics: AuditTopics, _ scan: PartitionScan, isRecent: Bool) throws {
    self.partition = partition
    self.topics = topics
    self.scan = scan
    kept = try Self.keptHistory(partition, topics, scan, isRecent: isRecent)
    cut = try StateCut.read(partition, topics, scan, kept: kept, isRecent: isRecent)
    report = PartitionAudit(partition)
    guard let cut else {
      report.hasState = false
      report.unproven.append("there is no state: nothing is held against anything")
      let range = try scan.range(of: topics.decisions, partition)
      guard range.latest > range.earliest else { return }
      findings.add(
        .lostState, topics.state, partition, nil,
        "it is empty, and \(topics.decisions) is not: `tidings state inspect --partition \(partition)`")
      report.findingCount = findings.count
      report.findings = findings.kept
      return
    }
    if case .header(let header) = cut.start {
      report.startSequence = header.sequence
      report.unproven.append(
        "what came before state record \(header.sequence) (decision \(partition)-\(header.decisions)): "
          + (isRecent
            ? "left out as asked" : "retention has deleted part of it, or the state was begun anew there"))
    }
    report.endSequence = cut.end.sequence
    report.decisions = cut.decisions
    report.state = cut.gained
    for topic in InputTopic.allCases { report.inputs[topic] = cut.positions(topic) }
    for topic in [InputTopic.events, .routed] {
      inputs[topic] = InputLedger(topic: topics.name(of: topic), offsets: cut.positions(topic))
    }
  }

  private static func keptHistory(
    _ partition: Int32, _ topics: AuditTopics, _ scan: PartitionScan, isRecent: Bool
  ) throws -> KeptHistory {
    var lows: [InputTopic: Int64] = [:]
    for topic in InputTopic.allCases {
      lows[topic] = try scan.range(of: topics.name(of: topic), partition).earliest
    }
    let range = try scan.range(of: topics.decisions, partition)
    // A topic that still begins at its first offset has lost nothing to retention: what is missing there is missing.
    let first = range.earliest == 0 && !isRecent ? 1 : try firstDecision(range, scan)
    return KeptHistory(firstDecision: first, decisionsFrom: range.earliest, lows: lows)
  }

  /// The number of the first decision in a range of their topic.
  private static func firstDecision(_ range: OffsetRange, _ scan: PartitionScan) throws -> UInt64 {
    let decoder = try DecisionDecoder()
    var first: UInt64?
    try scan.first(
      range.topicPartition.topic, PartitionSpan(range)
    ) { record in
      _ = try? decoder.decode(record.value) { first = first ?? $0.number }
    }
    // An empty topic proves nothing of what was decided so far.
    return first ?? .max
  }

  /// Reads everything else, and compares.
  mutating func run(_ forwards: inout ForwardLedger) throws {
    guard let cut else { return }
    let rejections = try readRejected(cut)
    var deliveries = try readDeliveries()
    let range = try scan.range(of: topics.decisions, partition)
    // Retention goes on while other topics are read.
    let firstKept =
      range.earliest > kept.decisionsFrom ? try Self.firstDecision(range, scan) : kept.firstDecision
    if cut.decisions != nil, firstKept > cut.firstDecision {
      throw ScanFault.cutMeanwhile(topic: topics.decisions)
    }
    var tally = try DecisionTally(partition, topics, cut, firstKept: firstKept)
    try scan.read(
      topics.decisions, [PartitionSpan(range)]
    ) { record in try tally.take(record, &inputs, &deliveries, into: &findings) }
    tally.checkEnd(into: &findings)
    // Where no decision is left, none of the deliveries can be held against one.
    deliveries.check(decisionsSince: firstKept > 1 ? tally.since ?? .max : nil, into: &findings)
    report.topics = tally.counters
    report.deliveries = deliveries.found
    for topic in [InputTopic.events, .routed] {
      try readInput(topic, rejections, fanOuts: tally.fanOuts[topic] ?? [:], &forwards)
    }
    try readEngagement(cut, rejections)
    try readTables(cut, rejections)
    note(tally, deliveries)
    report.findingCount = findings.count
    report.findings = findings.kept
  }

  private mutating func note(_ tally: DecisionTally, _ deliveries: DeliveryLedger) {
    func add(_ count: Int, _ what: String) {
      if count > 0 { report.unproven.append("\(count) \(what)") }
    }
    add(
      deliveries.withoutDelivery,
      "decisions whose delivery record is older than what retention has left of the delivery topic")
    add(deliveries.withoutDecision, "delivery records whose decision retention has deleted")
    add(
      tally.windows.earlier,
      "notifications of digests that were put into their window before the first decision kept")
    add(tally.unknown, "outcomes or decisions that this version does not know")
  }

  // MARK: - Rejected

  private struct Rejections {
    /// Of the topics whose records have no decisions, by offset.
    var offsets: [InputTopic: Set<Int64>] = [:]
    /// When the first kept one was appended, where earlier ones were deleted; nil where all are there.
    var keptSince: Int64?

    /// Whether a rejection of the record may have been deleted.
    func mayLack(_ record: ConsumedRecord) -> Bool {
      keptSince.map { record.timestampMilliseconds <= $0 } ?? false
    }
  }

  private mutating func readRejected(_ cut: StateCut) throws -> Rejections {
    var rejections = Rejections()
    let range = try scan.range(of: topics.rejected, partition)
    if range.earliest > 0 { rejections.keptSince = .max }
    try scan.read(
      topics.rejected, [PartitionSpan(range)]
    ) { record in
      if rejections.keptSince == .max { rejections.keptSince = record.timestampMilliseconds }
      guard let source = record.source,
        let input = source.topic.withByteView({ topics.input(named: $0) }), source.partition == partition
      else {
        return findings.add(
          .unreadable, topics.rejected, partition, record.offset,
          "the record does not name an input record of this partition: the processor did not write it")
      }
      guard cut.holds(outcomeOf: input, at: source.offset, appended: record.timestampMilliseconds) else {
        return
      }
      if inputs[input] != nil {
        inputs[input]?.note(.rejected, at: source.offset)
      } else if !rejections.offsets[input, default: []].insert(source.offset).inserted {
        findings.add(
          .doubledRecord, topics.name(of: input), partition, source.offset, "rejected more than once")
      }
    }
    return rejections
  }

  // MARK: - Deliveries

  private mutating func readDeliveries() throws -> DeliveryLedger {
    var ledger = try DeliveryLedger(partition, topics)
    for channel in Channel.allCases {
      let topic = topics.delivery(channel)
      let range = try scan.range(of: topic, partition)
      if range.earliest > 0 { ledger.noteCut(channel) }
      try scan.read(topic, [PartitionSpan(range)]) {
        ledger.take($0, on: channel, into: &findings)
      }
    }
    return ledger
  }

  // MARK: - Inputs

  /// Holds every record of an input against its outcome.
  private mutating func readInput(
    _ topic: InputTopic, _ rejections: Rejections, fanOuts: [Int64: Int64],
    _ forwards: inout ForwardLedger
  ) throws {
    guard var ledger = inputs.removeValue(forKey: topic) else { return }
    var reader = try ForwardReader(partition, topics)
    var excused: Set<Int64> = []
    let span = PartitionSpan(
      partition: partition, from: max(ledger.offsets.lowerBound, kept.lows[topic] ?? 0),
      to: ledger.offsets.upperBound)
    try scan.read(ledger.topic, [span]) { record in
      report.topics.consumed += 1
      let marks = ledger[record.offset]
      ledger.note(.present, at: record.offset)
      guard marks.intersection(.outcomes).isEmpty else { return }
      let mayBeRejected = rejections.mayLack(record)
      if reader.check(
        record, of: topic, served: fanOuts[record.offset], mayBeRejected: mayBeRejected, &forwards,
        into: &findings)
      {
        ledger.note(.forwarded, at: record.offset)
        report.topics.forwarded += 1
      } else if mayBeRejected {
        excused.insert(record.offset)
      }
    }
    ledger.check(partition, excused: excused, into: &findings)
    report.topics.rejected += ledger.rejectedCount
    excusedRecords += Int64(excused.count)
    if !excused.isEmpty {
      report.unproven.append(
        "\(excused.count) record\(excused.count == 1 ? "" : "s") of \(ledger.topic) without an outcome, "
          + "from before what retention has left of "
          + "\(topics.rejected): counted as the state has them, rejected or forwarded")
    }
    if reader.unproven > 0 {
      report.unproven.append(
        "\(reader.unproven) forwards from before what retention has left of \(topics.name(of: .routed))")
    }
  }

  /// Engagement records have no decisions: each is decided at home, forwarded elsewhere, or rejected.
  private mutating func readEngagement(_ cut: StateCut, _ rejections: Rejections) throws {
    let positions = cut.positions(.engagement)
    let rejected = rejections.offsets[.engagement] ?? []
    let from = max(positions.lowerBound, kept.lows[.engagement] ?? 0)
    let span = PartitionSpan(partition: partition, from: from, to: positions.upperBound)
    var reader = try EngagementReader(topics)
    try scan.read(topics.name(of: .engagement), [span]) { record in
      report.topics.consumed += 1
      if rejected.contains(record.offset) { return }
      let mayBeRejected = rejections.mayLack(record)
      if let home = reader.home(of: record, mayBeRejected: mayBeRejected) {
        if home == partition { report.topics.decided += 1 } else { report.topics.forwarded += 1 }
      } else if mayBeRejected {
        report.topics.rejected += 1
      } else {
        findings.add(
          .lostRecord, topics.name(of: .engagement), partition, record.offset,
          "it cannot be read, and was not rejected")
      }
    }
    report.topics.rejected += Int64(rejected.count)
  }

  private mutating func readTables(_ cut: StateCut, _ rejections: Rejections) throws {
    var present: Int64 = 0
    var offsets: Int64 = 0
    var reader = try TableReader(recordLimit: topics.recordLimit)
    for table in InputTopic.tables {
      let positions = cut.positions(table)
      offsets += Int64(positions.count)
      let from = max(positions.lowerBound, kept.lows[table] ?? 0)
      let rejected = rejections.offsets[table] ?? []
      let span = PartitionSpan(partition: partition, from: from, to: positions.upperBound)
      try scan.read(topics.name(of: table), [span]) { record in
        present += 1
        report.topics.consumed += 1
        if rejected.contains(record.offset) { return }
        let mayBeRejected = rejections.mayLack(record)
        let home = reader.home(of: record, in: table, topics.partitionCount, mayBeRejected: mayBeRejected)
        if mayBeRejected, home == nil {
          report.topics.rejected += 1
        } else if home ?? partition != partition {
          report.topics.forwarded += 1
        } else if record.value == nil {
          report.topics.tombstones += 1
        } else {
          report.topics.decided += 1
        }
      }
      report.topics.rejected += Int64(rejected.count)
    }
    // Of a record that can be read, only the state knows whether its type was refused.
    let refused = min(max(0, report.state.rejected - report.topics.rejected), excusedRecords)
    report.topics.rejected += refused
    report.topics.forwarded += excusedRecords - refused
    reckonCompaction(holes: offsets - present)
  }

  /// Compaction takes records of recipients and audiences that the state has counted. What is missing is taken from the state where
  /// it fits the offsets that hold no record; otherwise it stays a difference.
  private mutating func reckonCompaction(holes: Int64) {
    let missing = report.state.consumed - report.topics.consumed
    let decided = report.state.decided - report.topics.decided
    let tombstones = report.state.tombstones - report.topics.tombstones
    let forwarded = report.state.forwarded - report.topics.forwarded
    let rejected = missing - decided - tombstones - forwarded
    guard missing > 0, missing <= holes, decided >= 0, tombstones >= 0, forwarded >= 0,
      (0...missing).contains(rejected)
    else { return }
    report.compacted = missing
    report.topics.consumed += missing
    report.topics.decided += decided
    report.topics.tombstones += tombstones
    report.topics.forwarded += forwarded
    report.unproven.append(
      "\(missing) records of \(InputTopic.tables.map(topics.name(of:)).joined(separator: " and ")) that compaction has taken (\(holes) offsets hold none): "
        + "counted as the state has them")
  }
}

/// Reads records of the tables as the processor does, as far as it matters where they are at home.
private struct TableReader: ~Copyable {
  private var recipients: RecipientDecoder
  private var subscriptions: SubscriptionDecoder
  private let limits: EventLimits

  init(recordLimit: Int) throws(JSONError) {
    let recipients = try RecipientDecoder(maxBytes: AuditTopics.anySize)
    let subscriptions = try SubscriptionDecoder(maxBytes: AuditTopics.anySize)
    self.recipients = recipients
    self.subscriptions = subscriptions
    limits = EventLimits(maxRecordBytes: recordLimit)
  }

  /// The home of a record; nil where it cannot be read.
  ///
  /// - Parameter mayBeRejected: as of engagement records.
  mutating func home(
    of record: ConsumedRecord, in table: InputTopic, _ count: Int32, mayBeRejected: Bool
  ) -> Int32? {
    let input = InputRecord(key: record.key, value: record.value, headers: record.headers)
    if mayBeRejected, !limits.allows(table: input) { return nil }
    do throws(Rejection) {
      var key = record.key
      if table == .subscriptions {
        key = try AudienceKey.split(record.key).key
        _ = try subscriptions.decode(record.value)
      } else {
        _ = try RecipientKey.split(record.key)
        _ = try recipients.decode(record.value)
      }
      return Murmur2.partition(ofKey: key ?? .empty, count: count)
    } catch {
      return nil
    }
  }
}
