import Contract
import Foundation
import Policy
import Replay
import Testing

@testable import tidings

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("What simulate shows")
struct SimulateReportTests {
  private static func event(_ id: Int, day: Int, type: String = "card.moved") -> String {
    """
    {"specversion":"1.0","id":"\(id)","source":"/test","type":"\(type)","time":"2024-01-0\(day)T10:00:00Z",\
    "recipients":"ann,b<i>&\\"b"}
    """
  }

  private static func catalog(_ email: String) -> String {
    "types: { card.moved: { title: moved, category: \"<cards>\", channels: { inapp: { policy: immediate }, "
      + "email: { \(email) } } } }"
  }

  private func report(_ lines: [String], compared: Bool = true) throws -> ReplayReport {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let input = try folder.write(Array(lines.joined(separator: "\n").utf8), to: "events.ndjson")
    var catalogs = [
      ("new <1>.yaml", try Catalog.parse(yaml: Self.catalog("policy: digest, window: 7d"), file: "new"))
    ]
    if compared {
      catalogs.append(("old.yaml", try Catalog.parse(yaml: Self.catalog("policy: immediate"), file: "old")))
    }
    var options = ReplayOptions()
    options.above = 1
    var progress = ProgressBar()
    let run = SimulationRun(options)
    return try run.report(
      try run.read(input, &progress), from: "events.ndjson", recipients: nil, subscriptions: nil,
      catalogs: catalogs.map { (file: $0.0, catalog: $0.1) },
      progress: &progress)
  }

  private var lines: [String] {
    ["broken"] + (1...8).map { Self.event($0, day: ($0 + 1) / 2) }
  }

  @Test("the text says what is sent, what changes, and what was left out")
  func text() throws {
    let text = try report(lines).text
    for expected in [
      "8 events, 16 notifications for 2 recipients, 2024-01-01 to 2024-01-04",
      "1 left out: notJSON; the first, line 1:", "difference of the law 0", "2024-01-08",
    ] {
      #expect(text.contains(expected), "\(expected) is not in\n\(text)")
    }
    let rows = text.split(separator: "\n").map { $0.split(separator: " ").map { String($0) } }
    #expect(rows.contains(["email", "2", "2", "16", "16", "-14", "-87.5", "%"]))
    #expect(rows.contains(["inapp", "16", "0", "16", "16", "0", "0.0", "%"]))
    // Nothing changes in the inbox, so that it is shown once.
    #expect(rows.contains(["day", "email", "email", "against", "inapp"]))
  }

  @Test("the HTML is well-formed, with nothing of the input as markup, and needs no other file")
  func html() throws {
    for compared in [true, false] {
      let html = HTMLReport(try report(lines, compared: compared)).text
      let parser = XMLParser(data: Data(html.replacingOccurrences(of: "<!DOCTYPE html>", with: "").utf8))
      #expect(parser.parse(), "\(parser.lineNumber): \(String(describing: parser.parserError))")
      #expect(!html.contains("<cards>") && html.contains("&lt;cards&gt;"))
      #expect(!html.contains("b<i>") && html.contains("b&lt;i&gt;&amp;&quot;b"))
      for reference in ["http:", "https:", "//", "src=", "href=", "url(", "@import"] {
        #expect(!html.contains(reference), "\(reference)")
      }
      #expect(html.contains("prefers-color-scheme: dark"))
      #expect(html.contains("class=\"against\"") == compared)
    }
  }

  @Test("a history without events gives a report, too")
  func empty() throws {
    let report = try report(["broken"])
    #expect(report.text.contains("0 events") && report.text.contains("Nothing would be sent."))
    #expect(!report.text.contains("Busiest"))
    let html = HTMLReport(report).text
    #expect(XMLParser(data: Data(html.replacingOccurrences(of: "<!DOCTYPE html>", with: "").utf8)).parse())
  }

  @Test("times that are centuries apart are shown without the emptiness between")
  func farOff() throws {
    let far = Self.event(9, day: 1).replacingOccurrences(of: "2024-01-01", with: "9024-01-01")
    let html = HTMLReport(try report(lines + [far])).text
    #expect(html.contains("<title>9024: ") && html.utf8.count < 200_000)
  }

  @Test("standard input is one file only")
  func standardInput() throws {
    let files = ["--input", "--recipients", "--subscriptions"]
    for (index, first) in files.enumerated() {
      for second in files[(index + 1)...] {
        let rest = first == "--input" ? [] : ["--input", "e.ndjson"]
        let error = #expect(throws: (any Error).self) {
          _ = try SimulateCommand.parse(["--catalog", "c.yaml"] + rest + [first, "-", second, "-"])
        }
        #expect(error.map { SimulateCommand.message(for: $0) }?.contains("standard input") == true)
      }
      let input = first == "--input" ? [] : ["--input", "e.ndjson"]
      _ = try SimulateCommand.parse(["--catalog", "c.yaml"] + input + [first, "-"])
    }
  }

  @Test("grid lines are round numbers, at most five above zero")
  func grid() {
    #expect(
      [0, 1, 5, 6, 10, 11, 26, 51, 324, 118_000].map { BarPlot.step(for: $0) }
        == [1, 1, 1, 2, 2, 5, 10, 20, 100, 50_000])
    for highest in 0..<5000 { #expect(highest <= BarPlot.step(for: highest) * 5) }
  }
}
