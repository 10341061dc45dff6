import Contract
import Foundation
import SeededTesting
import Testing

@testable import Policy

@Suite("A TZif file")
struct TZifTests {
  private let berlin = TZifFile(
    changes: [(-1_000, 1), (1_000, 0), (2_000, 2)], types: [3_600, 7_200, 3_600],
    rule: "CET-1CEST,M3.5.0,M10.5.0/3")

  @Test("its listed changes are followed by those of its rule, to the end of 2100")
  func rule() throws {
    let zone = try #require(ZoneOffsets(tzif: berlin.bytes, name: "x"))
    #expect(zone.firstOffset == 3_600)
    #expect(zone.offset(at: -1_001) == 3_600 && zone.offset(at: -1_000) == 7_200)
    #expect(zone.offset(at: 999) == 7_200 && zone.offset(at: 1_000) == 3_600)
    // The third listed change changes nothing; the rule's first is 1970-03-29 01:00 UTC.
    #expect(zone.nextChange(after: 1_000) == 7_520_400)
    let twenty25 = zone.changes.filter { (1_735_689_600..<1_767_225_600).contains($0.instant) }
    #expect(
      twenty25 == [
        .init(instant: 1_743_296_400, offset: 7_200), .init(instant: 1_761_440_400, offset: 3_600),
      ])
    #expect(zone.changes.last == .init(instant: 4_128_627_600, offset: 3_600))
    #expect(zone.nextChange(after: 4_128_627_600) == nil)
  }

  @Test("a file of version 1 has its listed changes and no others")
  func version1() throws {
    var file = berlin
    file.version = "\0"
    let zone = try #require(ZoneOffsets(tzif: file.bytes, name: "x"))
    #expect(zone.changes.map(\.instant) == [-1_000, 1_000])
  }

  @Test("what contradicts itself, counts leap seconds or is no TZif file is refused")
  func refused() {
    func zone(_ change: (inout TZifFile) -> Void) -> ZoneOffsets? {
      var file = berlin
      change(&file)
      return ZoneOffsets(tzif: file.bytes, name: "x")
    }
    #expect(zone { _ in } != nil)
    #expect(zone { $0.leapSeconds = 2 } == nil)
    #expect(zone { $0.types = [] } == nil)
    #expect(zone { $0.changes[1].type = 3 } == nil)
    #expect(zone { $0.changes.swapAt(0, 1) } == nil)
    #expect(zone { $0.types[2] = 0 } == nil, "the rule does not agree with what is in force")
    #expect(zone { $0.types[1] = 100_000 } == nil)
    #expect(zone { $0.rule = "CET-1CEST" } == nil)
    #expect(zone { $0.rule = "nonsense,,," } == nil)
    #expect(zone { $0.rule = "" }?.changes.count == 2)
    #expect(ZoneOffsets(tzif: [], name: "x") == nil)
    #expect(ZoneOffsets(tzif: Array("# version 2025b\n".utf8), name: "x") == nil)
    for length in 0..<berlin.bytes.count {
      #expect(ZoneOffsets(tzif: Array(berlin.bytes.prefix(length)), name: "x") == nil, "\(length) bytes")
    }
  }

  @Test("damaged bytes are refused or read within their bounds")
  func damage() {
    var random = SeededGenerator.printed()
    for _ in 0..<20_000 {
      var bytes = berlin.bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let zone = ZoneOffsets(tzif: bytes, name: "x") else { continue }
      let next = Schedule.daily.next(after: 1_750_000_000_000, in: zone)
      #expect(next > 1_750_000_000_000, "\(random)")
    }
  }

  @Test(
    "a rule is read with all that POSIX and RFC 9636 allow",
    arguments: [
      ("UTC0", 0, nil, nil), ("<+0330>-3:30", 12_600, nil, nil), ("<-04>4", -14_400, nil, nil),
      ("EST5EDT,M3.2.0,M11.1.0", -18_000, 1_741_503_600, 1_762_063_200),
      ("IST-2IDT,M3.4.4/26,M10.5.0", 7_200, 1_743_120_000, 1_761_433_200),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7_200, 1_743_296_400, 1_761_440_400),
      ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37_800, 1_759_591_800, 1_743_865_200),
      ("AAA0BBB,J60,J300/3", 0, 1_740_794_400, 1_761_530_400),
      ("AAA0BBB,59/0,299", 0, 1_740_787_200, 1_761_526_800),
    ] as [(String, Int64, Int64?, Int64?)])
  func posix(text: String, standard: Int64, begin: Int64?, end: Int64?) throws {
    let rule = try #require(POSIXZoneRule(text))
    #expect(rule.standardOffset == standard)
    let year = rule.changes(after: 1_735_689_599).prefix(2)
    #expect(year.first { $0.offset != standard }?.instant == begin)
    #expect(year.first { $0.offset == standard }?.instant == end)
  }

  @Test("daylight time all year has no changes")
  func perpetual() throws {
    // RFC 9636, section 3.3.1, gives this rule as its example of daylight saving time that never ends. Its standard time
    // has an abbreviation only because the grammar wants one: no instant is in it.
    let file = TZifFile(changes: [(0, 1)], types: [-10_800, -14_400], rule: "XXX3EDT4,0/0,J365/23")
    let zone = try #require(ZoneOffsets(tzif: file.bytes, name: "x"))
    #expect(zone.changes == [.init(instant: 0, offset: -14_400)])
  }

  @Test(
    "a text that is no rule is refused",
    arguments: [
      "", "A0", "UTC", "UTC25", "UTC0:60", "UTC0 ", "AAA0BBB", "AAA0BBB,", "AAA0BBB,M3.2.0",
      "AAA0BBB,M13.1.0,M1.1.0",
      "AAA0BBB,M1.6.0,M1.1.0", "AAA0BBB,M1.1.7,M1.1.0", "AAA0BBB,J0,J1", "AAA0BBB,366,1", "AAA0BBB,1/168,2",
      "<+01-1", "AAA0BBB,1,2,3", "AAA99999999999999999999",
    ])
  func noRule(text: String) {
    #expect(POSIXZoneRule(text) == nil)
  }

  @Test("two changes in quick succession, and one that sets the clock back a day, are no special cases")
  func unusual() {
    let zone = ZoneOffsets(
      name: "x", firstOffset: 0,
      changes: [
        .init(instant: 1_000_000, offset: 600), .init(instant: 1_000_100, offset: -600),
        .init(instant: 2_000_000, offset: 86_400), .init(instant: 3_000_000, offset: 0),
      ])
    // Shown or jumped over until the second change: 1,000,700. The clock is set back by 1,200 s.
    #expect(zone.firstInstant(showing: 999_999) == 999_999)
    #expect(zone.firstInstant(showing: 1_000_000) == 1_000_000)
    #expect(zone.firstInstant(showing: 1_000_599) == 1_000_000)
    #expect(zone.firstInstant(showing: 1_000_699) == 1_000_099)
    #expect(zone.firstInstant(showing: 1_000_700) == 1_001_300)
    #expect(zone.firstUnreached(after: 1_000_099) == 1_000_700)
    #expect(zone.firstUnreached(after: 1_001_000) == 1_000_700)
    #expect(zone.firstUnreached(after: 1_001_300) == 1_000_701)
    // A day is left out, and later shown twice.
    #expect(zone.firstInstant(showing: 2_050_000) == 2_000_000)
    #expect(zone.firstInstant(showing: 3_086_399) == 2_999_999)
    #expect(zone.firstInstant(showing: 3_086_400) == 3_086_400)
    #expect(zone.firstUnreached(after: 3_000_000) == 3_086_400)
  }
}
