import Contract
import Pipeline
import Processor

extension StateInspection {
  /// The inspection for people.
  var report: String {
    var lines = title + logLines + inputTable
    if let header { lines += clockLines(header) + counterLines(header) }
    lines += contentLines + snapshotLines + memberLines
    if problems.isEmpty {
      lines.append("A processor goes on from this state.")
    } else {
      lines += problems.map { "PROBLEM: \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var title: [String] {
    guard let header else {
      let text = log.records == 0 ? "no state" : "no state record that can be read"
      return ["\(log.place), P = \(partitionCount): \(text)"]
    }
    let epoch = header.epoch == 0 ? "without epoch" : "epoch \(String(header.epoch, radix: 16))"
    return [
      "\(log.place), P = \(partitionCount): format \(version.map { "\($0)" } ?? "?"), \(epoch), record number "
        + "\(header.sequence.grouped), \(header.decisions.counted("decision"))"
    ]
  }

  private var logLines: [String] {
    var checkpoint = "since the last checkpoint began \(log.recordsSinceCheckpoint.counted("record")), "
    checkpoint += log.bytesSinceCheckpoint.inBytes
    if let share = header?.checkpointShare { checkpoint += "; a checkpoint is \(Int(share * 100)) % written" }
    return [
      row(
        "log", "offsets \(log.start) to \(log.end), \(log.records.counted("record")), \(log.bytes.inBytes)"),
      row("", checkpoint),
    ]
  }

  private var inputTable: [String] {
    var cells = [["", "STATE", "GROUP", "LOW", "HIGH", ""]]
    for input in inputs {
      cells.append([
        input.place.topic, input.state.map { "\($0)" } ?? "-", input.group.map { "\($0)" } ?? "-",
        "\(input.low)", "\(input.high)", input.text,
      ])
    }
    let widths = (0..<6).map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.enumerated().map { index, cells in
      let parts = cells.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - cells[column].count)
        return column == 0 ? cells[column] + padding : column == 5 ? cells[column] : padding + cells[column]
      }
      return row(index == 0 ? "offsets" : "", parts.joined(separator: "  "))
    }
  }

  private func clockLines(_ header: StateHeader) -> [String] {
    func clock(_ name: String, _ instant: Int64) -> String {
      guard instant > 0 else { return row(name, "not set") }
      var text = "\(InstantText(instant)), \(distance(now - instant)) this machine's clock"
      if let appended = log.lastAppended {
        text += ", \(distance(appended - instant)) the broker's when it appended the last record"
      }
      return row(name, text)
    }
    return [clock("timer clock", header.timerClock), clock("input clock", header.inputClock)]
  }

  private func counterLines(_ header: StateHeader) -> [String] {
    let counters = header.counters
    var lines = [
      row(
        "counters",
        "consumed \(counters.consumed.grouped) = decided \(counters.decided.grouped) + forwarded "
          + "\(counters.forwarded.grouped) + rejected \(counters.rejected.grouped) + tombstones "
          + counters.tombstones.grouped)
    ]
    for channel in Channel.allCases {
      let count = counters[channel]
      lines.append(
        row(
          "",
          "\(channel.name): accepted \(count.accepted.grouped) = delivered \(count.delivered.grouped) + suppressed "
            + "\(count.suppressed.total.grouped) + expired \(count.expired.grouped) + retracted "
            + "\(count.retracted.grouped) + collapsed \(count.collapsed.grouped) + open \(count.open.grouped)"
        ))
    }
    lines.append(row("", "conservation difference \(counters.difference.grouped)"))
    if let fanOut = header.fanOut {
      lines.append(
        row(
          "fan-out",
          "\(fanOut.topic.name) at offset \(fanOut.offset): \(fanOut.served.counted("recipient")) served, the rest "
            + "follows"))
    }
    return lines
  }

  private var contentLines: [String] {
    var windows = openWindows.counted("open window")
    if let nextDue {
      windows += ", the next due \(InstantText(nextDue)) (\(nextDue > now ? "in " : "")\(span(nextDue - now))"
      windows += nextDue > now ? ")" : " ago)"
    }
    var lines = [
      row(
        "holds",
        "\(ids.counted("id")), \(facts.counted("fact")), \(windows); about \(liveBytes.inBytes) in memory")
    ]
    if let refused = header?.counters.factsRefused, refused > 0 {
      lines.append(row("", "\(refused.counted("fact")) not remembered: the partition held as many as it may"))
    }
    for fanOut in fanOuts {
      lines.append(
        row(
          "",
          "fan-out of \"\(fanOut.event)\" from \(fanOut.source) to \(fanOut.audience)"
            + "\(fanOut.tenant == "default" ? "" : " of tenant \(fanOut.tenant)"): "
            + "\(Int(clamping: fanOut.served).counted("follower")) served, the rest follows"))
    }
    return lines
  }

  private var snapshotLines: [String] {
    guard let snapshot else { return [] }
    let record = snapshot.sequence.map { ", goes on from record number \($0.grouped)" } ?? ""
    return [
      row("snapshot", "\(snapshot.path)\(record)\(snapshot.obstacle.map { "; not used: \($0)" } ?? "")")
    ]
  }

  private var memberLines: [String] {
    guard let members else { return [row("group", "\(group): the cluster does not say who is a member")] }
    guard !members.isEmpty else { return [row("group", "\(group): no members")] }
    return members.map(\.description).sorted().enumerated().map { index, member in
      row(index == 0 ? "group" : "", index == 0 ? "\(group): \(member)" : member)
    } + [row("", "the group is at work: the numbers above move while they are read")]
  }

  private func row(_ name: String, _ text: String) -> String {
    name + String(repeating: " ", count: max(1, 14 - name.count)) + text
  }

  private func distance(_ milliseconds: Int64) -> String {
    milliseconds == 0 ? "at" : "\(span(milliseconds)) \(milliseconds > 0 ? "behind" : "AHEAD OF")"
  }

  private func span(_ milliseconds: Int64) -> String {
    let seconds = abs(milliseconds) / 1000
    switch seconds {
    case 0: return "\(abs(milliseconds)) ms"
    case ..<120: return "\(seconds) s"
    case ..<7200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3600) h"
    default: return "\((seconds / 86_400).grouped) days"
    }
  }
}
