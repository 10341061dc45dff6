import Contract
import Testing

@testable import Pipeline

/// Bytes that older versions of this program wrote, or this one: what is in topics has to stay readable.
@Suite struct StateFormatTests {
  private static let epoch: UInt64 = 0x1122_3344_5566_7788

  @Test("a state record is encoded today as the fixture of its version has it")
  func encoding() throws {
    let records = try StateFormatExample.log(epoch: Self.epoch)
    #expect(StateRecord.version == 2)
    #expect(try records == StateFormatExample.fixture("state-v2.hex"))
  }

  @Test(
    "every field of a state record is read from the bytes of each version",
    arguments: [("state-v1.hex", 0), ("state-v2.hex", Self.epoch)] as [(String, UInt64)])
  func decoding(file: String, epoch: UInt64) throws {
    let log = try StateFormatExample.fixture(file)
    let described = try log.map { try StateDescription.describe($0) }
    #expect(described == Self.expected.map { $0.replacing("EPOCH", with: "\(epoch)") })
  }

  @Test(
    "a log of each version restores to the same state, from its start and from its checkpoint",
    arguments: [("state-v1.hex", 0), ("state-v2.hex", Self.epoch)] as [(String, UInt64)])
  func restoring(file: String, epoch: UInt64) throws {
    let log = try StateFormatExample.fixture(file)
    let whole = try StateFormatExample.pipeline()
    #expect(try whole.restore(log))
    let tail = try StateFormatExample.pipeline()
    #expect(try tail.restore(log[2...]))
    #expect(whole.image() == tail.image())
    #expect(whole.pipeline.epoch == epoch)
    #expect(whole.idCount == 2)
    #expect(whole.pipeline.openWindowCount == 2)
    #expect(whole.nextDue() == 1_700_000_000_501)
    #expect(whole.positions[.routed] == 1002)
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
    #expect(
      try [StateFormatExample.snapshot(epoch: Self.epoch)] == StateFormatExample.fixture("snapshot-v1.hex"))
  }

  @Test("the snapshot of the fixture is read: its header, and the state that it brings")
  func snapshotDecoding() throws {
    let file = try #require(StateFormatExample.fixture("snapshot-v1.hex").first)
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
    let log = try StateFormatExample.fixture("state-v2.hex")
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

  private static func record(
    flags: Int, sequence: Int, fanOut: String = "none", checkpoint: String = "none", _ body: [String] = []
  ) -> String {
    let counters = (100..<124).map(String.init).joined(separator: ",")
    let header =
      "flags=\(flags) partition=3/8 epoch=EPOCH sequence=\(sequence) decisions=2 positions=1001,1002,1003 "
      + "clocks=1700000000000,1700000001000 counters=\(counters) fanOut=\(fanOut) checkpoint=\(checkpoint) log=777"
    return ([header] + body).joined(separator: "\n")
  }

  private static let expected = [
    record(flags: 1, sequence: 1),
    record(
      flags: 0, sequence: 2, fanOut: "1@1002+70000",
      [
        "id 0102030404000000 28333333 fefdfcfbfaf9f8f7", "id f1f2f3f4f4000000 28333333 0e0d0c0b0a090807",
        "opened \(firstWindow) \(head)", "appended 10000000000000000000000000000009 \(member)",
        "opened \(secondWindow) 1700000010500 \(head)", "appended 90000000000000000000000000000009 \(member)",
        "opened \(thirdWindow) \(head)", "appended a0000000000000000000000000000009 \(member)",
        "rescheduled 90000000000000000000000000000009 1700000000501",
        "closed a0000000000000000000000000000009",
      ]),
    record(
      flags: 2, sequence: 3, checkpoint: "32768+4321",
      [
        "slice 0..<32768", "id 0102030404000000 28333333 fefdfcfbfaf9f8f7",
        "window \(firstWindow) \(head) \(member)",
      ]),
    record(
      flags: 4, sequence: 4,
      [
        "slice 32768..<65536", "id f1f2f3f4f4000000 28333333 0e0d0c0b0a090807",
        "window \(secondWindow) 1700000000501 \(head) \(member)",
      ]),
  ]
}
