import Contract
import SeededTesting
import Testing

@testable import Pipeline

/// Events for audiences: whom they reach, in steps, whatever happens in between.
@Suite struct AudienceTests {
  private static let audience = "board:42"

  /// A home of the audience that serves about three followers in a step.
  private func fixture(
    partitionCount: Int32 = 8, _ configure: (inout Pipeline.Configuration) -> Void = { _ in }
  ) throws -> Fixture {
    let home = Self.audience.withByteView { Murmur2.partition(ofKey: $0, count: partitionCount) }
    return try Fixture(partitionCount: partitionCount, partition: home) { configuration in
      configuration.fanOutStep = 500
      configure(&configuration)
    }
  }

  private func names(_ range: Range<Int>) -> [String] { range.map { "user\($0)" } }

  /// The followers who were served since the last commit, in order.
  private func served(_ fixture: Fixture) -> [String] {
    var keys: [String] = []
    fixture.pipeline.outbox.forEach { if $0.topic == .routed { keys.append($0.key?.string ?? "") } }
    return keys
  }

  private func step(_ fixture: Fixture) {
    fixture.pipeline.continueFanOut(now: Fixture.start, using: fixture.codecs)
  }

  /// Serves all, a step a commit.
  private func finish(_ fixture: Fixture) -> [String] {
    var all: [String] = []
    while fixture.pipeline.fanOutCount > 0 {
      step(fixture)
      all += served(fixture)
      fixture.commit()
    }
    return all
  }

  // MARK: - Whom it reaches

