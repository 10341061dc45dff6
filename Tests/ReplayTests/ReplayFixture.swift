import Contract
import Policy

@testable import Replay

/// A history in the words of a test.
enum ReplayFixture {
  /// An event as a line.
  static func event(
    _ id: String, at time: String?, type: String = "card.moved", to recipients: String = "ann",
    extra: String = ""
  ) -> String {
    let name = recipients.contains(",") ? "recipients" : "recipient"
    let time = time.map { ",\"time\":\"\($0)\"" } ?? ""
    return "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"\(type)\""
      + ",\"\(name)\":\"\(recipients)\"\(time)\(extra),\"data\":{}}"
  }

  static func history(_ lines: [String]) throws -> History {
    var builder = try HistoryBuilder()
    for (index, line) in lines.enumerated() {
      try line.withByteView { try builder.add($0, number: index + 1) }
    }
    return try builder.finish()
  }

  static func recipients(_ lines: [String]) throws -> ReplayRecipients {
    var builder = try RecipientsBuilder()
    for (index, line) in lines.enumerated() {
      line.withByteView { builder.add($0, number: index + 1) }
    }
    return builder.finish()
  }

  static func replay(
    _ lines: [String], catalog yaml: String, recipients people: [String]? = nil,
    configure: (inout ReplayOptions) -> Void = { _ in }
  ) throws -> CatalogOutcome {
    try report(lines, catalog: yaml, recipients: people, configure: configure).run.outcome
  }

  static func report(
    _ lines: [String], catalog yaml: String, against other: String? = nil, recipients people: [String]? = nil,
    configure: (inout ReplayOptions) -> Void = { _ in }
  ) throws -> ReplayReport {
    var options = ReplayOptions()
    configure(&options)
    let history = try history(lines)
    let people = try people.map { try recipients($0) } ?? ReplayRecipients(assumedFor: history)
    let runs = try [yaml, other].compactMap { $0 }.map { yaml in
      let catalog = try Catalog.parse(yaml: yaml, file: "catalog.yaml")
      let replay = try Replay(history, recipients: people, catalog: catalog, options: options)
      return ReplayReport.Run(file: "catalog.yaml", outcome: try replay.run())
    }
    return ReplayReport(
      input: "test", history: history.summary, recipients: people.summary, options: options, run: runs[0],
      against: runs.count > 1 ? runs[1] : nil)
  }

  /// A catalog of one type.
  static func catalog(inapp: String? = nil, email: String? = nil) -> String {
    let channels = [("inapp", inapp), ("email", email)].compactMap { name, rule in
      rule.map { "      \(name): { \($0) }\n" }
    }
    return """
      unknownTypes: reject
      types:
        card.moved:
          category: cards
          title: a card moved
          channels:
      \(channels.map { "  \($0)" }.joined())
      """
  }
}

extension CatalogOutcome {
  /// What is sent, a line each: `email cards 2024-01-01: 2 messages, 1 digest, 5 notifications`.
  var sentLines: [String] {
    categories.flatMap { category in
      category.days.sorted { $0.key < $1.key }.map { day, count in
        "\(category.channel.name) \(category.category) \(day): \(count.messages) messages, "
          + "\(count.digests) digests, \(count.notifications) notifications"
      }
    }
  }
}
