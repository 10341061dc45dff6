import Contract
import Foundation
import MarkedYAML
import Policy
import Testing

/// The tables of docs/schedules.md, row by row.
@Suite("The examples of docs/schedules.md")
struct ScheduleDocumentationTests {
  @Test("schedules are due when the page says so")
  func schedules() throws {
    let rows = try rows(of: ["zone", "schedule", "after", "due"])
    #expect(rows.count >= 14)
    for row in rows {
      let zone = try #require(ZoneDatabase.system.zone(named: zone(row["zone"])), "\(row)")
      let document = try YAMLDocument(yaml: code(row["schedule"]), file: "schedules.md")
      let schedule = try #require(document.root.flatMap(Schedule.init(reading:)), "\(document.problems)")
      let expected = (row["due"] ?? "").components(separatedBy: "<br>")
      let due = schedule.next(expected.count, after: try instant(row["after"]), in: zone)
      #expect(due.map(zone.text) == expected, "\(row)")
    }
  }

  @Test("quiet hours end when the page says so")
  func quietHours() throws {
    let rows = try rows(of: ["zone", "quiet hours", "at", "until"])
    #expect(rows.count >= 10)
    for row in rows {
      let zone = try #require(ZoneDatabase.system.zone(named: zone(row["zone"])), "\(row)")
      let document = try YAMLDocument(yaml: code(row["quiet hours"]), file: "schedules.md")
      let hours = try #require(document.root.flatMap(QuietHours.init(reading:)), "\(document.problems)")
      let instant = try instant(row["at"])
      let end = hours.end(at: instant, in: zone)
      #expect((end == instant ? "not quiet" : zone.text(at: end)) == row["until"], "\(row)")
      #expect(hours.isQuiet(at: instant, in: zone) == (end != instant), "\(row)")
    }
  }

  @Test("the zone that the page names decides")
  func zones() throws {
    let rows = try rows(of: ["recipient", "tenant", "deployment", "decides", "unknown"])
    #expect(rows.count >= 7)
    let cache = ZoneCache()
    for row in rows {
      let choice = (row["recipient"] ?? "").withByteView { recipient in
        (row["tenant"] ?? "").withByteView { tenant in
          (row["deployment"] ?? "").withByteView { deployment in
            cache.choose(recipient: recipient, tenant: tenant, deployment: deployment)
          }
        }
      }
      let whose = choice.origin == .utc ? choice.origin.name : "the \(choice.origin.name)"
      #expect("\(choice.zone.name) of \(whose)" == row["decides"], "\(row)")
      #expect(choice.unknown?.name ?? "" == row["unknown"], "\(row)")
    }
  }

  /// The rows of all tables with these columns, and perhaps others.
  private func rows(of columns: [String]) throws -> [[String: String]] {
    let page = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/schedules.md").standardizedFileURL
    var header: [String] = []
    var rows: [[String: String]] = []
    for line in try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n") {
      guard line.hasPrefix("|") else {
        header = []
        continue
      }
      let cells = line.dropFirst().dropLast().components(separatedBy: "|").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      if header.isEmpty {
        header = cells
      } else if !cells.allSatisfy({ $0 == "---" }), Set(columns).isSubset(of: header) {
        #expect(cells.count == header.count, "\(line)")
        rows.append(Dictionary(zip(header, cells)) { first, _ in first })
      }
    }
    return rows
  }

  private func zone(_ cell: String?) -> String { cell?.components(separatedBy: ",")[0] ?? "" }

  private func code(_ cell: String?) -> String { (cell ?? "").replacingOccurrences(of: "`", with: "") }

  private func instant(_ cell: String?) throws -> Int64 {
    try #require((cell ?? "").withByteView(RFC3339.milliseconds), "\(cell ?? "none")")
  }
}
