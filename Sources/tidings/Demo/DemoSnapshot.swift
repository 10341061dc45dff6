import Contract
import Pipeline

/// How far a demo is.
struct DemoSnapshot: Equatable, Sendable {
  /// What was published of the input.
  var totals = PublishTotals()
  /// Events that were written into the page's form.
  var formEvents = 0
  /// Records that the demo itself has put into the input topics: events, recipients, those of the page's form.
  var published = 0
  /// Records in the engagement topic: what was done with notifications on the inbox's page.
  var engagements = 0
  /// Records that the broker did not take.
  var failed = 0
  /// The processor's counters as of its last commits.
  var counters = Counters()
  /// Windows that wait.
  var openWindows = 0
  /// Mails handed over.
  var mails = 0
  /// Notifications in the inbox.
  var inboxRows = 0
  /// Deliveries that neither sink could take.
  var deadLetters = 0

  /// Whether all that was published is decided, and nothing waits in a window. What the sinks have is another question.
  var isDecided: Bool {
    unread == 0 && counters.total.open == 0 && openWindows == 0
  }

  /// Records in the input topics that the processor has not taken in.
  private var unread: Int64 { Int64(published + engagements) + counters.forwards - counters.consumed }

  /// What is still open, for a person who wonders why nothing happens.
  var openWork: String {
    var parts: [String] = []
    if unread != 0 {
      parts.append(
        "\(unread.grouped) of \((published + engagements).grouped) published records and "
          + "\(counters.forwards.grouped) forwards are not consumed")
    }
    if counters.total.open > 0 || openWindows > 0 {
      parts.append("\(counters.total.open.counted("notification")) open in \(openWindows.counted("window"))")
    }
    if parts.isEmpty { parts.append("the sinks are behind the ends of their delivery topics") }
    return parts.joined(separator: "; ")
  }
}

extension DemoSnapshot {
  /// The lines of a terminal.
  var lines: [String] {
    let total = counters.total
    func line(_ name: String, _ text: String) -> String {
      "  " + name.padding(toLength: 12, withPad: " ", startingAt: 0) + text
    }
    var lines = [
      line(
        "published",
        "\(totals.records.counted("event")) with \(totals.notifications.counted("notification"))"
          + (totals.repeatedNotifications > 0
            ? ", \(totals.repeatedNotifications.grouped) of them again" : "")),
      line("accepted", "\(total.accepted.grouped), counted per channel"),
      line("delivered", "\(total.delivered.grouped), alone or in a digest"),
      line("suppressed", Self.suppressed(total)),
      line(
        "open",
        total.open == 0
          ? "none" : "\(total.open.grouped) in \(openWindows.counted("window")) of a few seconds"),
      line("mails", mails.grouped),
      line("inbox", "\(inboxRows.counted("row"))"),
    ]
    if counters.rejected > 0 { lines.append(line("rejected", counters.rejected.grouped)) }
    if deadLetters > 0 { lines.append(line("dead letters", deadLetters.grouped)) }
    return lines
  }

  /// The same in one line.
  var plain: String {
    let total = counters.total
    return
      "published \(totals.records + formEvents)  accepted \(total.accepted)  delivered \(total.delivered)  "
      + "suppressed \(total.suppressed.total)  open \(total.open)  mails \(mails)  inbox \(inboxRows)"
      + (counters.rejected > 0 ? "  rejected \(counters.rejected)" : "")
      + (deadLetters > 0 ? "  dead letters \(deadLetters)" : "")
  }

  private static func suppressed(_ total: ChannelCounters) -> String {
    let reasons = SuppressionReason.allCases.filter { total.suppressed[$0] > 0 }
      .map { "\($0.literal) \(total.suppressed[$0].grouped)" }
    return total.suppressed.total == 0 ? "none" : reasons.joined(separator: ", ")
  }
}
