import Contract
import Foundation

extension LagReport {
  /// The report as a table for people: a line per partition, and the sum.
  ///
  /// The columns have the names of `kafka-consumer-groups.sh`, with the last stable offset and the age beside
  /// them.
  public var table: String {
    let header = [
      "GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAST-STABLE", "LAG", "SECONDS",
    ]
    var lines = [header]
    for row in rows {
      lines.append([
        row.group, row.topic, "\(row.partition)", row.committed.map(String.init) ?? "-", "\(row.end)",
        "\(row.stableEnd)", "\(row.records)", row.seconds.map(Self.seconds) ?? "-",
      ])
    }
    lines.append(["total", "", "", "", "", "", "\(totalRecords)", maxSeconds.map(Self.seconds) ?? "-"])
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      line.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - line[column].count)
        // Names to the left, numbers to the right.
        return column < 2 ? line[column] + padding : padding + line[column]
      }.joined(separator: "  ")
    }.joined(separator: "\n") + "\n"
  }

  /// The report as JSON: `{"partitions":[…],"totalRecords":…,"maxSeconds":…}`.
  public func json() throws -> String {
    struct Document: Encodable {
      let partitions: [Row]
      let totalRecords: Int64
      let maxSeconds: Double?
    }
    let document = Document(partitions: rows, totalRecords: totalRecords, maxSeconds: maxSeconds)
    return try JSONDocument.text(document, as: .line)
  }

  private static func seconds(_ value: Double) -> String {
    value == 0 ? "0" : value < 10 ? String(format: "%.1f", value) : String(Int64(min(value, 1e15)))
  }
}
