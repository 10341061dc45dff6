/// A table for a terminal: the first column to the left, the others to the right.
struct TextTable {
  private var rows: [[String]]

  init(header: [String]) { rows = [header] }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines, each with its end; columns that are empty in every row are left out.
  var text: String {
    let columns = (0..<(rows.map(\.count).max() ?? 0)).filter { column in
      rows.dropFirst().contains { column < $0.count && !$0[column].isEmpty }
    }
    let widths = columns.map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, width) in zip(columns, widths) {
        let cell = column < row.count ? row[column] : ""
        let padding = String(repeating: " ", count: width - cell.count)
        line += column == columns.first ? cell + padding : "  " + padding + cell
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
