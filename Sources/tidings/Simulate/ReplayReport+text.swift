import Contract
import Pipeline
import Replay

/// The report for a terminal.
extension ReplayReport {
  private static let busiestDays = 5
  private static let namedRecipients = 5
  private static let namedRejections = 10

  /// The report for people.
  var text: String {
    let unit = PeriodUnit(history)
    let above = options.above.counted("message")
    var text = heading
    text += section("What would be sent", sentTable)
    if channelsSent.isEmpty { text += "\nNothing would be sent.\n" }
    text += section("Messages by \(unit.rawValue)", periodTable(unit))
    text += section("Busiest days (UTC)", busiestTable)
    text += section("Recipients with more than \(above) on a day (UTC)", loadTable)
    text += section("Recipients, compared", difference.map { recipientTable($0) } ?? "")
    text += section("Conservation", lawTable)
    return text
  }

  private func section(_ title: String, _ table: String) -> String {
    table.contains { !$0.isNewline } ? "\n\(title)\n\(table)" : ""
  }

  private var channelsSent: [Channel] {
    Channel.allCases.filter { channel in runs.contains { $0.outcome.total(channel).messages > 0 } }
  }

  private var runs: [Run] { [run] + (against.map { [$0] } ?? []) }

  /// Marks the rows of the catalog that is compared with.
  private func name(of index: Int) -> String { index == 0 ? "" : "against" }

  // MARK: - Heading

