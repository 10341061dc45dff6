import Foundation
import Testing

/// A table of a page of docs/.
struct DocumentedTable {
  /// The cells by row, without white space around them.
  let rows: [[String]]

  /// The table with this head in a page; it has to have some rows at least.
  init(_ head: String, in page: String, atLeast count: Int) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "docs/\(page)"), encoding: .utf8)
    let parts = text.components(separatedBy: head + "\n")
    try #require(parts.count == 2, "\(page) has no table, or several: \(head)")
    rows = parts[1].split(separator: "\n").dropFirst().prefix { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
    try #require(rows.count >= count, "\(page): \(head)")
  }

  /// The pieces of a cell between backticks.
  static func codes(_ cell: String) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }
}
