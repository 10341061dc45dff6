import Contract
import Policy
import Testing

@testable import Replay

@Suite("Histories")
struct HistoryTests {
  private func ids(_ history: History) throws -> [String] {
    var decoder = try EventDecoder()
    return history.events.map { event in
      guard case .event(let view) = decoder.decode(structured: history.bytes[event.value]) else { return "?" }
      return view.id.string
    }
  }

  @Test("events are sorted by time, and those of the same instant keep their order")
  func sorted() throws {
    let history = try ReplayFixture.history([
      ReplayFixture.event("c", at: "2024-01-03T00:00:00Z"),
      ReplayFixture.event("a", at: "2024-01-01T00:00:00Z"),
      ReplayFixture.event("d", at: "2024-01-03T01:00:00+01:00"),
      ReplayFixture.event("b", at: "2024-01-02T00:00:00Z"),
    ])
    #expect(try ids(history) == ["a", "b", "c", "d"])
    #expect(history.summary.outOfOrder == 2)
    #expect(history.summary.first?.description == "2024-01-01T00:00:00.000Z")
    #expect(history.summary.last?.day.description == "2024-01-03")
  }

  @Test(
    "an event without a time has that of the line before it, and at the beginning that of the first with one")
  func withoutTime() throws {
    let history = try ReplayFixture.history([
      ReplayFixture.event("a", at: nil), ReplayFixture.event("b", at: nil),
      ReplayFixture.event("c", at: "2024-01-02T00:00:00Z"), ReplayFixture.event("d", at: nil),
      ReplayFixture.event("e", at: "2024-01-01T00:00:00Z"), ReplayFixture.event("f", at: nil),
    ])
    #expect(try ids(history) == ["e", "f", "a", "b", "c", "d"])
    #expect(history.summary.withoutTime == 4)
  }

  @Test("a history in which no event has a time is refused")
  func noTimes() {
    #expect(throws: ReplayFault.noTimes(events: 1)) {
      try ReplayFixture.history([ReplayFixture.event("a", at: nil), "{}"])
    }
  }

  @Test("lines that break the contract are counted by reason, with the first of each")
  func rejected() throws {
    var builder = try HistoryBuilder(recordLimit: 4096)
    let good = ReplayFixture.event("a", at: "2024-01-01T00:00:00Z", to: "ann,ann,bob")
    for (index, line) in ["no", good, "{}", "[]", "never"].enumerated() {
      try line.withByteView { try builder.add($0, number: index + 1) }
    }
    try good.withByteView { try builder.add($0, isCut: true, number: 9) }
    let summary = try builder.finish().summary
    #expect(summary.lines == 6 && summary.events == 1 && summary.rejectedCount == 5)
    #expect(summary.arrivals == 2 && summary.recipients == 2)
    #expect(summary.rejected.first { $0.reason == "notJSON" }?.firstLine == 1)
    #expect(summary.rejected.first { $0.reason == "recordTooLarge" }?.firstLine == 9)
    #expect(summary.rejected.map(\.count) == summary.rejected.map(\.count).sorted(by: >))
  }

  @Test("a time before 1970 counts as the beginning of 1970")
  func beforeTheEpoch() throws {
    let history = try ReplayFixture.history([ReplayFixture.event("a", at: "1969-07-20T20:17:40Z")])
    #expect(history.summary.first == Instant(0))
  }

  @Test("a history beyond the bound of memory is refused, with its line")
  func tooLarge() throws {
    var builder = try HistoryBuilder(bytesLimit: 300)
    let line = ReplayFixture.event("a", at: "2024-01-01T00:00:00Z")
    try line.withByteView { try builder.add($0, number: 1) }
    let fault = #expect(throws: ReplayFault.self) {
      try line.withByteView { try builder.add($0, number: 2) }
    }
    #expect(fault == .tooLarge(line: 2, limitBytes: 300))
  }

  @Test("records of a topic go by the time of their append, and in either content mode as they are")
  func records() throws {
    let line = ReplayFixture.event("1", at: "2001-01-01T00:00:00Z")
    let attributes = [
      ("ce_specversion", "1.0"), ("ce_id", "2"), ("ce_source", "/test"), ("ce_type", "card.moved"),
      ("ce_recipients", "ann,bob"), ("content-type", "application/json"),
    ]
    let start: Int64 = 1_704_110_400_000
    var builder = try HistoryBuilder()
    try Self.add(value: "{}", attributes, appended: start + 86_400_000, number: 1, to: &builder)
    try Self.add(
      value: line, [("content-type", "application/cloudevents+json")], appended: start, number: 2,
      to: &builder)
    try Self.add(value: "{}", [], appended: start, number: 3, to: &builder)
    let history = try builder.finish()
    #expect(history.summary.events == 2 && history.summary.arrivals == 3 && history.summary.outOfOrder == 0)
    #expect(history.summary.rejected.map(\.firstLine) == [3])
    let catalog = try Catalog.parse(
      yaml: ReplayFixture.catalog(inapp: "policy: immediate"), file: "catalog.yaml")
    let replay = try Replay(history, recipients: ReplayRecipients(assumedFor: history), catalog: catalog)
    #expect(
      try replay.run().sentLines == [
        "inapp cards 2024-01-01: 1 messages, 0 digests, 1 notifications",
        "inapp cards 2024-01-02: 2 messages, 0 digests, 2 notifications",
      ])
  }

  private static func add(
    value: String, _ headers: [(String, String)], appended: Int64, number: Int,
    to builder: inout HistoryBuilder
  ) throws {
    var bytes = OutputBuffer()
    var ranges: [(Range<Int>, Range<Int>)] = []
    for (name, value) in headers {
      let start = bytes.count
      bytes.append(text: name)
      let middle = bytes.count
      bytes.append(text: value)
      ranges.append((start..<middle, middle..<bytes.count))
    }
    let all = bytes.view
    let views = ranges.map { HeaderView(name: all.slice($0), value: all.slice($1)) }
    try views.withUnsafeBufferPointer { headers in
      try value.withByteView {
        try builder.add(
          InputRecord(key: nil, value: $0, headers: headers), appended: appended, number: number)
      }
    }
  }
}
