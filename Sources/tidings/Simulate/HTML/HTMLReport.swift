import Contract
import Pipeline
import Replay

/// A simulation as one HTML document that needs nothing else. The same report gives the same text.
struct HTMLReport {
  private static let busiestDays = 10
  /// More places than this are too narrow for a bar.
  private static let placesMax = 480
  private static let histogramBounds = [1, 2, 3, 4, 5, 10, 20, 50, 100]

  private let report: ReplayReport

  init(_ report: ReplayReport) { self.report = report }

  /// The document.
  var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <title>Simulation of \(report.run.file.htmlEscaped)</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    \(heading)\(cards)\(plots)\(sentTable)\(busiestTable)\(loads)\(lawTable)\(rejections)</main>
    </body>
    </html>

    """
  }

  private var runs: [ReplayReport.Run] { [report.run] + (report.against.map { [$0] } ?? []) }

  /// Names a row of one of the catalogs.
  private func name(_ text: String, _ index: Int) -> String { index == 0 ? text : "\(text), against" }

  /// The channels on which something is sent, or was to be.
  private var channels: [Channel] {
    Channel.allCases.filter { channel in runs.contains { $0.outcome.counters[channel].accepted > 0 } }
  }

  // MARK: - Heading

  private var heading: String {
    let history = report.history
    var span = ""
    if let first = history.first, let last = history.last { span = ", \(first.day) to \(last.day)" }
    let against = report.against.map {
      "<p>Compared with \($0.file.htmlEscaped), version \($0.outcome.catalogVersion.htmlEscaped).</p>\n"
    }
    let recipients =
      report.recipients.source == .assumed
      ? "Each recipient is taken to have an address and to want everything."
      : "\(report.recipients.records.counted("record")) of recipients; whoever has none has no address."
    return """
      <h1>What \(report.run.file.htmlEscaped) would send</h1>
      <p>Version \(report.run.outcome.catalogVersion.htmlEscaped), replayed on \(report.input.htmlEscaped): \
      \(history.events.counted("event")), \(history.arrivals.counted("notification")) for \
      \(history.recipients.counted("recipient"))\(span).</p>
      \(against ?? "")<p class="note">\(recipients) Days are those of UTC.</p>

      """
  }

  private var cards: String {
    let cards = channels.map { channel in
      let total = report.run.outcome.total(channel)
      let change = report.difference?.channels.first { $0.channel == channel.name }?.change
      let against = change.map { "<br/>against \($0.against.grouped) (\($0.percentText))" } ?? ""
      return """
        <div class="card">\(channel.name)<b>\(total.messages.grouped)</b>\
        <span class="note">messages, \(total.digests.grouped) of them digests, for \
        \(total.notifications.grouped) notifications\(against)</span></div>

        """
    }
    return "<div class=\"cards\">\n\(cards.joined())</div>\n"
  }

  private var key: String {
    guard let against = report.against else { return "" }
    return """
      <p><span class="key">\(report.run.file.htmlEscaped)</span><span class="key other">\(against.file.htmlEscaped)</span></p>

