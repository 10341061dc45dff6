/// Random numbers that a seed fixes (SplitMix64), the same on every machine and in every version: a load that is made
/// twice has to be the same one.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The numbers of a seed.
  public init(seed: UInt64) { state = seed }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A number from 0 up to, but not including, 1. The standard library's own mapping is not promised to stay.
  public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number from 1 to `bound`, which must be at least 1.
  public mutating func next(upTo bound: Int) -> Int { 1 + Int(next() % UInt64(max(1, bound))) }
}