  private var heading: String {
    var lines: [String] = []
    var span = ""
    if let first = history.first, let last = history.last { span = ", \(first.day) to \(last.day)" }
    lines.append(
      "history     \(input): \(history.events.counted("event")), \(history.arrivals.counted("notification")) for "
        + "\(history.recipients.counted("recipient"))\(span)")
    if history.outOfOrder > 0 {
      lines.append("            \(history.outOfOrder.counted("event")) sorted in by time")
    }
    if history.withoutTime > 0 {
      lines.append(
        "            \(history.withoutTime.counted("event")) without a time: that of the line before is taken"
      )
    }
    lines += rejectedLines(history.rejected, what: "left out")
    switch recipients.source {
    case .assumed:
      lines.append("recipients  taken to have an address and to want everything (--recipients names others)")
    case .read:
      lines.append("recipients  \(recipients.records.counted("record")); whoever has none has no address")
    }
    lines += rejectedLines(recipients.rejected, what: "left out")
    lines.append("catalog     \(run.file), version \(run.outcome.catalogVersion)")
    lines += rejectedLines(run.outcome.rejected, what: "rejected")
    if let against {
      lines.append("against     \(against.file), version \(against.outcome.catalogVersion)")
      lines += rejectedLines(against.outcome.rejected, what: "rejected")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func rejectedLines(_ rejected: [RejectedLines], what: String) -> [String] {
    rejected.prefix(Self.namedRejections).map { lines in
      let line = lines.firstLine.map { "line \($0): " } ?? ""
      return "            \(lines.count.grouped) \(what): \(lines.reason); the first, \(line)\(lines.detail)"
    }
  }

  // MARK: - Tables

  private var sentTable: String {
    var table = TextTable(
      header: ["", "messages", "digests", "notifications", "against", "difference", "percent"])
    let changes = difference
    for channel in Channel.allCases {
      let total = run.outcome.total(channel)
      let change = changes?.channels.first { $0.channel == channel.name }?.change
      if total.messages == 0, change == nil { continue }
      table.add(row(channel.name, total, change))
      var categories = run.outcome.categories.filter { $0.channel == channel }.map { ($0.category, $0.total) }
      let known = Set(categories.map(\.0))
      for change in changes?.categories ?? []
      where change.channel == channel.name && !known.contains(change.category) {
        categories.append((change.category, DayCount()))
      }
      for (category, count) in categories {
        let change = changes?.categories.first { $0.channel == channel.name && $0.category == category }?
          .change
        table.add(row("  \(category)", count, change))
      }
    }
    return table.text
  }

  private func row(_ name: String, _ count: DayCount, _ change: CatalogDifference.Change?) -> [String] {
    [name, count.messages.grouped, count.digests.grouped, count.notifications.grouped]
      + (change.map { [$0.against.grouped, $0.differenceText, $0.percentText] } ?? [])
  }

  private func periodTable(_ unit: PeriodUnit) -> String {
    var columns: [(name: String, counts: [Period: DayCount])] = []
    for channel in Channel.allCases {
      for (index, run) in runs(on: channel).enumerated() {
        let periods = run.outcome.periods(channel, unit)
        columns.append(
          (
            "\(channel.name) \(name(of: index))",
            Dictionary(uniqueKeysWithValues: periods.map { ($0.period, $0.count) })
          ))
      }
    }
    columns.removeAll { $0.counts.isEmpty }
    var table = TextTable(header: [unit.rawValue] + columns.map(\.name))
    for period in Set(columns.flatMap(\.counts.keys)).sorted() {
      table.add([period.description] + columns.map { ($0.counts[period]?.messages ?? 0).grouped })
    }
    return table.text
  }

  private var busiestTable: String {
    var table = TextTable(header: ["", "messages", "digests", "notifications"])
    for channel in Channel.allCases {
      for (index, run) in runs(on: channel).enumerated() {
        for (day, count) in run.outcome.busiestDays(channel, limit: Self.busiestDays) {
          table.add(
            row("\(channel.name) \(name(of: index))".padded(14) + " \(day)", count, nil))
        }
      }
    }
    return table.text
  }

  private var loadTable: String {
    var table = TextTable(header: ["", "recipients", "above", "days above", "messages"])
    for channel in Channel.allCases {
      for (index, run) in runs(on: channel).enumerated() {
        guard let load = run.outcome.loads.first(where: { $0.channel == channel }) else { continue }
        table.add([
          "\(channel.name) \(name(of: index))", load.recipients.grouped, load.recipientsAbove.grouped,
          load.daysAbove.grouped, run.outcome.total(channel).messages.grouped,
        ])
        for day in load.largest.prefix(Self.namedRecipients) {
          table.add(["  \(day.recipient) on \(day.day)", "", "", "", day.messages.grouped])
        }
      }
    }
    return table.text
  }

  private func recipientTable(_ difference: CatalogDifference) -> String {
    var table = TextTable(header: ["", "more", "as many", "fewer", "none any more"])
    for channel in difference.channels {
      table.add([
        channel.channel, channel.recipientsWithMore.grouped, channel.recipientsUnchanged.grouped,
        channel.recipientsWithFewer.grouped, channel.recipientsWithNone.grouped,
      ])
    }
    return table.text
  }

  private var lawTable: String {
    let reasons = SuppressionReason.shown(in: runs.map(\.outcome.counters))
    var table = TextTable(
      header: ["", "accepted", "delivered"] + reasons.map(\.words) + [
        "expired", "retracted", "collapsed", "open",
      ])
    var lines = ""
    for (index, run) in runs.enumerated() {
      let counters = run.outcome.counters
      for channel in Channel.allCases where counters[channel].accepted > 0 {
        let count = counters[channel]
        let cells =
          [count.accepted, count.delivered] + reasons.map { count.suppressed[$0] } + [
            count.expired, count.retracted, count.collapsed, count.open,
          ]
        table.add(["\(channel.name) \(name(of: index))"] + cells.map(\.grouped))
      }
      lines +=
        "\(index == 0 ? "" : "against: ")consumed \(counters.consumed.grouped) = decided \(counters.decided.grouped)"
        + " + forwarded \(counters.forwarded.grouped) + rejected \(counters.rejected.grouped)"
        + "; difference of the law \(counters.difference.grouped)\n"
    }
    return table.text + lines
  }
}

extension CatalogDifference.Change {
  /// The difference with its sign.
  var differenceText: String { difference > 0 ? "+\(difference.grouped)" : difference.grouped }

  /// The difference in percent with its sign; empty where there was nothing before.
  var percentText: String {
    guard let percent else { return "" }
    let tenths = Int((abs(percent) * 10).rounded())
    let sign = tenths == 0 ? "" : percent < 0 ? "-" : "+"
    return "\(sign)\((tenths / 10).grouped).\(tenths % 10) %"
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