      """
  }

  // MARK: - Plots

  private var plots: String {
    guard let first = report.history.first else { return "" }
    let unit = plotUnit(from: first.day)
    let plots = channels.map { channel in
      let plot = BarPlot(
        title: "Messages of \(channel.name) by \(unit.rawValue)", noun: "message",
        places: places(channel, unit))
      return "<h3>\(channel.name)</h3>\n\(plot.svg)"
    }
    return "<h2>Messages by \(unit.rawValue)</h2>\n\(key)\(plots.joined())"
  }

  /// The last day on which something happens; digests come behind the last event.
  private var lastDay: Day? {
    let sent = runs.flatMap { $0.outcome.categories.flatMap { $0.days.keys } }.max()
    return [sent, report.history.last?.day].compactMap { $0 }.max()
  }

  private func plotUnit(from first: Day) -> PeriodUnit {
    let days = (lastDay ?? first).number - first.number
    return days <= 120 ? .day : days <= 31 * Int64(Self.placesMax) ? .month : .year
  }

  private func places(_ channel: Channel, _ unit: PeriodUnit) -> [BarPlot.Place] {
    let counts = report.runs(on: channel).map { run in
      Dictionary(
        uniqueKeysWithValues: run.outcome.periods(channel, unit).map { ($0.period, $0.count.messages) })
    }
    var periods: [Period] = []
    if let first = report.history.first?.day, let last = lastDay {
      var period = Period(unit, of: first)
      while period.start <= last, periods.count <= Self.placesMax {
        periods.append(period)
        period = period.next
      }
    }
    // A history with a time far off is shown without the emptiness between.
    if periods.count > Self.placesMax {
      periods = Set(counts.flatMap(\.keys)).sorted().suffix(Self.placesMax)
    }
    return periods.map { period in
      let isLabelled = unit != .month || period.start.month == 1 || periods.count <= 24
      let label =
        unit == .month && periods.count > 24 ? String(period.description.prefix(4)) : period.description
      return BarPlot.Place(
        name: period.description,
        label: isLabelled ? (unit == .day ? String(label.suffix(5)) : label) : nil,
        value: counts[0][period] ?? 0, against: counts.count > 1 ? counts[1][period] ?? 0 : nil)
    }
  }

  // MARK: - Tables

  private var sentTable: String {
    let difference = report.difference
    var table = HTMLTable(
      ["", "messages", "digests", "notifications"]
        + (difference == nil ? [] : ["against", "difference", "percent"]))
    for channel in channels {
      let change = difference?.channels.first { $0.channel == channel.name }?.change
      table.add(row(channel.name, report.run.outcome.total(channel), change), isTotal: true)
      let categories = report.run.outcome.categories.filter { $0.channel == channel }
      for category in categories {
        let change = difference?.categories.first {
          $0.channel == channel.name && $0.category == category.category
        }?.change
        table.add(row(category.category, category.total, change))
      }
      let known = Set(categories.map(\.category))
      for gone in difference?.categories ?? []
      where gone.channel == channel.name && !known.contains(gone.category) {
        table.add(row(gone.category, DayCount(), gone.change))
      }
    }
    return "<h2>By channel and category</h2>\n\(table.html)"
  }

  private func row(_ name: String, _ count: DayCount, _ change: CatalogDifference.Change?) -> [String] {
    var cells = [name, count.messages.grouped, count.digests.grouped, count.notifications.grouped]
    if report.against != nil {
      cells += change.map { [$0.against.grouped, $0.differenceText, $0.percentText] } ?? ["0", "0", ""]
    }
    return cells
  }

  private var busiestTable: String {
    var table = HTMLTable(["", "messages", "digests", "notifications"])
    for channel in channels {
      for (index, run) in report.runs(on: channel).enumerated() {
        let days = run.outcome.busiestDays(channel, limit: Self.busiestDays)
        if days.isEmpty { continue }
        table.add([name(channel.name, index), "", "", ""], isTotal: true)
        for (day, count) in days {
          table.add([
            day.description, count.messages.grouped, count.digests.grouped, count.notifications.grouped,
          ])
        }
      }
    }
    return "<h2>Busiest days</h2>\n\(table.html)"
  }

  private var lawTable: String {
    let reasons = SuppressionReason.shown(in: runs.map(\.outcome.counters))
    var table = HTMLTable(
      ["", "accepted", "delivered"] + reasons.map(\.words) + ["expired", "retracted", "collapsed", "open"])
    for (index, run) in runs.enumerated() {
      for channel in channels {
        let count = run.outcome.counters[channel]
        table.add(
          [name(channel.name, index)]
            + ([count.accepted, count.delivered] + reasons.map { count.suppressed[$0] }
            + [count.expired, count.retracted, count.collapsed, count.open]).map(\.grouped))
      }
    }
    let verdict =
      report.isConserved
      ? "<p class=\"note\">accepted = delivered + suppressed + expired + retracted + collapsed + open: it holds.</p>"
      : "<p class=\"bad\">accepted differs from the sum of the others: this is a fault of tidings.</p>"
    return "<h2>Conservation</h2>\n\(table.html)\(verdict)\n"
  }

  private var rejections: String {
    var table = HTMLTable(["what was left out", "reason", "lines", "first line"])
    func add(_ rejected: [RejectedLines], _ what: String) {
      for lines in rejected {
        table.add([
          "\(what): \(lines.detail)", lines.reason, lines.count.grouped, lines.firstLine?.grouped ?? "",
        ])
      }
    }
    add(report.history.rejected, "breaks the contract")
    add(report.recipients.rejected, "recipient")
    for run in runs { add(run.outcome.rejected, "rejected by \(run.file)") }
    return "<h2>Left out</h2>\n\(table.html)"
  }

  // MARK: - Recipients

  private var loads: String {
    var table = HTMLTable(["", "recipients", "above \(report.options.above.grouped)", "days above"])
    var parts = ""
    for channel in channels {
      var counts: [[Int: Int]] = []
      for (index, run) in report.runs(on: channel).enumerated() {
        guard let load = run.outcome.loads.first(where: { $0.channel == channel }) else {
          counts.append([:])
          continue
        }
        counts.append(
          Dictionary(uniqueKeysWithValues: load.histogram.map { ($0.messages, $0.recipientDays) }))
        table.add([
          name(channel.name, index), load.recipients.grouped, load.recipientsAbove.grouped,
          load.daysAbove.grouped,
        ])
      }
      let plot = BarPlot(
        title: "Days of recipients by messages of \(channel.name)", noun: "day", places: histogram(counts))
      parts += "<h3>\(channel.name): days of recipients by the number of messages</h3>\n\(plot.svg)"
      parts += largest(channel)
    }
    return
      "<h2>Recipients with more than \(report.options.above.counted("message")) on a day</h2>\n\(table.html)\(key)\(parts)"
  }

  private func histogram(_ counts: [[Int: Int]]) -> [BarPlot.Place] {
    var lower = 1
    var places: [BarPlot.Place] = []
    for upper in Self.histogramBounds + [Int.max] {
      let bounds = lower...upper
      let sums = counts.map { count in
        count.reduce(0) { bounds.contains($1.key) ? $0 + $1.value : $0 }
      }
      let label = lower == upper ? "\(lower)" : upper == .max ? "\(lower)+" : "\(lower)–\(upper)"
      places.append(
        BarPlot.Place(
          name: "\(label) messages", label: label, value: sums.first ?? 0,
          against: sums.count > 1 ? sums[1] : nil))
      if upper < .max { lower = upper + 1 }
    }
    return places
  }

  private func largest(_ channel: Channel) -> String {
    guard let load = report.run.outcome.loads.first(where: { $0.channel == channel }), !load.largest.isEmpty
    else { return "" }
    var table = HTMLTable(["recipient", "day", "messages"])
    for day in load.largest.prefix(Self.busiestDays) {
      table.add([day.recipient, day.day.description, day.messages.grouped])
    }
    return table.html
  }
}
