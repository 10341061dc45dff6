import Contract
import Testing

@testable import Pipeline

/// Bytes that older versions of this program wrote, or this one: what is in topics has to stay readable.
@Suite struct StateFormatTests {
  private static let epoch: UInt64 = 0x1122_3344_5566_7788

  @Test("a state record is encoded today as the fixture of its version has it")
  func encoding() throws {
    let records = try StateFormatExample.log(epoch: Self.epoch).map(StateFormatExample.hex)
    #expect(StateRecord.version == 3)
    let kept = try StateFormatExample.fixture("state-v3-later.hex").map(StateFormatExample.hex)
    #expect(records == kept)
  }

  /// Bytes that were kept, and what their records have.
  struct Kept: CustomTestStringConvertible {
    var file: String
    var version: UInt8
    var epoch = StateFormatTests.epoch
    /// Input topics whose positions are in the header.
    var positions = 3
    /// Counters of no channel.
    var counters = 6
    /// Counters of each channel.
    var channelCounters = 9
    /// Whether it has what was added to version 3.
    var isLater = false

    /// Whether there are fan-outs to audiences in it.
    var hasFanOuts: Bool { positions > 4 }

    var testDescription: String { file }
  }

  static let kept = [
    Kept(file: "state-v1.hex", version: 1, epoch: 0),
    Kept(file: "state-v2.hex", version: 2),
    Kept(file: "state-v3.hex", version: 3, counters: 7, channelCounters: 11),
    Kept(
      file: "state-v3-later.hex", version: 3, positions: InputTopic.allCases.count,
      counters: Counters.codedFieldCount, channelCounters: ChannelCounters.codedFieldCount,
      isLater: true),
  ]

  @Test(
    "every field of a state record is read from the bytes of each version",
    arguments: kept)
  func decoding(kept: Kept) throws {
    let log = try StateFormatExample.fixture(kept.file)
    let described = try log.map { try StateDescription.describe($0) }
    #expect(described == Self.expected(kept).map { $0.replacing("EPOCH", with: "\(kept.epoch)") })
  }

  @Test(
    "a log of each version restores to the same state, from its start and from its checkpoint",
    arguments: kept)
  func restoring(kept: Kept) throws {
    let (version, epoch) = (kept.version, kept.epoch)
    let log = try StateFormatExample.fixture(kept.file)
    let whole = try StateFormatExample.pipeline()
    #expect(try whole.restore(log))
    let tail = try StateFormatExample.pipeline()
    #expect(try tail.restore(log[2...]))
    #expect(whole.image() == tail.image())
    #expect(whole.pipeline.epoch == epoch)
    #expect(whole.idCount == 2)
    #expect(whole.pipeline.factCount == (version < 3 ? 0 : kept.isLater ? 3 : 2))
    #expect(whole.pipeline.openWindowCount == 2)
    #expect(whole.pipeline.fanOutCount == (kept.hasFanOuts ? 2 : 0))
    #expect(whole.nextDue() == 1_700_000_000_501)
    #expect(whole.positions[.routed] == 1002)
    // A topic that the version did not read begins where its owner says, and never goes back from there.
    for topic in InputTopic.allCases { whole.pipeline.begin(topic, at: 7) }
    #expect(whole.positions[.routed] == 1002)
    #expect(whole.positions[.engagement] == (kept.positions > 3 ? 1004 : 7))
    whole.pipeline.rollback()
    #expect(whole.positions[.engagement] == (kept.positions > 3 ? 1004 : 7))
    for topic in InputTopic.allCases { tail.pipeline.begin(topic, at: 7) }
    #expect(whole.counters.consumed == 100)
    // What it writes next continues the log, whatever version that began with.
    whole.log = log
    whole.commit()
    let again = try StateFormatExample.pipeline()
    #expect(try again.restore(whole.log))
    #expect(again.pipeline.epoch == epoch)
    #expect(again.image() == whole.image())
  }