  @Test("each follower gets a record of the whole event under their own key, in their own home")
  func records() throws {
    let fixture = try fixture()
    try fixture.apply(.part("board:42", ["ann", "bob"]))
    try fixture.apply(.audience(id: "1"))
    #expect(fixture.pipeline.fanOutCount == 1)
    step(fixture)
    let lines = fixture.output()
    #expect(lines.count == 3)
    for name in ["ann", "bob"] {
      let home = name.withByteView { Murmur2.partition(ofKey: $0, count: 8) }
      let line = try #require(lines.first { $0.hasPrefix("routed [\(home)] \(name) {\"n\":1} ") })
      #expect(line.contains("ce_recipient=\(name) ce_specversion=1.0 ce_id=1 ce_source=/test "))
      #expect(line.contains("ce_actor=bob "))
      #expect(line.contains("tidings-origin-topic=tidings.events "))
      #expect(line.contains("tidings-origin-offset=0 "))
      #expect(line.hasSuffix("tidings-audience=board:42"))
      #expect(!line.contains("ce_audience"))
    }
    #expect(lines[2].contains("\"audience\":\"board:42\",\"source\":\"/test\",\"event\":\"1\""))
    #expect(lines[2].contains("\"outcome\":\"fannedOut\",\"recipients\":2}"))
    #expect(fixture.pipeline.fanOutCount == 0)
    #expect(fixture.counters.forwarded == 1)
    #expect(fixture.counters.forwards == 2)
    #expect(fixture.counters.fanOuts == 1)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a follower's home decides the record as any other, once, also if they are named besides")
  func decided() throws {
    let sender = try fixture()
    try sender.apply(.part("board:42", ["ann"]))
    try sender.apply(.audience(id: "1"))
    step(sender)
    var record: TestRecord?
    sender.pipeline.outbox.forEach {
      record = TestRecord(
        topic: .routed, key: $0.key?.string, value: $0.value?.string,
        headers: $0.headers.map { ($0.name.string, $0.value?.string ?? "") })
    }
    let home = "ann".withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let receiver = try Fixture(partitionCount: 8, partition: home)
    try receiver.apply(#require(record))
    try receiver.apply(.event(id: "1", recipients: "ann"))
    #expect(receiver.counters.inapp.delivered == 1)
    #expect(receiver.counters.inapp.suppressed[.duplicate] == 1)
  }

  @Test("away from the audience's home the event is forwarded there, and fanned out there alone")
  func away() throws {
    let home = Self.audience.withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let other = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
    try other.apply(.audience(id: "1"))
    var forwarded: [TestRecord] = []
    other.pipeline.outbox.forEach {
      #expect($0.topic == .routed && $0.partition == home)
      forwarded.append(
        TestRecord(
          topic: .routed, key: $0.key?.string, value: $0.value?.string,
          headers: $0.headers.map { ($0.name.string, $0.value?.string ?? "") }))
    }
    #expect(forwarded.count == 1)
    let record = try #require(forwarded.first)
    #expect(record.key == Self.audience)
    let fixture = try fixture()
    try fixture.apply(.part("board:42", names(0..<5)))
    try fixture.apply(record)
    #expect(Set(finish(fixture)) == Set(names(0..<5)))
    #expect(throws: PipelineFault.foreignRecord(home: home)) { try other.apply(record) }
  }

  @Test("whoever is in several parts is served once, in a step or across steps")
  func severalParts() throws {
    let fixture = try fixture()
    try fixture.apply(.part("board:42", names(0..<20)))
    try fixture.apply(.part("board:42#b", names(10..<30)))
    try fixture.apply(.part("board:42#c", ["user15", "user15", "user29"]))
    try fixture.apply(.audience(id: "1"))
    let all = finish(fixture)
    #expect(all.count == 30)
    #expect(Set(all) == Set(names(0..<30)))
  }

  @Test("an audience may have a part for each follower, which come and go in any order")
  func partForEach() throws {
    var generator = SeededGenerator(seed: 3)
    var table = AudienceTable()
    let audiences = (0..<2).map { Hash128(high: $0, low: 7) }
    var model: [Hash128: [Hash128: Int]] = [:]
    func members(_ count: Int) -> MemberBlock {
      let text = "0123456789"
      return text.withByteView { text in MemberBlock((0..<count).map { text.slice(0..<$0 + 1) }) }
    }
    for step in 0..<60_000 {
      let audience = audiences[step % 2]
      let key = Hash128(high: 0, low: UInt64.random(in: 0..<20_000, using: &generator))
      let isSet = Double.random(in: 0..<1, using: &generator) < (step < 50_000 ? 0.9 : 0.1)
      let count = isSet ? Int.random(in: 1...3, using: &generator) : nil
      table.set(count.map { AudiencePart(key: key, members: members($0)) }, key, of: audience)
      model[audience, default: [:]][key] = count
      #expect(table.part(key, of: audience)?.members.count == count)
    }
    for audience in audiences {
      let known = model[audience] ?? [:]
      #expect(known.count > 1_000)
      let parts = table.parts(of: audience)
      #expect(parts.count == known.count)
      #expect(parts.allSatisfy { $0.members.count == known[$0.key] })
    }
    #expect(table.memberCount == model.values.reduce(0) { $0 + $1.values.reduce(0, +) })
    for (audience, parts) in model { for key in parts.keys { table.set(nil, key, of: audience) } }
    #expect(table.count == 0 && table.memberCount == 0 && table.byteCount == 0)
  }

  @Test("an audience of another tenant is another audience, and its followers are of that tenant")
  func tenants() throws {
    let fixture = try Fixture()
    try fixture.apply(.part("board:42", ["ann"]))
    try fixture.apply(.part("acme/board:42", ["bob"]))
    try fixture.apply(.audience(id: "1", extra: ",\"tenant\":\"acme\""))
    #expect(finish(fixture) == ["acme/bob"])
  }

  // MARK: - Nobody, and again

  @Test("an event for an audience that is unknown, or that nobody is in, is decided as that, and counted")
  func nobody() throws {
    let fixture = try Fixture()
    try fixture.apply(.audience(id: "1"))
    try fixture.apply(.part("board:42", []))
    try fixture.apply(.audience(id: "2"))
    let decisions = try #require(fixture.output().first)
    #expect(
      decisions.contains(
        "\"event\":\"1\",\"type\":\"card.moved\",\"at\":{\"topic\":\"tidings.events\",\"offset\":0},\"outcome\":\"nobody\",\"reason\":\"unknownAudience\""
      ))
    #expect(decisions.contains("\"outcome\":\"nobody\",\"reason\":\"emptyAudience\""))
    #expect(fixture.pipeline.fanOutCount == 0)
    #expect(fixture.counters.withoutFollowers == 2)
    #expect(fixture.counters.decided == 3)
    #expect(fixture.counters.difference == 0)
  }

  @Test("an event that comes again is not fanned out again, within the horizon or while it is under way")
  func again() throws {
    let fixture = try fixture { $0.dedupHorizon = 0 }
    try fixture.apply(.part("board:42", names(0..<10)))
    try fixture.apply(.audience(id: "1"))
    try fixture.apply(.audience(id: "1"))
    // Behind the horizon, and still under way.
    try fixture.apply(.audience(id: "1", appended: Fixture.start + 300_000))
    #expect(fixture.counters.repeatedFanOuts == 2)
    #expect(finish(fixture).count == 10)
    try fixture.apply(.audience(id: "1", appended: Fixture.start + 300_000))
    #expect(fixture.counters.repeatedFanOuts == 2)
    #expect(finish(fixture).count == 10)
    #expect(fixture.counters.difference == 0)
  }

  @Test("a type that the catalog does not know is rejected before anybody is served")
  func unknownType() throws {
    let fixture = try Fixture()
    try fixture.apply(.part("board:42", ["ann"]))
    try fixture.apply(.audience(id: "1", type: "nonsense"))
    #expect(fixture.counters.rejected == 1)
    #expect(fixture.pipeline.fanOutCount == 0)
  }

  // MARK: - In steps

  @Test("an abort in the middle takes back what no commit holds: nobody twice, nobody left out")
  func abort() throws {
    let fixture = try fixture()
    try fixture.apply(.part("board:42", names(0..<40)))
    try fixture.apply(.audience(id: "1"))
    fixture.commit()
    var all: [String] = []
    var steps = 0
    while fixture.pipeline.fanOutCount > 0 {
      step(fixture)
      steps += 1
      if steps % 3 == 0 {
        let before = served(fixture)
        fixture.pipeline.rollback()
        #expect(fixture.pipeline.outbox.count == 0)
        step(fixture)
        #expect(served(fixture) == before)
      }
      all += served(fixture)
      fixture.commit()
    }
    #expect(steps > 8)
    #expect(all.count == 40 && Set(all) == Set(names(0..<40)))
  }

  @Test(
    "whoever restores the state goes on behind the last commit, from the log's start or from a checkpoint")
  func crash() throws {
    for floor in [Int64.max, 1] {
      let fixture = try fixture {
        $0.checkpointFloor = floor
        $0.checkpointSliceLimit = 1
      }
      try fixture.apply(.part("board:42", names(0..<40)))
      try fixture.apply(.audience(id: "1"))
      try fixture.apply(.audience(id: "2"))
      var all: [String] = []
      for _ in 0..<5 {
        step(fixture)
        all += served(fixture)
        fixture.commit()
      }
      let successor = try self.fixture {
        $0.checkpointFloor = floor
        $0.checkpointSliceLimit = 1
      }
      #expect(try successor.restore(fixture.log))
      #expect(successor.image() == fixture.image())
      #expect(successor.pipeline.pendingFanOuts == fixture.pipeline.pendingFanOuts)
      // The table comes from its own topic.
      successor.load(.part("board:42", names(0..<40)), offset: 0)
      successor.log = fixture.log
      all += finish(successor)
      #expect(all.count == 80)
      #expect(Set(all) == Set(names(0..<40)))
      let last = try Fixture(partitionCount: 8, partition: successor.pipeline.configuration.partition)
      #expect(try last.restore(successor.log))
      #expect(last.pipeline.fanOutCount == 0)
      #expect(last.image() == successor.image())
    }
  }

  @Test("fan-outs take turns, and other events are decided between their steps")
  func turns() throws {
    let home = Self.audience.withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let recipient = try #require(
      names(0..<1000).first { name in
        name.withByteView { Murmur2.partition(ofKey: $0, count: 8) } == home
      })
    let fixture = try fixture()
    try fixture.apply(.part("board:42", names(0..<30)))
    try fixture.apply(.audience(id: "1"))
    try fixture.apply(.audience(id: "2"))
    var order: [String] = []
    for _ in 0..<4 {
      let next = try #require(fixture.pipeline.pendingFanOuts.first)
      order.append(next.event)
      step(fixture)
      fixture.commit()
    }
    #expect(order == ["1", "2", "1", "2"])
    try fixture.apply(.event(id: "3", recipients: recipient))
    #expect(fixture.counters.inapp.delivered == 1)
    #expect(fixture.pipeline.fanOutCount == 2)
  }

