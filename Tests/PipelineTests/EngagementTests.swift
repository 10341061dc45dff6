import Contract
import Testing

@testable import Pipeline

/// Engagement records on their way: applied at home, handed on elsewhere, rejected where they cannot be read.
@Suite struct EngagementTests {
  @Test("a record at home counts as decided, and writes nothing")
  func home() throws {
    let fixture = try Fixture()
    try fixture.apply(.engagement("seen", of: "ann", events: ["1"]))
    #expect(fixture.output() == [])
    #expect(fixture.counters.consumed == 1 && fixture.counters.decided == 1)
    #expect(fixture.positions[.engagement] == 1 && fixture.positions[.events] == 0)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a record away from home goes there as it is, with the place where it was read")
  func away() throws {
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let fixture = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
    let record = TestRecord.engagement("seen", of: "ann", events: ["1"])
    try fixture.apply(record)
    let away = try #require(fixture.output().first)
    #expect(
      away == "engagement [\(home)] ann \(record.value ?? "") content-type=application/cloudevents+json "
        + "tidings-origin-partition=\((home + 1) % 8) tidings-origin-offset=0")
    #expect(fixture.counters.forwarded == 1 && fixture.counters.forwards == 1)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a record in binary mode keeps its headers on the way home, and is not handed on again there")
  func binary() throws {
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let fixture = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
    let headers = ["specversion": "1.0", "id": "1", "source": "/s", "recipient": "ann", "channel": "email"]
      .sorted { $0.key < $1.key }.map { ("ce_\($0.key)", $0.value) }
    try fixture.apply(
      TestRecord(
        topic: .engagement, key: "ann", value: "",
        headers: headers + [("ce_type", "tidings.engagement.complained"), ("tidings-origin-offset", "77")]))
    let receiver = try Fixture(partitionCount: 8, partition: home)
    var copies: [TestRecord] = []
    fixture.pipeline.outbox.forEach { record in
      #expect(record.topic == .engagement && record.partition == home)
      copies.append(
        TestRecord(
          topic: .engagement, key: record.key?.string, value: record.value?.string,
          headers: record.headers.map { ($0.name.string, $0.value?.string ?? "") }))
    }
    #expect(copies.first?.headers.filter { $0.0 == "tidings-origin-offset" }.map(\.1) == ["0"])
    for record in copies { try receiver.apply(record) }
    #expect(receiver.counters.decided == 1 && receiver.counters.forwarded == 0)
  }

  @Test("a record that cannot be read is rejected, a null value too", arguments: ["seen", nil] as [String?])
  func rejected(value: String?) throws {
    let fixture = try Fixture()
    try fixture.apply(TestRecord(topic: .engagement, key: "ann", value: value))
    #expect(fixture.output().first?.contains("tidings-topic=tidings.engagement") ?? false)
    #expect(fixture.counters.rejected == 1 && fixture.counters.difference == 0)
  }
}
