import Testing

@testable import tidings

@Suite("How far back a command looks")
struct LookBackTests {
  @Test(
    "a number with a unit counts back from now",
    arguments: [("45s", 45), ("30m", 1800), ("2h", 7200), ("7d", 604_800)])
  func span(text: String, seconds: Int64) throws {
    let lookBack = try #require(LookBack(argument: text))
    #expect(lookBack == LookBack(seconds: seconds))
    #expect(lookBack.milliseconds(now: 10_000_000_000) == 10_000_000_000 - seconds * 1000)
  }

  @Test("an instant stands for itself")
  func instant() throws {
    let lookBack = try #require(LookBack(argument: "2023-11-14T22:13:20Z"))
    #expect(lookBack.milliseconds(now: 5) == 1_700_000_000_000)
  }

  @Test(
    "anything else is refused",
    arguments: ["", "h", "2", "-2h", "0h", "2w", "9223372036854775807d", "2023-11-14", "yesterday"])
  func refused(text: String) {
    #expect(LookBack(argument: text) == nil)
  }
}