  @Test("at the bound an event for an audience waits, changes nothing, and goes on when there is room")
  func bound() throws {
    let fixture = try fixture { $0.fanOutCountLimit = 1 }
    try fixture.apply(.part("board:42", names(0..<10)))
    try fixture.apply(.audience(id: "1"))
    let before = fixture.image()
    let late = TestRecord.audience(id: "2", appended: Fixture.start + 60_000)
    #expect(try fixture.apply(late, now: Fixture.start + 60_000) == .again)
    #expect(fixture.image() == before)
    _ = finish(fixture)
    #expect(try fixture.apply(late) == .done)
    #expect(fixture.pipeline.fanOutCount == 1)
  }

  // MARK: - Who comes and goes meanwhile

  @Test(
    "who comes or goes in the middle is served at most once; who stays, or moves to another part, exactly once"
  )
  func meanwhile() throws {
    let fixture = try fixture()
    try fixture.apply(.part("board:42#a", names(0..<60)))
    try fixture.apply(.audience(id: "1"))
    var all: [String] = []
    for _ in 0..<4 {
      step(fixture)
      all += served(fixture)
      fixture.commit()
    }
    // Half of them move, some leave, others come.
    try fixture.apply(.part("board:42#b", names(30..<60) + names(100..<140)))
    try fixture.apply(.part("board:42#a", names(5..<30)))
    all += finish(fixture)
    #expect(Set(all).count == all.count)
    #expect(Set(all).isSuperset(of: names(5..<60)))
    #expect(Set(all).isSubset(of: names(0..<60) + names(100..<140)))
    #expect(!Set(all).isDisjoint(with: names(100..<140)) && !Set(all).isSuperset(of: names(100..<140)))
  }

