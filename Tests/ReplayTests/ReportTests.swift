import Contract
import Foundation
import SeededTesting
import Testing

@testable import Replay

@Suite("Reports of a replay")
struct ReportTests {
  @Test("two runs give the same bytes, whatever the number of partitions")
  func reproducible() throws {
    var generator = SeededGenerator.printed()
    let catalogs = [RandomCatalog(using: &generator), RandomCatalog(using: &generator)]
    let history = RandomHistory(events: 400, using: &generator)
    func json(partitions: Int32) throws -> String {
      var report = try ReplayFixture.report(
        history.lines, catalog: catalogs[0].yaml, against: catalogs[1].yaml,
        recipients: history.recipientLines
      ) { options in
        options.partitionCount = partitions
        options.above = 1
      }
      report.options.partitionCount = 0
      return try report.json()
    }
    let first = try json(partitions: 16)
    #expect(try json(partitions: 16) == first)
    // How many records are forwarded depends on where the recipients are at home, and nothing else does.
    let fields = ["\"consumed\"", "\"forward"]
    func comparable(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { line in !fields.contains { line.contains($0) } }
    }
    #expect(try comparable(json(partitions: 3)) == comparable(first))
  }

  @Test("longer windows never send more messages, and always the same notifications")
  func monotone() throws {
    let lines = try SharedHistory.lines(last: 400)
    var former = Int.max
    for policy in ["immediate", "digest, window: 1h", "digest, window: 1d", "digest, window: 7d"] {
      let outcome = try ReplayFixture.replay(
        lines,
        catalog: """
          types:
            git.commit.pushed: { title: "{{id}}", channels: { email: { policy: \(policy) } } }
          """)
      #expect(outcome.total(.email).messages <= former)
      #expect(outcome.total(.email).notifications == Int(outcome.counters.email.accepted))
      former = outcome.total(.email).messages
    }
  }

  @Test("recipients above the bound are counted by day, the largest days first")
  func above() throws {
    var lines = (0..<5).map { ReplayFixture.event("a\($0)", at: "2024-01-01T1\($0):00:00Z", to: "ann") }
    lines += (0..<3).map { ReplayFixture.event("b\($0)", at: "2024-01-02T1\($0):00:00Z", to: "ann,bob") }
    lines += (0..<2).map { ReplayFixture.event("c\($0)", at: "2024-01-03T1\($0):00:00Z", to: "cay") }
    let load = try #require(
      try ReplayFixture.replay(lines, catalog: ReplayFixture.catalog(inapp: "policy: immediate")) {
        $0.above = 2
      }
      .loads.first)
    #expect(load.recipients == 3 && load.recipientsAbove == 2 && load.daysAbove == 3)
    #expect(
      load.largest.map { "\($0.recipient) \($0.day) \($0.messages)" } == [
        "ann 2024-01-01 5", "ann 2024-01-02 3", "bob 2024-01-02 3",
      ])
    #expect(load.histogram.map { [$0.messages, $0.recipientDays] } == [[2, 1], [3, 2], [5, 1]])
    #expect(load.totals == ["ann": 8, "bob": 3, "cay": 2])
  }

  @Test("only the largest days are named, in the same order whatever came first")
  func namedDays() throws {
    let lines = (0..<30).flatMap { person in
      (0...person % 7).map {
        ReplayFixture.event("\(person) \($0)", at: "2024-01-01T10:0\($0):00Z", to: "p\(person)")
      }
    }
    let catalog = ReplayFixture.catalog(inapp: "policy: immediate")
    let load = try ReplayFixture.replay(lines, catalog: catalog) { $0.above = 0 }.loads.first
    let reversed = try ReplayFixture.replay(lines.reversed(), catalog: catalog) { $0.above = 0 }.loads.first
    #expect(load?.largest.count == 20 && load?.daysAbove == 30)
    #expect(load?.largest == load?.largest.sorted())
    #expect(load == reversed)
  }

  @Test("the difference tells messages, and recipients who get more, fewer and none")
  func difference() throws {
    let lines = [
      ReplayFixture.event("1", at: "2024-01-01T10:00:00Z", to: "ann,bob"),
      ReplayFixture.event("2", at: "2024-01-01T10:10:00Z", to: "ann"),
      ReplayFixture.event("3", at: "2024-01-01T10:20:00Z", type: "card.due", to: "cay"),
    ]
    let report = try ReplayFixture.report(
      lines,
      catalog: """
        unknownTypes: reject
        types: { card.moved: { title: moved, category: cards, channels: { email: { policy: digest, window: 1h } } } }
        """,
      against: "defaults: { category: all, channels: { email: { policy: immediate } } }")
    let difference = try #require(report.difference)
    let email = try #require(difference.channels.first)
    #expect(difference.channels.count == 1)
    #expect(email.change.messages == 2 && email.change.against == 4 && email.change.difference == -2)
    #expect(email.change.percent == -50)
    #expect(email.recipientsWithMore == 0 && email.recipientsUnchanged == 1)
    #expect(email.recipientsWithFewer == 1 && email.recipientsWithNone == 1)
    #expect(
      difference.categories.map { "\($0.channel) \($0.category) \($0.change.difference)" } == [
        "email all -4", "email cards 2",
      ])
  }

  @Test("the JSON is a document with days, law and rejections, and no date of the run")
  func json() throws {
    let report = try ReplayFixture.report(
      ["broken", ReplayFixture.event("1", at: "2024-01-01T10:00:00Z")],
      catalog: ReplayFixture.catalog(inapp: "policy: immediate"))
    let text = try report.json()
    let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(Set(root.keys) == ["catalog", "history", "input", "options", "recipients"])
    let catalog = try #require(root["catalog"] as? [String: Any])
    let days = try #require(catalog["days"] as? [[String: Any]])
    #expect(days.count == 1 && days.first?["day"] as? String == "2024-01-01")
    #expect((catalog["law"] as? [String: Any])?["difference"] as? Int == 0)
    #expect(!text.contains("\(Date().formatted(.iso8601.year().month().day()))"))
  }

  @Test("days are put together to months and years")
  func periods() {
    let day = Instant(1_709_164_800_000).day
    #expect(day.description == "2024-02-29")
    #expect(PeriodUnit.allCases.map { Period($0, of: day).description } == ["2024-02-29", "2024-02", "2024"])
    #expect(
      PeriodUnit.allCases.map { Period($0, of: day).next.description } == ["2024-03-01", "2024-03", "2025"])
    #expect(Instant(-1).day.description == "1969-12-31")
  }
}
