import Contract
import Foundation
import SeededTesting
import Testing

@Suite struct RFC3339Tests {
  private func read(_ text: String) -> Int64? { text.withByteView { RFC3339.milliseconds(of: $0) } }

  @Test("random instants are read as Foundation wrote them")
  func foundation() {
    var random = SeededGenerator(seed: 0x3339)
    for _ in 0..<5_000 {
      let seconds = Int64.random(in: -11_600_000_000...253_402_300_799, using: &random)
      let text = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
      #expect(read(text) == seconds * 1000, "\(text), \(random)")
    }
  }

  @Test("random instants with offset and fraction are read as their parts say")
  func offsets() {
    var random = SeededGenerator(seed: 0x0FF5)
    for _ in 0..<5_000 {
      let milliseconds = Int64.random(in: -11_600_000_000_000...253_402_000_000_000, using: &random)
      let offset = Int64.random(in: -1_439...1_439, using: &random)
      var local = OutputBuffer()
      local.append(jsonTime: milliseconds + offset * 60_000)
      let digits = String(local.view.string.dropFirst().dropLast(2))
      let zone = String(
        format: "%@%02d:%02d", offset < 0 ? "-" : "+", Int(abs(offset) / 60), Int(abs(offset) % 60))
      let text = digits + String(UInt32.random(in: 0...99_999, using: &random)) + zone
      #expect(read(text) == milliseconds, "\(text), \(random)")
    }
  }

  @Test(
    "forms at the border are read",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01t00:00:00z", 0), ("1969-12-31T23:59:59.999Z", -1),
      ("1970-01-01T00:00:00.0009Z", 0), ("1970-01-01T00:00:00.1Z", 100), ("1970-01-01T01:00:00+01:00", 0),
      ("1969-12-31T23:00:00-01:00", 0), ("1970-01-01T00:00:00-00:00", 0),
      ("2000-02-29T00:00:00Z", 951_782_400_000),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("2017-01-01T00:59:60.5+01:00", 1_483_228_800_500),
      ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ] as [(String, Int64)])
  func border(text: String, milliseconds: Int64) {
    #expect(read(text) == milliseconds)
  }

  @Test(
    "what is no RFC 3339 time is refused",
    arguments: [
      "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-1-1T00:00:00Z",
      "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:61Z", "2026-01-01T00:00:60Z", "2016-12-31T23:59:60+01:00", "2026-01-01T00:00:00.Z",
      "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+0100",
      "2026-01-01T00:00:00+1",
      "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z", "２026-01-01T00:00:00Z", "2026-01-01T00:00:00.1",
      "-026-01-01T00:00:00Z", "2026-01-01T00:00:0 Z",
    ])
  func refused(text: String) {
    #expect(read(text) == nil)
  }
}