  @Test("an audience that loses all parts in the middle ends its fan-out with those who were served")
  func dissolved() throws {
    let fixture = try fixture()
    try fixture.apply(.part("board:42", names(0..<30)))
    try fixture.apply(.audience(id: "1"))
    step(fixture)
    let first = served(fixture)
    fixture.commit()
    try fixture.apply(.part("board:42", nil))
    step(fixture)
    #expect(served(fixture).isEmpty)
    #expect(fixture.output().first?.contains("\"recipients\":\(first.count)}") == true)
    #expect(fixture.pipeline.fanOutCount == 0)
  }

  @Test("an aborted change of a part is taken back")
  func abortedPart() throws {
    let fixture = try fixture()
    try fixture.apply(.part("board:42", names(0..<3)))
    fixture.commit()
    try fixture.apply(.part("board:42", nil))
    try fixture.apply(.part("board:42#b", names(3..<6)))
    #expect(fixture.pipeline.memberCount == 3)
    fixture.pipeline.rollback()
    #expect(fixture.pipeline.memberCount == 3)
    #expect(fixture.pipeline.audienceCount == 1)
    try fixture.apply(.audience(id: "1"))
    #expect(Set(finish(fixture)) == Set(names(0..<3)))
  }

  // MARK: - Parts

  @Test(
    "a part that is read away from home is republished there, and an older one from there changes nothing")
  func republished() throws {
    let home = Self.audience.withByteView { Murmur2.partition(ofKey: $0, count: 8) }
    let other = try Fixture(partitionCount: 8, partition: (home + 1) % 8)
    try other.apply(.part("board:42#b", ["ann"]))
    let line = try #require(other.output().first)
    #expect(line.hasPrefix("subscriptions [\(home)] board:42#b {\"recipients\":[\"ann\"]} "))
    #expect(line.hasSuffix("tidings-origin-partition=\((home + 1) % 8) tidings-origin-offset=0"))
    let fixture = try fixture()
    func copy(_ name: String, offset: Int) -> TestRecord {
      var record = TestRecord.part("board:42#b", [name])
      record.headers = [("tidings-origin-partition", "5"), ("tidings-origin-offset", "\(offset)")]
      return record
    }
    try fixture.apply(copy("new", offset: 7))
    try fixture.apply(copy("old", offset: 6))
    try fixture.apply(.audience(id: "1"))
    #expect(finish(fixture) == ["new"])
  }

