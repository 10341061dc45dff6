import Contract
import Pipeline
import Policy
import Testing

@testable import Replay

@Suite struct AudienceReplayTests {
  private func outcome(_ events: [String], _ subscriptions: [String]?) throws -> CatalogOutcome {
    let history = try ReplayFixture.history(events)
    var builder = try SubscriptionsBuilder()
    for (index, line) in (subscriptions ?? []).enumerated() {
      line.withByteView { builder.add($0, number: index + 1) }
    }
    let audiences = builder.finish()
    let catalog = try Catalog.parse(
      yaml: ReplayFixture.catalog(email: "policy: immediate"), file: "catalog.yaml")
    return try Replay(
      history, recipients: ReplayRecipients(assumedFor: history, audiences),
      subscriptions: subscriptions == nil ? nil : audiences, catalog: catalog
    ).run()
  }

  private func event(_ id: String, at time: String) -> String {
    ReplayFixture.event(id, at: time).replacing("\"recipient\":\"ann\"", with: "\"audience\":\"board:1\"")
  }

  @Test("an event for an audience is sent to each who follows it, once, at its instant")
  func followers() throws {
    let outcome = try outcome(
      [event("1", at: "2024-01-01T10:00:00Z"), event("2", at: "2024-01-02T10:00:00Z")],
      [
        #"{"audience":"board:1","part":"a","recipients":["ann","bob"]}"#,
        #"{"audience":"board:1","part":"b","recipients":["bob","cid"]}"#,
        #"{"audience":"board:2","recipients":["dan"]}"#,
        #"{"audience":"board:1","part":"c","recipients":["eve"]}"#,
        #"{"audience":"board:1","part":"c","deleted":true}"#,
      ])
    #expect(
      outcome.sentLines == [
        "email cards 2024-01-01: 3 messages, 0 digests, 3 notifications",
        "email cards 2024-01-02: 3 messages, 0 digests, 3 notifications",
      ])
    #expect(outcome.counters.fanOuts == 2 && outcome.counters.difference == 0)
  }

  @Test("without subscriptions an event for an audience is for nobody")
  func nobody() throws {
    let outcome = try outcome([event("1", at: "2024-01-01T10:00:00Z")], nil)
    #expect(outcome.sentLines == [])
    #expect(outcome.counters.withoutFollowers == 1 && outcome.counters.difference == 0)
  }
}
