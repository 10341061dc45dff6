import Foundation
import Testing

@testable import Processor

@Suite struct TopicPlanTests {
  private static let day: Int64 = 86_400_000

  /// A row of the table of docs/operations.md.
  private func row(_ name: String, _ settings: [String: String]) -> String {
    let kept =
      settings["retention.ms"].flatMap(Int64.init).map { $0 < 0 ? "for good" : "\($0 / Self.day) days" }
      ?? "compacted"
    let shown = Set(["cleanup.policy", "message.timestamp.type", "retention.ms", "max.message.bytes"])
    let others = settings.filter { !shown.contains($0.key) }.sorted { $0.key < $1.key }
      .map { "`\($0.key)=\($0.value)`" }
    return
      "| `\(name)` | \(kept) | \(settings["max.message.bytes"] ?? "?") | \(others.joined(separator: ", ")) |"
  }

  @Test("docs/operations.md lists every topic with what is kept in it and how large a batch may be")
  func table() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let document = try String(contentsOf: root.appending(path: "docs/operations.md"), encoding: .utf8)
    let parts = document.components(separatedBy: "| Topic | Kept | `max.message.bytes` | Besides |\n")
    try #require(parts.count == 2)
    let rows = parts[1].components(separatedBy: "\n").dropFirst().prefix { $0.hasPrefix("|") }
    let plan = TopicPlan.topics(prefix: "tidings", partitionCount: 16, replicationFactor: 1)
    #expect(Array(rows) == plan.map { row($0.name, $0.configuration) })
    #expect(plan.allSatisfy { $0.configuration["message.timestamp.type"] == "LogAppendTime" })
  }
}
