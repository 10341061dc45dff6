import Foundation

/// Random numbers that a seed fixes (SplitMix64), so that the run of a failing test can be repeated.
public struct SeededGenerator: RandomNumberGenerator, CustomStringConvertible, Sendable {
  /// What it began with.
  public let seed: UInt64
  private var state: UInt64

  /// The numbers of a seed.
  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// A generator with a new seed, printed so that a failure can be repeated: with `TIDINGS_TEST_SEED` set to it.
  public static func printed(_ name: String = #function) -> SeededGenerator {
    let given = ProcessInfo.processInfo.environment["TIDINGS_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: .min ... .max)
    print("\(name): seed \(seed)")
    return SeededGenerator(seed: seed)
  }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// `seed 4711`.
  public var description: String { "seed \(seed)" }
}