  @Test("a record of another history in the log is a fault that names both epochs")
  func foreignEpoch() throws {
    let log = try StateFormatExample.log(epoch: 1)
    let other = try StateFormatExample.log(epoch: 2)
    let fixture = try StateFormatExample.pipeline()
    let fault = StateFault.foreignEpoch(found: 2, expected: 1)
    #expect(throws: fault) { _ = try fixture.restore([log[0], other[1]]) }
    #expect(throws: fault) { _ = try fixture.restore([log[0], log[1], other[0]]) }
    #expect(fault.description.contains("epoch 0000000000000002"))
    #expect(fault.description.contains("epoch 0000000000000001"))
  }

  @Test("every record of a history carries the epoch that it began with, also after an abort")
  func epochOfHistory() throws {
    let fixture = try Fixture()
    _ = fixture.seal()
    fixture.pipeline.rollback()
    for number in 0..<3 {
      try fixture.apply(.event(id: "\(number)"))
      fixture.commit()
    }
    for record in fixture.log {
      let described = try StateDescription.describe(record)
      #expect(described.contains("epoch=\(Fixture.epoch) "))
    }
  }

  @Test("a snapshot is encoded today as the fixture of its version has it")
  func snapshotEncoding() throws {
    #expect(SnapshotFormat.version == 1)
    let snapshot = try StateFormatExample.hex(StateFormatExample.snapshot(epoch: Self.epoch))
    let kept = try StateFormatExample.fixture("snapshot-v1-state-v3-later.hex").map(StateFormatExample.hex)
    #expect([snapshot] == kept)
  }

  @Test(
    "the snapshot of each fixture is read: its header, and the state that it brings",
    arguments: [
      ("snapshot-v1.hex", "state-v2.hex"), ("snapshot-v1-state-v3.hex", "state-v3.hex"),
      ("snapshot-v1-state-v3-later.hex", "state-v3-later.hex"),
    ])
  func snapshotDecoding(file name: String, state: String) throws {
    let file = try #require(StateFormatExample.fixture(name).first)
    let fixture = try StateFormatExample.pipeline()
    let header = try SnapshotTests.loadFile(file, into: fixture)
    #expect(header.topic == "tidings.state")
    #expect(header.offset == 41)
    #expect(header.checkpointStart == 39)
    #expect(header.partition == 3)
    #expect(header.partitionCount == 8)
    #expect(header.epoch == Self.epoch)
    #expect(header.sequence == 4)
    #expect(fixture.pipeline.snapshot?.sequence(at: 0x7FFF) == 4)
    #expect(fixture.pipeline.snapshot?.sequence(at: 0x8000) == 5)
    let log = try StateFormatExample.fixture(state)
    let restored = try StateFormatExample.pipeline()
    _ = try restored.restore(log)
    #expect(fixture.image() == restored.image())
    #expect(fixture.nextDue() == restored.nextDue())
  }

  private static let head =
    "head{acme/ann email g cards card.moved moved /c many critical 300 00000000cafef00d}"
  private static let member = "member{00000000000000050000000000000006 7 9223372036854775807 {\"n\":1}}"
  private static let firstWindow =
    "10000000000000000000000000000009 000000000000000b1000000000000000 1700000000500 1700000010500"
  private static let secondWindow =
    "90000000000000000000000000000009 000000000000000b9000000000000000 1700000000500"
  private static let thirdWindow =
    "a0000000000000000000000000000009 000000000000000ba000000000000000 1700000000500 1700000010500"

  /// The counters that the example has: 100 and so on, in the order of its version. What a version does not have is 0.
  private static func counters(_ kept: Kept) -> String {
    var counters = Counters()
    var next: Int64 = 100
    var end = next + Int64(kept.counters)
    func number(_ field: inout Int64) {
      guard next < end else { return }
      field = next
      next += 1
    }
    counters.forEachCodedField(number)
    for channel in Channel.allCases {
      end = next + Int64(kept.channelCounters)
      counters[channel].forEachCodedField(number)
    }
    return StateDescription.describe(counters)
  }

  private static func positions(_ kept: Kept) -> String {
    InputTopic.allCases.indices.map { $0 < kept.positions ? "\(1001 + $0)" : "-1" }.joined(separator: ",")
  }

