extension String {
  /// The text for an element or an attribute in quotes (HTML, and SVG within it). Control characters, which no
  /// document may hold, become spaces.
  var htmlEscaped: String {
    var escaped = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

/// A table of an HTML report: the first column to the left, the others to the right.
struct HTMLTable {
  private let header: [String]
  private var rows: [(cells: [String], isTotal: Bool)] = []

  init(_ header: [String]) { self.header = header }

  /// Adds a row; a total stands out.
  mutating func add(_ cells: [String], isTotal: Bool = false) { rows.append((cells, isTotal)) }

  /// The element; empty without rows.
  var html: String {
    guard !rows.isEmpty else { return "<p class=\"note\">None.</p>\n" }
    let head = header.map { "<th scope=\"col\">\($0.htmlEscaped)</th>" }.joined()
    let body = rows.map { row in
      let cells = row.cells.enumerated().map { index, cell in
        index == 0 ? "<th scope=\"row\">\(cell.htmlEscaped)</th>" : "<td>\(cell.htmlEscaped)</td>"
      }
      return "<tr\(row.isTotal ? " class=\"total\"" : "")>\(cells.joined())</tr>\n"
    }
    return """
      <div class="wide"><table>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined())</tbody>
      </table></div>

      """
  }
}
