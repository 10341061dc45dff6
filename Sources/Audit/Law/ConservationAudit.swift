import Contract
import Kafka
import Pipeline

/// Recomputes the conservation law from the topics, and compares it with the counters in the state: the core of
/// `tidings audit`.
///
/// It joins no group and writes nothing; processors may run meanwhile. `docs/operations.md` says what is compared, up
/// to where, and how much memory it takes. Confined to the thread that calls it; every call waits.
public struct ConservationAudit {
  let topics: AuditTopics
  let scan: PartitionScan

  /// An audit of a deployment.
  ///
  /// - Parameters:
  ///   - patience: how long to wait where a transaction holds a topic.
  ///   - progress: called after every thousand records, about.
  public init(
    cluster: any KafkaCluster, topics: AuditTopics, patience: Duration = .seconds(30),
    progress: @escaping (ScanProgress) -> Void = { _ in }
  ) {
    self.topics = topics
    scan = PartitionScan(cluster, patience: patience, progress: progress)
  }

  /// Audits all partitions, or some.
  ///
  /// - Parameters:
  ///   - partitions: the home partitions; nil for all.
  ///   - isRecent: whether to begin with the first record that the state log still holds, also where the topics reach
  ///     further back.
  /// - Throws: `AuditFault`, `ScanFault`, `KafkaError`.
  public func run(partitions: [Int32]? = nil, isRecent: Bool = false) throws -> AuditReport {
    let homes = partitions ?? Array(0..<topics.partitionCount)
    for home in homes where home < 0 || home >= topics.partitionCount {
      throw AuditFault.noSuchPartition(home, count: topics.partitionCount)
    }
    try topics.check(
      InputTopic.allCases.map(topics.name(of:)) + [topics.state, topics.decisions, topics.rejected]
        + Channel.allCases.map(topics.delivery), in: scan.cluster)
    // The state first: what is read after it holds all that it counts.
    var runs: [HomeAudit] = []
    for home in homes { runs.append(try HomeAudit(home, topics, scan, isRecent: isRecent)) }
    var strays = Findings()
    var forwards = try readForwards(runs, &strays)
    for index in runs.indices { try runs[index].run(&forwards) }
    forwards.check(into: &strays)
    var reports = runs.map(\.report)
    if strays.count > 0, !reports.isEmpty {
      // They belong to the home that forwarded; where nobody knows it, to the first.
      reports[0].findingCount += strays.count
      reports[0].findings += strays.kept
    }
    return AuditReport(partitions: reports, records: scan.records)
  }

  private func readForwards(_ runs: [HomeAudit], _ findings: inout Findings) throws -> ForwardLedger {
    let cuts = Dictionary(
      uniqueKeysWithValues: runs.compactMap { run in run.cut.map { (run.partition, $0) } })
    let ranges = try scan.ranges(of: topics.name(of: .routed), Array(0..<topics.partitionCount))
    var forwards = ForwardLedger(
      topics, cutPartitions: Set(ranges.filter { $0.earliest > 0 }.map(\.topicPartition.partition)))
    try scan.read(topics.name(of: .routed), ranges.map { PartitionSpan($0) }) { record in
      forwards.take(
        record,
        isWithin: { topic, partition, offset in
          cuts[partition]?.holds(
            outcomeOf: topic, at: offset, appended: record.timestampMilliseconds) ?? false
        }, into: &findings)
    }
    return forwards
  }
}
