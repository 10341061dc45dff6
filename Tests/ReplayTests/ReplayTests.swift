import Contract
import Pipeline
import Testing

@testable import Replay

@Suite("Replay of small histories")
struct ReplayTests {
  @Test("what is immediate is sent on the day of its event, in UTC")
  func immediate() throws {
    let outcome = try ReplayFixture.replay(
      [
        ReplayFixture.event("1", at: "2024-02-28T23:59:59.999Z"),
        ReplayFixture.event("2", at: "2024-02-29T00:30:00+01:00", to: "ann,bob"),
        ReplayFixture.event("3", at: "2024-02-29T00:00:00Z", to: "bob"),
      ], catalog: ReplayFixture.catalog(inapp: "policy: immediate"))
    #expect(
      outcome.sentLines == [
        "inapp cards 2024-02-28: 3 messages, 0 digests, 3 notifications",
        "inapp cards 2024-02-29: 1 messages, 0 digests, 1 notifications",
      ])
  }

  @Test("a digest is sent when its window ends, also behind the last event")
  func digest() throws {
    let outcome = try ReplayFixture.replay(
      [
        ReplayFixture.event("1", at: "2024-01-01T10:00:00Z"),
        ReplayFixture.event("2", at: "2024-01-01T11:00:00Z"),
        ReplayFixture.event("3", at: "2024-01-05T12:00:00Z"),
      ], catalog: ReplayFixture.catalog(email: "policy: digest, window: 1d"))
    #expect(
      outcome.sentLines == [
        "email cards 2024-01-02: 1 messages, 1 digests, 2 notifications",
        "email cards 2024-01-06: 1 messages, 1 digests, 1 notifications",
      ])
    #expect(outcome.counters.email.open == 0 && outcome.counters.difference == 0)
  }

  @Test("an event at the instant at which a window ends is not in it, and one a millisecond before is")
  func windowEnd() throws {
    let catalog = ReplayFixture.catalog(email: "policy: digest, window: 1h")
    let first = ReplayFixture.event("1", at: "2024-01-01T10:00:00Z")
    let at = try ReplayFixture.replay(
      [first, ReplayFixture.event("2", at: "2024-01-01T11:00:00Z")], catalog: catalog)
    #expect(at.total(.email).messages == 2)
    let before = try ReplayFixture.replay(
      [first, ReplayFixture.event("2", at: "2024-01-01T10:59:59.999Z")], catalog: catalog)
    #expect(before.total(.email).messages == 1)
  }

  @Test("digests of other partitions fire at their instants, too, while only one gets events")
  func otherPartitions() throws {
    let people = (0..<40).map { "user\($0)" }
    var lines = people.enumerated().map { ReplayFixture.event("a\($0)", at: "2024-01-01T10:00:00Z", to: $1) }
    lines.append(ReplayFixture.event("b", at: "2024-03-01T10:00:00Z", to: "user0"))
    let outcome = try ReplayFixture.replay(
      lines, catalog: ReplayFixture.catalog(email: "policy: digest, window: 1h"))
    #expect(
      outcome.sentLines == [
        "email cards 2024-01-01: 40 messages, 40 digests, 40 notifications",
        "email cards 2024-03-01: 1 messages, 1 digests, 1 notifications",
      ])
  }

  @Test("a repeat within the horizon is a duplicate, and one behind it is sent again")
  func duplicates() throws {
    let lines = ["10:00", "10:05", "12:00"].map { ReplayFixture.event("1", at: "2024-01-01T\($0):00Z") }
    let catalog = ReplayFixture.catalog(inapp: "policy: immediate")
    let outcome = try ReplayFixture.replay(lines, catalog: catalog) { $0.dedupHorizon = 3_600_000 }
    #expect(outcome.counters.inapp.accepted == 3)
    #expect(outcome.counters.inapp.suppressed[.duplicate] == 1)
    #expect(outcome.total(.inapp).messages == 2)
    let longer = try ReplayFixture.replay(lines, catalog: catalog)
    #expect(longer.total(.inapp).messages == 1)
  }

  @Test("with records of recipients, whoever has none gets no mail; without, everybody does")
  func recipients() throws {
    let lines = [ReplayFixture.event("1", at: "2024-01-01T10:00:00Z", to: "ann,bob,cay")]
    let catalog = ReplayFixture.catalog(email: "policy: immediate")
    let people = [
      #"{"recipient":"ann","email":"ann@example.org"}"#, "broken",
      #"{"recipient":"bob","email":"bob@example.org","optOut":[{"category":"cards","channel":"email"}]}"#,
    ]
    let report = try ReplayFixture.report(lines, catalog: catalog, recipients: people)
    let email = report.run.outcome.counters.email
    #expect(email.delivered == 1 && email.suppressed[.optedOut] == 1 && email.suppressed[.noAddress] == 1)
    #expect(report.recipients.records == 2)
    #expect(report.recipients.rejected.map(\.firstLine) == [2])
    #expect(try ReplayFixture.replay(lines, catalog: catalog).counters.email.delivered == 3)
  }

  @Test("a type that the catalog does not know is counted with its line, and the rest goes on")
  func unknownType() throws {
    let outcome = try ReplayFixture.replay(
      [
        ReplayFixture.event("1", at: "2024-01-01T10:00:00Z"),
        ReplayFixture.event("2", at: "2024-01-01T10:00:00Z", type: "card.mvoed"),
        ReplayFixture.event("3", at: "2024-01-01T10:00:00Z", type: "card.mvoed", to: "ann,bob"),
      ], catalog: ReplayFixture.catalog(inapp: "policy: immediate"))
    #expect(outcome.rejected.count == 1)
    #expect(outcome.rejected.first?.reason == "unknownType")
    #expect(outcome.rejected.first?.count == 2 && outcome.rejected.first?.firstLine == 2)
    #expect(outcome.rejected.first?.detail.contains("card.mvoed") == true)
    #expect(outcome.total(.inapp).messages == 1)
    #expect(outcome.counters.rejected == 2 && outcome.counters.difference == 0)
  }

  @Test("a history without events has an outcome without messages")
  func empty() throws {
    let report = try ReplayFixture.report(
      ["broken"], catalog: ReplayFixture.catalog(inapp: "policy: immediate"))
    #expect(report.run.outcome.sentLines.isEmpty && report.isConserved)
    #expect(report.history.first == nil && report.history.rejectedCount == 1)
    #expect(try report.json().contains("\"notJSON\""))
  }

  @Test("a digest of more than a batch holds, for a thousand recipients, is sent whole")
  func large() throws {
    let people = (0..<1000).map { "user\($0)" }.joined(separator: ",")
    let padding = ",\"subject\":\"\(String(repeating: "x", count: 3000))\""
    let lines = (0..<6).map {
      ReplayFixture.event("\($0)", at: "2024-01-01T10:00:00Z", to: people, extra: padding)
    }
    let outcome = try ReplayFixture.replay(
      lines, catalog: ReplayFixture.catalog(inapp: "policy: immediate", email: "policy: digest, window: 7d")
    ) { $0.partitionCount = 1 }
    #expect(
      outcome.sentLines == [
        "email cards 2024-01-08: 1000 messages, 1000 digests, 6000 notifications",
        "inapp cards 2024-01-01: 6000 messages, 0 digests, 6000 notifications",
      ])
    #expect(outcome.counters.forwards == 6000 && outcome.counters.difference == 0)
  }
}
