import MarkedYAML
import Testing

@Suite("Quantities as text")
struct QuantityTests {
  @Test(
    "a duration is a whole number and a unit",
    arguments: [
      ("250ms", 250), ("5s", 5_000), ("10m", 600_000), ("1h", 3_600_000), ("24h", 86_400_000),
      ("7d", 604_800_000), ("0s", 0), ("5 s", 5_000),
    ] as [(String, Int64)])
  func durations(text: String, milliseconds: Int64) throws {
    #expect(try DurationText.parse(text).wholeMilliseconds == milliseconds)
  }

  @Test(
    "anything else is no duration",
    arguments: [
      "", "5", "0", "s", "-5s", "5.5s", "5S", "5min", "1h30m", "٥s", "99999999999999999999s",
      "9223372036854775807d",
    ])
  func noDurations(text: String) {
    #expect(throws: QuantityError.self) { try DurationText.parse(text) }
  }

  @Test("a number without a unit is answered with what to write")
  func unitIsMissing() {
    #expect {
      try DurationText.parse("5")
    } throws: {
      "\($0)" == "\"5\" has no unit: write a whole number and ms, s, m, h or d, such as 250ms, 5s or 24h"
    }
  }

  @Test("a formatted duration is read back as the same, in the largest unit without a rest")
  func durationRoundTrip() throws {
    for exponent in 0..<40 {
      let duration = Duration.milliseconds((Int64(1) << Int64(exponent)) + Int64(exponent) * 1_000)
      #expect(try DurationText.parse(DurationText.format(duration)) == duration)
    }
    #expect(DurationText.format(.seconds(86_400)) == "1d")
    #expect(DurationText.format(.seconds(90)) == "90s")
    #expect(DurationText.format(.zero) == "0ms")
  }

  @Test(
    "a size is a whole number and a binary unit",
    arguments: [("512B", 512), ("256KiB", 262_144), ("8MiB", 8_388_608), ("1GiB", 1_073_741_824)])
  func sizes(text: String, bytes: Int) throws {
    #expect(try ByteSizeText.parse(text) == bytes)
    #expect(ByteSizeText.format(bytes) == text)
  }

  @Test(
    "anything else is no size", arguments: ["", "5", "5kb", "5KB", "-1B", "1.5MiB", "9223372036854775807GiB"])
  func noSizes(text: String) {
    #expect(throws: QuantityError.self) { try ByteSizeText.parse(text) }
  }
}

@Suite("The nearest name")
struct NearestNameTests {
  @Test(
    "a slip of the finger finds the name that was meant",
    arguments: [
      ("windwo", "window"), ("Window", "window"), ("widow", "window"), ("window", "window"),
      ("itmes", "items"),
      ("chanels", "channels"),
    ])
  func slips(typed: String, meant: String) {
    #expect(NearestName.of(typed, in: ["items", "window", "channels", "policy"]) == meant)
  }

  @Test("what resembles nothing has no nearest name", arguments: ["", "x", "colour", "zzzzzzzzzzzz"])
  func strangers(typed: String) {
    #expect(NearestName.of(typed, in: ["items", "window", "channels", "policy"]) == nil)
  }
}
