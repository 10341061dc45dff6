import Contract
import Testing

@testable import Pipeline

/// Records of recipients and audiences are as large as key, value and headers together, as those of all topics.
@Suite struct TableLimitTests {
  private static let limit = EventLimits().maxRecordBytes

  /// What the next commit writes: a line for each record, and the bytes of its key, value and headers.
  private func written(_ fixture: Fixture) -> [(topic: OutputTopic, bytes: Int, reason: String)] {
    var records: [(OutputTopic, Int, String)] = []
    fixture.pipeline.outbox.forEach { record in
      let content = InputRecord(key: record.key, value: record.value, headers: record.headers)
      let reason = record.headers.first { $0.name.equals("tidings-reason") }?.value?.string ?? ""
      records.append((record.topic, content.byteCount, reason))
    }
    return records
  }

  /// A record with so many bytes more in its key, and in a header.
  struct Excess: Sendable {
    var topic: InputTopic
    var key: String
    var more = 0
    var value: String?
    var header = 0
  }

  @Test(
    "what is too large by its key or headers is rejected and cut, whatever else is wrong with it",
    arguments: [
      Excess(topic: .recipients, key: "a/b/c", value: "{}", header: 3 << 20),
      Excess(topic: .recipients, key: "ann", more: 9 << 20, value: "{}"),
      Excess(topic: .recipients, key: "ann", header: 300_000),
      Excess(topic: .recipients, key: "ann", header: limit),
      Excess(topic: .subscriptions, key: "a#b#c", value: "{}", header: 3 << 20),
      Excess(topic: .subscriptions, key: "b#", more: 9 << 20),
      Excess(topic: .subscriptions, key: "b", value: #"{"recipients":[]}"#, header: 300_000),
    ])
  func tooLarge(excess: Excess) throws {
    let record = TestRecord(
      topic: excess.topic, key: excess.key + Self.filler(excess.more), value: excess.value,
      headers: excess.header > 0 ? [("more", Self.filler(excess.header))] : [])
    // At home and away from it.
    for count in [1, 64] as [Int32] {
      let fixture = try Fixture(partitionCount: count, partition: count - 1)
      try fixture.apply(record)
      let records = written(fixture)
      #expect(records.map(\.topic) == [.rejected])
      #expect(records.first?.reason == "recordTooLarge")
      #expect(records.allSatisfy { $0.bytes < EventLimits().forwarded.maxRecordBytes })
      #expect(fixture.counters.rejected == 1 && fixture.counters.tombstones == 0)
      #expect(fixture.pipeline.recipientCount == 0 && fixture.pipeline.audienceCount == 0)
      fixture.pipeline.load(record, using: &fixture.codecs)
      #expect(fixture.pipeline.recipientCount == 0 && fixture.pipeline.audienceCount == 0)
    }
  }

  @Test("a record at the limit that was published away from home is taken there, a byte more is rejected")
  func handedOn() throws {
    for topic in [InputTopic.recipients, .subscriptions] {
      let key = topic == .recipients ? "ann" : "ann#1"
      let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
      for excess in [0, 1] {
        let room = Self.limit - key.utf8.count - #"{"recipients":[],"more":""}"#.utf8.count
        let value = #"{"recipients":[],"more":"\#(Self.filler(room + excess))"}"#
        let away = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
        try away.apply(TestRecord(topic: topic, key: key, value: value, headers: []))
        guard excess == 0 else {
          #expect(written(away).map(\.reason) == ["recordTooLarge"])
          continue
        }
        var handedOn: [TestRecord] = []
        away.pipeline.outbox.forEach { record in
          handedOn.append(
            TestRecord(
              topic: topic, key: record.key?.string, value: record.value?.string,
              headers: record.headers.map { ($0.name.string, $0.value?.string ?? "") }))
        }
        #expect(handedOn.count == 1)
        let receiver = try Fixture(partitionCount: 8, partition: home)
        for record in handedOn { try receiver.apply(record) }
        #expect(receiver.counters.decided == 1 && receiver.counters.rejected == 0)
        #expect(receiver.pipeline.recipientCount + receiver.pipeline.audienceCount == 1)
      }
    }
  }

  private static func filler(_ bytes: Int) -> String { String(repeating: "x", count: bytes) }
}

extension Pipeline {
  /// Takes a record of a table that was consumed before.
  fileprivate mutating func load(_ record: TestRecord, using codecs: inout Codecs) {
    record.withInput { input in
      load(PartitionRecord(topic: record.topic, offset: 0, appended: 0, content: input), using: &codecs)
    }
  }
}
