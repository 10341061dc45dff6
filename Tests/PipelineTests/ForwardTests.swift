import Contract
import Testing

@testable import Pipeline

@Suite struct ForwardTests {
  @Test("an event of several recipients is forwarded, once to each recipient's home")
  func fanOut() throws {
    let fixture = try Fixture(partitionCount: 8)
    try fixture.apply(.event(id: "1", recipients: "ann,bob,ann,eve"))
    let output = fixture.output()
    #expect(output.count == 3)
    for (line, name) in zip(output, ["ann", "bob", "eve"]) {
      let home = name.withByteView { Murmur2.partition(ofKey: $0, count: 8) }
      #expect(line.hasPrefix("routed [\(home)] \(name) {\"n\":1} "))
      #expect(line.contains("ce_recipient=\(name) "))
      #expect(line.contains("ce_id=1 "))
    }
    #expect(fixture.counters.forwarded == 1)
    #expect(fixture.counters.forwards == 3)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a forwarded event is decided at home, and a second way there is a duplicate")
  func decidedAtHome() throws {
    let sender = try Fixture(partitionCount: 8)
    try sender.apply(.event(id: "1", recipients: "ann,bob"))
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let receiver = try Fixture(partitionCount: 8, partition: home)
    var forwarded: TestRecord?
    sender.pipeline.outbox.forEach { record in
      guard record.key?.string == "ann" else { return }
      forwarded = TestRecord(
        topic: .routed, key: "ann", value: record.value?.string,
        headers: record.headers.map { ($0.name.string, $0.value?.string ?? "") })
    }
    let record = try #require(forwarded)
    try receiver.apply(record)
    try receiver.apply(record)
    try receiver.apply(.event(id: "1", recipients: "ann"))
    #expect(receiver.counters.inapp.delivered == 1)
    #expect(receiver.counters.inapp.suppressed[.duplicate] == 2)
  }

  @Test("a routed record that belongs elsewhere is a fault, and changes nothing")
  func foreign() throws {
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let fixture = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
    let before = fixture.image()
    #expect(throws: PipelineFault.foreignRecord(home: home)) {
      try fixture.apply(.event(id: "1", topic: .routed))
    }
    #expect(fixture.image() == before)
  }

