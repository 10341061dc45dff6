import ArgumentParser

/// The flags of what publishes some events a second time.
struct RepeatOptions: ParsableArguments {
  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp(
      "The share of events, 0 to 1, to publish a second time a little later, as a retrying producer would.",
      valueName: "share"))
  var fraction = 0.0

  @Option(help: "Decides which events are repeated: the same seed repeats the same ones.")
  var seed: UInt64 = 0

  func validate() throws {
    guard (0...1).contains(fraction) else { throw ValidationError("--repeat has to be from 0 to 1") }
  }
}