  private static func record(
    _ kept: Kept, flags: Int, sequence: Int, fanOut: String = "none", checkpoint: String = "none",
    _ body: [String] = []
  ) -> String {
    let header =
      "flags=\(flags) partition=3/8 epoch=EPOCH sequence=\(sequence) decisions=2 positions=\(positions(kept)) "
      + "clocks=1700000000000,1700000001000 counters=\(counters(kept)) fanOut=\(fanOut) "
      + "checkpoint=\(checkpoint) log=777"
    return ([header] + body).joined(separator: "\n")
  }

  private static func expected(_ kept: Kept) -> [String] {
    let version = kept.version
    let facts = [
      "fact 2000000000000000000000000000000c 128 9223372036854775807 8:64199",
      "fact b000000000000000000000000000000c 128 1700086400000 8:64199",
    ]
    func later(_ lines: [String]) -> [String] { version < 3 ? [] : lines }
    func collapsing(_ number: Int) -> String {
      "member{000000000000000f000000000000000\(number) 0 1700000009000 16@1699999999000 }"
    }
    let skipping = "member{000000000000000f000000000000000a 0 9223372036854775807 skipIfSeen }"
    let further = "fact 3000000000000000000000000000000c 3 9223372036854775807 16:1"
    let firstKey = "10000000000000000000000000000009"
    let fanOutKeys = ["3000", "c000", "d000"].map { "\($0)000000000000000000000000000d" }
    func fanOut(_ number: Int, _ progress: String) -> String {
      "\(fanOutKeys[number]) \(progress) acme/board:42 /s e\(number) routed@\(1000 + number)"
    }
    func audiences(_ lines: [String]) -> [String] { kept.hasFanOuts ? lines : [] }
    let progress = "8 18369614217784328193 70001"
    return [
      record(kept, flags: 1, sequence: 1),
      record(
        kept, flags: 0, sequence: 2, fanOut: "1@1002+70000",
        [
          "id 0102030404000000 28333333 fefdfcfbfaf9f8f7", "id f1f2f3f4f4000000 28333333 0e0d0c0b0a090807",
          "opened \(firstWindow) \(head)", "appended 10000000000000000000000000000009 \(member)",
          "opened \(secondWindow) 1700000010500 \(head)",
          "appended 90000000000000000000000000000009 \(member)",
          "opened \(thirdWindow) \(head)", "appended a0000000000000000000000000000009 \(member)",
          "rescheduled 90000000000000000000000000000009 1700000000501",
          "closed a0000000000000000000000000000009",
        ] + later(["appended \(firstKey) \(collapsing(6)) \(collapsing(8))"])
          + later(["withdrawn \(firstKey) 000000000000000f0000000000000006"])
          + (kept.isLater ? ["appended \(firstKey) \(skipping)", further] : []) + later(facts)
          + audiences([
            "fan-out begun \(fanOut(0, "5 0 0"))", "fan-out continued \(fanOutKeys[0]) \(progress)",
            "fan-out begun \(fanOut(1, "6 0 0"))", "fan-out begun \(fanOut(2, "7 0 0"))",
            "fan-out ended \(fanOutKeys[2])",
          ])),
      record(
        kept, flags: 2, sequence: 3, checkpoint: "32768+4321",
        [
          "slice 0..<32768", "id 0102030404000000 28333333 fefdfcfbfaf9f8f7",
          "window \(firstWindow) \(head) \(member)" + (version < 3 ? "" : " \(collapsing(8))")
            + (kept.isLater ? " \(skipping)" : ""),
        ] + later([facts[0]]) + (kept.isLater ? [further] : [])
          + audiences(["fan-out \(fanOut(0, progress))"])),
      record(
        kept, flags: 4, sequence: 4,
        [
          "slice 32768..<65536", "id f1f2f3f4f4000000 28333333 0e0d0c0b0a090807",
          "window \(secondWindow) 1700000000501 \(head) \(member)",
        ] + later([facts[1]]) + audiences(["fan-out \(fanOut(1, "6 0 0"))"])),
    ]
  }
}
