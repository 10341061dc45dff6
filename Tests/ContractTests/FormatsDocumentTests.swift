import Contract
import Foundation
import Testing

@Suite struct FormatsDocumentTests {
  private func document() throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "docs/formats.md"), encoding: .utf8)
  }

  @Test("docs/formats.md explains every rejection reason, and no other")
  func reasons() throws {
    let table = try document().components(separatedBy: "| Reason | What it means | What to do |")
    try #require(table.count == 2)
    let rows = table[1].split(separator: "\n").filter { $0.hasPrefix("| `") }
    let codes = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    #expect(codes == RejectionReason.allCases.map(\.rawValue))
  }

  @Test("docs/formats.md explains every reason for a suppression")
  func suppressions() throws {
    let document = try document()
    for reason in SuppressionReason.allCases { #expect(document.contains("`\(reason.literal)`")) }
  }
}
