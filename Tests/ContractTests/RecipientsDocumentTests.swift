import Contract
import Foundation
import Testing

/// What docs/recipients.md says of the form of a record, and its schema.
@Suite struct RecipientsDocumentTests {
  private static func page(_ name: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: "docs/\(name)"), encoding: .utf8)
  }

  private func decode(_ json: String) throws -> RecipientRecord? {
    var decoder = try RecipientDecoder()
    return try json.withByteView { view throws(Rejection) in try decoder.decode(view) }
  }

  @Test("the page's example is read, and written as it is read")
  func example() throws {
    let parts = try Self.page("recipients.md").components(separatedBy: "```")
    let json = try #require(parts.dropFirst().first)
    let record = try #require(try decode(String(json.dropFirst("json\n".count))))
    #expect(record.email == "ada@example.org" && record.preferences.count == 3 && record.optOut.count == 1)
    #expect(record.quietHours?.intervals.count == 2)
    #expect(
      record.mutes == [.init(subject: "board/42", until: 1_775_001_600_000), .init(subject: "thread/7")])
    var buffer = OutputBuffer()
    buffer.append(recipient: record)
    #expect(try decode(buffer.view.string) == record)
  }

  @Test("every record that the page says is refused is refused, for that reason and with those words")
  func refusals() throws {
    let rows = try Self.page("recipients.md").components(separatedBy: "| record | reason | because it says |")
    try #require(rows.count == 2)
    let cells = rows[1].split(separator: "\n").dropFirst().prefix { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(cells.count >= 25)
    for row in cells {
      try #require(row.count == 3, "\(row)")
      let (json, reason) = (row[0].trimmingCharacters(in: ["`"]), row[1].trimmingCharacters(in: ["`"]))
      do {
        _ = try decode(json)
        Issue.record("accepted: \(json)")
      } catch let rejection as Rejection {
        #expect(rejection.reason.rawValue == reason, "\(json): \(rejection)")
        #expect(rejection.detail.contains(row[2]), "\(json): \(rejection)")
        #expect(rejection.detail.utf8.count < 500)
      }
    }
  }

  @Test("the schema names the fields, channels, settings and days that the decoder knows, and its bounds")
  func schema() throws {
    let data = Data(try Self.page("recipients.schema.json").utf8)
    let schema = try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
    func value<Value>(_ path: String, _: Value.Type = Value.self) throws -> Value {
      try #require(schema.value(forKeyPathInObject: path) as? Value, "\(path)")
    }
    let fields: [String: Any] = try value("properties")
    #expect(
      Set(fields.keys) == ["email", "locale", "timeZone", "optOut", "preferences", "quietHours", "mutes"])
    let channels = Channel.allCases.map(\.name) + ["*"]
    #expect(try value("properties.optOut.items.properties.channel.enum", [String].self) == channels)
    #expect(
      try value("properties.preferences.additionalProperties.propertyNames.enum", [String].self) == channels)
    #expect(
      try value("properties.preferences.additionalProperties.additionalProperties.enum", [String].self)
        == Preference.Setting.allCases.map(\.literal.description))
    #expect(
      try value("$defs.interval.properties.weekdays.items.enum", [String].self)
        == Weekday.allCases.map(\.name))
    #expect(try value("properties.optOut.maxItems", Int.self) == RecipientRecord.maxOptOuts)
    #expect(try value("properties.mutes.maxItems", Int.self) == RecipientRecord.maxMutes)
  }
}

extension NSDictionary {
  /// The value behind keys with dots between them; `value(forKeyPath:)` of other platforms.
  fileprivate func value(forKeyPathInObject path: String) -> Any? {
    path.split(separator: ".").reduce(self as Any?) { ($0 as? NSDictionary)?[String($1)] }
  }
}