  @Test("a record that breaks the contract is rejected with its reason, and the part stays as it was")
  func broken() throws {
    let fixture = try Fixture()
    try fixture.apply(.part("board:42", ["ann"]))
    let cases: [(key: String?, value: String, reason: String)] = [
      ("board:42", "nonsense", "notJSON"), ("board:42", "[]", "notJSON"),
      ("board:42", "{}", "missingAttribute"),
      ("board:42", "{\"recipients\":\"ann\"}", "invalidAttribute"),
      ("board:42", "{\"recipients\":[7]}", "invalidAttribute"),
      ("board:42", "{\"recipients\":[\"\"]}", "emptyRecipient"),
      ("board:42", "{\"recipients\":[\"a/b\"]}", "invalidRecipient"),
      (nil, "{\"recipients\":[]}", "invalidAudience"), ("#a", "{\"recipients\":[]}", "invalidAudience"),
      ("board:42#", "{\"recipients\":[]}", "invalidAudience"),
      ("board:42#a#b", "{\"recipients\":[]}", "invalidAudience"),
      ("default/board:42", "{\"recipients\":[]}", "invalidTenant"),
      ("a/b/c", "{\"recipients\":[]}", "invalidAudience"),
    ]
    for (key, value, reason) in cases {
      fixture.commit()
      try fixture.apply(TestRecord(topic: .subscriptions, key: key, value: value, headers: []))
      #expect(fixture.output().first?.contains("tidings-reason=\(reason) ") == true, "\(key ?? "") \(value)")
    }
    #expect(fixture.counters.rejected == Int64(cases.count))
    #expect(fixture.counters.difference == 0)
    try fixture.apply(.audience(id: "1"))
    #expect(finish(fixture) == ["ann"])
  }

  // MARK: - A million

  @Test(
    "an audience of a million is served in bounded steps: each once, and a member takes its id and 12 bytes")
  func million() throws {
    let count = 1_000_000
    let fixture = try Fixture(
      partitionCount: 64, partition: "big".withByteView { Murmur2.partition(ofKey: $0, count: 64) })
    for part in 0..<100 {
      let members = (part * 10_000..<(part + 1) * 10_000).map { "u\($0)" }
      try fixture.apply(.part("big#\(part)", members))
    }
    #expect(fixture.pipeline.memberCount == count)
    #expect(fixture.pipeline.audienceBytes == count * 12 + (0..<count).reduce(0) { $0 + "u\($1)".utf8.count })
    fixture.commit()
    try fixture.apply(.audience(id: "1", audience: "big"))
    var seen = [Bool](repeating: false, count: count)
    var (steps, largest, twice) = (0, 0, 0)
    while fixture.pipeline.fanOutCount > 0 {
      step(fixture)
      steps += 1
      largest = max(largest, fixture.pipeline.pendingBytes)
      fixture.pipeline.outbox.forEach { record in
        guard let key = record.key, let number = Int(key.slice(1..<key.count).string) else { return }
        if seen[number] { twice += 1 }
        seen[number] = true
      }
      // Nobody reads the log here.
      _ = fixture.seal()
      fixture.pipeline.confirm()
    }
    #expect(twice == 0)
    #expect(!seen.contains(false))
    #expect(steps > 1_000)
    #expect(largest < 128 << 10)
    #expect(fixture.counters.forwards == Int64(count))
    #expect(fixture.counters.difference == 0)
  }
}

extension TestRecord {
  /// A part of an audience; nil removes it.
  static func part(_ key: String, _ members: [String]?) -> TestRecord {
    TestRecord(
      topic: .subscriptions, key: key,
      value: members.map { "{\"recipients\":[\($0.map { "\"\($0)\"" }.joined(separator: ","))]}" },
      headers: [])
  }

  /// An event for an audience, in structured mode.
  static func audience(
    id: String, audience: String = "board:42", type: String = "card.moved", extra: String = "",
    appended: Int64 = Fixture.start
  ) -> TestRecord {
    TestRecord(
      value:
        "{\"specversion\":\"1.0\",\"id\":\"\(id)\",\"source\":\"/test\",\"type\":\"\(type)\","
        + "\"audience\":\"\(audience)\",\"actor\":\"bob\"\(extra),\"data\":{\"n\":1}}",
      appended: appended)
  }
}