  /// An event in structured mode whose data is another one, with the media type that says so.
  private func wrapping(_ name: String, _ value: String) -> TestRecord {
    let inner =
      #"{"specversion":"1.0","id":"inner","source":"/inner","type":"card.moved","recipients":"eve,mallory"}"#
    return TestRecord(
      value:
        #"{"specversion":"1.0","id":"outer","source":"/test","type":"card.moved","\#(name)":"\#(value)","#
        + #""datacontenttype":"application/cloudevents+json","data":\#(inner)}"#)
  }

  /// What was forwarded since the last commit, by the partitions.
  private func forwarded(_ fixture: Fixture) -> [(home: Int32, record: TestRecord)] {
    var records: [(Int32, TestRecord)] = []
    fixture.pipeline.outbox.forEach { record in
      guard record.topic == .routed else { return }
      let headers = record.headers.map { ($0.name.string, $0.value?.string ?? "") }
      records.append(
        (
          record.partition,
          TestRecord(
            topic: .routed, key: record.key?.string, value: record.value?.string, headers: headers)
        ))
    }
    fixture.commit()
    return records
  }

  private func expectDecided(_ record: TestRecord, of recipient: String, at home: Int32) throws {
    let receiver = try Fixture(partitionCount: 8, partition: home)
    #expect(try receiver.apply(record) == .done)
    #expect(receiver.counters.decided == 1 && receiver.counters.rejected == 0)
    let decision = try #require(receiver.output().last)
    #expect(
      decision.contains(#""recipient":"\#(recipient)","source":"/test","event":"outer""#), "\(decision)")
    #expect(receiver.counters.difference == 0)
  }

  @Test("an event whose data is an event is decided itself in its homes, and what is in it is data")
  func eventWithin() throws {
    let sender = try Fixture(partitionCount: 8)
    try sender.apply(wrapping("recipients", "ann,bob"))
    let records = forwarded(sender)
    #expect(records.count == 2)
    for (record, name) in zip(records, ["ann", "bob"]) {
      try expectDecided(record.record, of: name, at: record.home)
    }
  }

  @Test("an event whose data is an event reaches the followers of its audience")
  func eventWithinForAudience() throws {
    let hub = "board:42".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let sender = try Fixture(partitionCount: 8, partition: (hub + 1) % 8)
    try sender.apply(wrapping("audience", "board:42"))
    let fixture = try Fixture(partitionCount: 8, partition: hub)
    try fixture.apply(.part("board:42", ["ann", "bob"]))
    for record in forwarded(sender) { try fixture.apply(record.record) }
    while fixture.pipeline.fanOutCount > 0 {
      fixture.pipeline.continueFanOut(now: Fixture.start, using: fixture.codecs)
    }
    let records = forwarded(fixture)
    #expect(Set(records.compactMap(\.record.key)) == ["ann", "bob"])
    for (home, record) in records { try expectDecided(record, of: #require(record.key), at: home) }
  }

  @Test("a record of an older version, whose content-type says structured mode, is read by its attributes")
  func olderEventWithin() throws {
    let sender = try Fixture(partitionCount: 8)
    try sender.apply(wrapping("recipients", "ann,bob"))
    for (home, record) in forwarded(sender) {
      var older = record
      older.headers = record.headers.filter { $0.0 != "ce_datacontenttype" && $0.0 != "content-type" }
      older.headers.append(("content-type", "application/cloudevents+json"))
      try expectDecided(older, of: #require(record.key), at: home)
    }
  }

  @Test("a large fan-out is cut over several commits: nobody twice, nobody left out")
  func cut() throws {
    let fixture = try Fixture(partitionCount: 8) { $0.fanOutLimit = 2_000 }
    let names = (0..<100).map { "user\($0)" }
    let record = TestRecord.event(id: "1", recipients: names.joined(separator: ","))
    var served: [String] = []
    var commits = 0
    while true {
      let progress = try fixture.apply(record, offset: 0, now: Fixture.start)
      served += fixture.output().map { String($0.split(separator: " ")[2]) }
      if commits == 3 {
        // An abort in the middle takes this part back.
        served.removeLast(fixture.pipeline.outbox.count)
        fixture.pipeline.rollback()
        commits += 1
        continue
      }
      fixture.commit()
      commits += 1
      if progress == .done { break }
      #expect(fixture.positions[.events] == 0)
    }
    #expect(commits > 5)
    #expect(served == names)
    #expect(fixture.positions[.events] == 1)
    #expect(fixture.counters.forwarded == 1)
    #expect(fixture.counters.forwards == 100)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a fan-out that has begun goes on to its end, also by a catalog that would reject its type")
  func catalogInBetween() throws {
    let fixture = try Fixture(partitionCount: 8) { $0.fanOutLimit = 2_000 }
    let names = (0..<100).map { "user\($0)" }
    let record = TestRecord.event(id: "1", recipients: names.joined(separator: ","))
    #expect(try fixture.apply(record, offset: 0, now: Fixture.start) == .again)
    var served = fixture.output().count
    fixture.commit()
    fixture.pipeline.catalog = try .parse(
      yaml: "unknownTypes: reject\ntypes: { card.due: { title: due } }", file: "catalog.yaml")
    while true {
      let progress = try fixture.apply(record, offset: 0, now: Fixture.start)
      served += fixture.output().count
      fixture.commit()
      if progress == .done { break }
    }
    #expect(served == 100)
    #expect(fixture.counters.forwarded == 1 && fixture.counters.rejected == 0)
    try fixture.apply(record)
    #expect(fixture.counters.forwarded == 1 && fixture.counters.rejected == 1)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a recipient's record away from home is republished there, and an older one never overwrites a newer")
  func recipients() throws {
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let away = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
    try away.apply(.recipient("ann", #"{"email":"old@example.org"}"#))
    try away.apply(.recipient("ann", #"{"email":"new@example.org"}"#))
    var republished: [TestRecord] = []
    away.pipeline.outbox.forEach { record in
      #expect(record.topic == .recipients)
      #expect(record.partition == home)
      republished.append(
        TestRecord(
          topic: .recipients, key: record.key?.string, value: record.value?.string,
          headers: record.headers.map { ($0.name.string, $0.value?.string ?? "") }))
    }
    #expect(republished.count == 2)
    let receiver = try Fixture(partitionCount: 8, partition: home)
    for record in republished.reversed() { try receiver.apply(record) }
    try receiver.apply(.event(id: "1", type: "card.due"))
    #expect(receiver.output()[0].contains("\"address\":\"new@example.org\""))
    #expect(away.counters.difference == 0)
  }
}
