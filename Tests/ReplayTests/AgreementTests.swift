import Contract
import Foundation
import Pipeline
import SeededTesting
import Testing

@testable import Replay

@Suite("The naive replay agrees")
struct AgreementTests {
  /// Compares everything that both count.
  private func expectAgreement(_ outcome: CatalogOutcome, _ naive: NaiveReplay, _ comment: Comment) {
    var sent: [String: NaiveReplay.Sent] = [:]
    for category in outcome.categories {
      for (day, count) in category.days {
        sent["\(category.channel.name) \(category.category) \(day)"] = NaiveReplay.Sent(
          messages: count.messages, digests: count.digests, notifications: count.notifications)
      }
    }
    #expect(sent == naive.sent, comment)
    var outcomes: [String: Int] = [:]
    for channel in Channel.allCases {
      let counters = outcome.counters[channel]
      outcomes["\(channel.name) accepted"] = Int(counters.accepted)
      outcomes["\(channel.name) delivered"] = Int(counters.delivered)
      outcomes["\(channel.name) expired"] = Int(counters.expired)
      outcomes["\(channel.name) retracted"] = Int(counters.retracted)
      outcomes["\(channel.name) collapsed"] = Int(counters.collapsed)
      for reason in SuppressionReason.allCases {
        outcomes["\(channel.name) \(reason.literal)"] = Int(counters.suppressed[reason])
      }
    }
    #expect(outcomes.filter { $0.value > 0 } == naive.outcomes, comment)
    #expect(outcome.counters.difference == 0, comment)
    #expect(outcome.counters.total.open == 0, comment)
  }

  @Test("on random histories with random catalogs, recipients and horizons")
  func random() throws {
    let generator = SeededGenerator.printed()
    for round in 0..<150 {
      var generator = SeededGenerator(seed: generator.seed &+ UInt64(round))
      let catalog = RandomCatalog(using: &generator)
      let history = RandomHistory(events: Int.random(in: 1...80, using: &generator), using: &generator)
      let isKnown = Bool.random(using: &generator)
      let horizon = Int64.random(in: 1...5000, using: &generator)
      var naive = catalog.naive
      naive.recipients = isKnown ? history.recipients : nil
      naive.horizonMinutes = horizon
      naive.timeZone = RandomHistory.zones.randomElement(using: &generator) ?? "UTC"
      let zone = naive.timeZone
      naive.run(history.lines)
      let report = try ReplayFixture.report(
        history.lines, catalog: catalog.yaml, recipients: isKnown ? history.recipientLines : nil
      ) { options in
        options.partitionCount = Int32.random(in: 1...5, using: &generator)
        options.dedupHorizon = horizon * 60_000
        options.timeZone = zone
      }
      expectAgreement(report.run.outcome, naive, "\(generator)\n\(catalog.yaml)")
      #expect(report.history.rejectedCount == naive.brokenLines)
    }
  }

  @Test(
    "on a part of the shared history, at once, hourly, daily at nine and weekly, in New York",
    arguments: [
      ("policy: immediate", nil), ("policy: schedule, cadence: hourly", NaiveSchedule()),
      ("policy: schedule, cadence: daily", NaiveSchedule(times: [540])),
      ("policy: schedule, cadence: weekly", NaiveSchedule(weekdays: [0], times: [540])),
    ] as [(String, NaiveSchedule?)])
  func scheduled(email: (text: String, schedule: NaiveSchedule?)) throws {
    let zone = "America/New_York"
    let lines = try SharedHistory.lines(last: 1500)
    var naive = NaiveReplay()
    naive.timeZone = zone
    naive.types["git.commit.pushed"] = NaiveReplay.EventType(
      category: "commits",
      channels: ["inapp": NaiveReplay.Channel(), "email": .init(schedule: email.schedule)])
    naive.run(lines)
    let outcome = try ReplayFixture.replay(lines, catalog: Self.commits(email.text)) { $0.timeZone = zone }
    expectAgreement(outcome, naive, "\(email.text) in \(zone)")
  }

  @Test(
    "on a part of the shared history, with windows of an hour, a day and a week",
    arguments: [("1h", 3_600_000), ("1d", 86_400_000), ("7d", 604_800_000)] as [(String, Int64)])
  func shared(window: (text: String, milliseconds: Int64)) throws {
    let lines = try SharedHistory.lines(last: 1500)
    let email = "policy: digest, window: \(window.text)"
    var naive = NaiveReplay()
    naive.types["git.commit.pushed"] = NaiveReplay.EventType(
      category: "commits",
      channels: ["inapp": NaiveReplay.Channel(), "email": .init(windowMilliseconds: window.milliseconds)])
    naive.run(lines)
    expectAgreement(try ReplayFixture.replay(lines, catalog: Self.commits(email)), naive, "\(email)")
  }

  private static func commits(_ email: String) -> String {
    """
    types:
      git.commit.pushed:
        category: commits
        title: "{{data.title}}"
        channels: { inapp: { policy: immediate }, email: { \(email) } }
    """
  }
}

/// The history beside the repository, where there is one; else a generated one of the same form.
enum SharedHistory {
  static func lines(last count: Int) throws -> [String] {
    guard let file else { return generated(count) }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "--decompress", "--stdout", file.path]
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").suffix(count).map { String($0) }
  }

  /// `shared/data` beside the checkout, or beside a folder above it.
  private static var file: URL? {
    var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let file = folder.appendingPathComponent("shared/data/commits.cloudevents.ndjson.gz")
      if FileManager.default.fileExists(atPath: file.path) { return file }
    }
    return nil
  }

  private static func generated(_ count: Int) -> [String] {
    var generator = SeededGenerator(seed: 2011)
    var seconds: Int64 = 1_300_000_000
    return (0..<count).map { number in
      seconds += Int64.random(in: 0..<60_000, using: &generator)
      let people = (0..<Int.random(in: 1...20, using: &generator)).map { _ in
        "u\(Int.random(in: 0..<300, using: &generator))"
      }
      return ReplayFixture.event(
        "\(number)", at: Instant(seconds * 1000).description, type: "git.commit.pushed",
        to: people.joined(separator: ","), extra: ",\"tenant\":\"apache\"")
    }
  }
}
