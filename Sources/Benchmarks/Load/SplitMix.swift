/// Random numbers that a seed fixes (SplitMix64), the same on every machine and in every version: the load of a
/// benchmark has to be the same one each time.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A number from 0 up to, but not including, 1. The standard library's own mapping is not promised to stay.
  mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
