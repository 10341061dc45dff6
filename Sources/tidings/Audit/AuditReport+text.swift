import Audit

extension AuditReport {
  /// How many findings are printed.
  private static let shownFindings = 20

  /// The report for people.
  var text: String {
    var lines: [String] = []
    var table = TextTable(header: ["", "TOPICS", "STATE", "DIFFERENCE"])
    for row in rows where row.topics != 0 || row.state != 0 || !row.name.contains(" ") {
      table.add([row.name, row.topics.grouped, row.state.grouped, row.difference.grouped])
    }
    lines.append(table.text)
    if partitions.count > 1 { lines.append(partitionTable) }
    lines += unprovenLines
    lines += findingLines
    lines.append(verdict)
    return lines.joined(separator: "\n") + "\n"
  }

  private var partitionTable: String {
    var table = TextTable(header: [
      "PARTITION", "DECISIONS", "CONSUMED", "ACCEPTED", "DELIVERIES", "OPEN", "DIFFERENCE", "FINDINGS",
    ])
    for partition in partitions {
      let count = partition.topics.total
      table.add([
        "\(partition.partition)", partition.decisions.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "-",
        partition.topics.consumed.grouped, count.accepted.grouped, partition.deliveries.grouped,
        count.open.grouped, partition.difference.grouped, partition.findingCount.grouped,
      ])
    }
    return table.text
  }

  private var unprovenLines: [String] {
    let lines = partitions.flatMap { partition in
      partition.unproven.map { "  partition \(partition.partition): \($0)" }
    }
    return lines.isEmpty ? [] : ["What can no longer be proven:"] + lines + [""]
  }

  private var findingLines: [String] {
    guard findingCount > 0 else { return [] }
    let shown = partitions.flatMap(\.findings).prefix(Self.shownFindings)
    return ["\(findingCount.counted("finding")), the first:"] + shown.map { "  \($0)" } + [""]
  }

  private var verdict: String {
    let read = "\(records.counted("record")) read"
    guard !holds else { return "The law holds: difference 0 (\(read))." }
    var text =
      "THE LAW DOES NOT HOLD: difference \(difference.grouped), \(findingCount.counted("finding")) (\(read))."
    if findingCount == 0 {
      text += """

        The records agree with each other, the counters do not. If a partition was mended by hand (tidings state \
        adopt-group, adopt-state, reset), try --recent; otherwise keep the topics and report this.
        """
    }
    return text
  }
}
