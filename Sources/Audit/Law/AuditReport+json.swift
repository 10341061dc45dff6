import Contract
import Pipeline

extension AuditReport {
  /// The report for programs. Fields may be added.
  ///
  /// - Throws: what the encoder throws.
  public func json() throws -> String {
    try JSONDocument.text(Document(self), as: .indented)
  }

  private struct Document: Encodable {
    let holds: Bool
    let difference: Int64
    let findingCount: Int
    let records: Int
    let total: [Row]
    let partitions: [Home]
    let findings: [Finding]

    init(_ report: AuditReport) {
      holds = report.holds
      difference = report.difference
      findingCount = report.findingCount
      records = report.records
      total = report.rows.map(Row.init)
      partitions = report.partitions.map(Home.init)
      findings = report.partitions.flatMap(\.findings)
    }
  }

  private struct Row: Encodable {
    let name: String
    let topics: Int64
    let state: Int64
    let difference: Int64

    init(_ row: AuditRow) {
      name = row.name
      topics = row.topics
      state = row.state
      difference = row.difference
    }
  }

  private struct Span: Encodable {
    let from: Int64
    let to: Int64
  }

  private struct Home: Encodable {
    let partition: Int32
    let hasState: Bool
    let startSequence: UInt64?
    let endSequence: UInt64
    let firstDecision: UInt64?
    let lastDecision: UInt64?
    let inputs: [String: Span]
    let deliveries: Int
    let compacted: Int64
    let difference: Int64
    let findingCount: Int
    let unproven: [String]
    let rows: [Row]

    init(_ audit: PartitionAudit) {
      partition = audit.partition
      hasState = audit.hasState
      startSequence = audit.startSequence
      endSequence = audit.endSequence
      firstDecision = audit.decisions?.lowerBound
      lastDecision = audit.decisions?.upperBound
      inputs = Dictionary(
        uniqueKeysWithValues: audit.inputs.map {
          ($0.key.name, Span(from: $0.value.lowerBound, to: $0.value.upperBound))
        })
      deliveries = audit.deliveries
      compacted = audit.compacted
      difference = audit.difference
      findingCount = audit.findingCount
      unproven = audit.unproven
      rows = audit.rows.map(Row.init)
    }
  }
}
